//! Converts JSON bodies to UTF-8. JSON must be UTF-8 (RFC 8259, 8.1). For older clients, a byte
//! order mark, UTF-16, and the `charset` of the content type are accepted too.

use std::{borrow::Cow, str};

use axum::http::{HeaderMap, header};
use contracts::Failure;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// The parameter `charset` of the content type.
pub(super) fn charset(headers: &HeaderMap) -> Option<String> {
    let parameters = headers.get(header::CONTENT_TYPE)?.to_str().ok()?.split(';').skip(1);
    let mut named = parameters.filter_map(|parameter| parameter.split_once('='));
    let (_, value) = named.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(value.trim().trim_matches('"').to_owned())
}

/// Converts a body to UTF-8 without a byte order mark. Returns the borrowed body when its bytes
/// need no change.
///
/// # Errors
/// When the body is malformed in an encoding other than UTF-8. Malformed UTF-8 is returned as it
/// is, because the JSON parser refuses it later.
pub(super) fn utf8<'a>(body: &'a [u8], charset: Option<&str>) -> Result<Cow<'a, [u8]>, Failure> {
    let (encoding, body) = match Encoding::for_bom(body) {
        Some((encoding, mark)) => (encoding, &body[mark..]),
        None => (by_content(body).or_else(|| named(charset, body)).unwrap_or(UTF_8), body),
    };
    if encoding == UTF_8 {
        return Ok(Cow::Borrowed(body));
    }
    match encoding.decode_without_bom_handling(body) {
        (text, false) => Ok(Cow::Owned(text.into_owned().into_bytes())),
        (_, true) => Err(Failure::field("body", "must be JSON in the encoding that it begins with; UTF-8 is best")),
    }
}

/// Detects UTF-16. JSON begins with an ASCII character, so one of the first two bytes is 0 in
/// UTF-16.
fn by_content(body: &[u8]) -> Option<&'static Encoding> {
    match body {
        [0, other, ..] if *other != 0 => Some(UTF_16BE),
        [other, 0, ..] if *other != 0 => Some(UTF_16LE),
        _ => None,
    }
}

/// The encoding that `charset` names. It is ignored when the body is valid UTF-8, because a wrong
/// `charset` is then more likely than another encoding.
fn named(charset: Option<&str>, body: &[u8]) -> Option<&'static Encoding> {
    Encoding::for_label(charset?.as_bytes()).filter(|_| str::from_utf8(body).is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"name":"Jürgen 語 😀"}"#;

    fn utf16(to_bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
        JSON.encode_utf16().flat_map(to_bytes).collect()
    }

    fn with_mark(mark: &[u8], body: &[u8]) -> Vec<u8> {
        [mark, body].concat()
    }

    #[test]
    fn every_encoding_that_json_had_is_read_with_a_mark_and_without() {
        let (little, big) = (utf16(u16::to_le_bytes), utf16(u16::to_be_bytes));
        for body in [
            JSON.as_bytes().to_vec(),
            with_mark(b"\xef\xbb\xbf", JSON.as_bytes()),
            with_mark(b"\xff\xfe", &little),
            with_mark(b"\xfe\xff", &big),
            little,
            big,
        ] {
            for charset in [None, Some("utf-8"), Some("utf-16"), Some("UTF-16LE"), Some("nonsense")] {
                assert_eq!(utf8(&body, charset).as_deref(), Ok(JSON.as_bytes()), "{body:?} {charset:?}");
            }
        }
    }

    #[test]
    fn an_encoding_that_is_named_counts_where_the_body_is_not_utf_8() {
        let latin = b"{\"name\":\"J\xfcrgen\"}";
        assert_eq!(utf8(latin, Some("iso-8859-1")).as_deref(), Ok("{\"name\":\"Jürgen\"}".as_bytes()));
        assert_eq!(utf8(JSON.as_bytes(), Some("iso-8859-1")).as_deref(), Ok(JSON.as_bytes()));
        // Malformed text passes here, because the JSON parser refuses it later.
        assert_eq!(utf8(latin, None).as_deref(), Ok(&latin[..]));
        assert_eq!(utf8(b"", None).as_deref(), Ok(&b""[..]));
    }

    #[test]
    fn half_a_character_of_utf_16_is_refused() {
        assert!(utf8(b"\xff\xfe{\0}", None).is_err());
        assert!(utf8(b"\xff\xfe\x00\xd8{\0", None).is_err());
    }
}
