//! Entity tags in conditional headers (RFC 9110, 8.8.3 and 13.1).

use axum::http::{HeaderMap, HeaderName};

/// An entity tag in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntityTag {
    /// Whether the tag is weak, which means that it begins with `W/`.
    pub(crate) is_weak: bool,
    /// The text between the tag's quotes.
    pub(crate) text: String,
}

impl EntityTag {
    /// The tag's text without the suffix that a compressed response has, such as `.gzip`.
    pub(crate) fn plain(&self) -> &str {
        self.text.split('.').next().unwrap_or_default()
    }
}

/// The value of a conditional header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// The header is `*`, which matches any existing state.
    Any,
    /// The header is a list of tags, and matches a state that has one of them.
    Tags(Vec<EntityTag>),
}

/// A malformed conditional header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Parses a conditional header; `None` when the header is missing.
pub(crate) fn named(headers: &HeaderMap, name: HeaderName) -> Result<Option<Named>, Malformed> {
    let mut tags = Vec::new();
    let mut values = headers.get_all(name).iter().peekable();
    if values.peek().is_none() {
        return Ok(None);
    }
    let values: Vec<&str> = values.map(|value| value.to_str().map_err(|_| Malformed)).collect::<Result<_, _>>()?;
    if let [only] = values[..]
        && only.trim() == "*"
    {
        return Ok(Some(Named::Any));
    }
    for value in values {
        read(value, &mut tags).ok_or(Malformed)?;
    }
    if tags.is_empty() { Err(Malformed) } else { Ok(Some(Named::Tags(tags))) }
}

/// Parses a list of tags, in which elements may be empty. Returns `None` when the list is
/// malformed.
fn read(mut text: &str, tags: &mut Vec<EntityTag>) -> Option<()> {
    loop {
        text = text.trim_start_matches([' ', '\t', ',']);
        if text.is_empty() {
            return Some(());
        }
        let strong = text.strip_prefix("W/");
        let (tag, rest) = strong.unwrap_or(text).strip_prefix('"')?.split_once('"')?;
        let rest = rest.trim_start_matches([' ', '\t']);
        if !tag.bytes().all(|byte| byte.is_ascii_graphic()) || !(rest.is_empty() || rest.starts_with(',')) {
            return None;
        }
        tags.push(EntityTag { is_weak: strong.is_some(), text: tag.to_owned() });
        text = rest;
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, header};

    use super::*;

    fn of(values: &[&str]) -> Result<Option<Named>, Malformed> {
        let value = |value: &&str| (header::IF_MATCH, HeaderValue::from_str(value).expect("a header"));
        named(&values.iter().map(value).collect(), header::IF_MATCH)
    }

    #[test]
    fn tags_are_read_weak_or_strong_with_commas_inside_and_from_several_lines() {
        let tags = |tags: &[(bool, &str)]| {
            let tag = |(is_weak, text): &(bool, &str)| EntityTag { is_weak: *is_weak, text: (*text).to_owned() };
            Ok(Some(Named::Tags(tags.iter().map(tag).collect())))
        };
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&[" * "]), Ok(Some(Named::Any)));
        assert_eq!(of(&["\"a\""]), tags(&[(false, "a")]));
        assert_eq!(of(&["\"a,b\" ,, W/\"c\",", "\"\""]), tags(&[(false, "a,b"), (true, "c"), (false, "")]));
    }

    #[test]
    fn what_is_no_list_of_tags_is_malformed() {
        for bad in ["", ",", "a", "\"a", "a\"", "w/\"a\"", "\"a\" \"b\"", "\"a\"b", "*, \"a\"", "\"a b\"", "W/a"] {
            assert_eq!(of(&[bad]), Err(Malformed), "{bad}");
        }
        assert_eq!(of(&["*", "*"]), Err(Malformed));
    }

    #[test]
    fn a_tag_of_a_compressed_answer_is_known_again() {
        let tag = EntityTag { is_weak: false, text: "1f-2e.gzip".to_owned() };
        assert_eq!(tag.plain(), "1f-2e");
    }
}
