//! Texts that programs send, such as names of computers. A text that breaks a rule is changed until
//! it fits. If it were refused, nobody could correct it, and the hours that were sent with it would
//! be lost.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// A text type whose values can be made from any text.
pub trait Keep: Sized {
    /// Makes a value from a text: white space at both ends is removed, control characters that the
    /// type does not allow become spaces, and the text is cut at the maximum length. A text that
    /// fits already is not changed.
    fn keep(text: &str) -> Self;
}

/// Makes a text fit, for implementations of [`Keep::keep`]. Characters that `is_unfit` selects
/// become spaces. `most` is the maximum length in characters.
pub(crate) fn kept_text(text: &str, most: usize, is_unfit: impl Fn(char) -> bool) -> String {
    let spaced: String = text.chars().map(|c| if is_unfit(c) { ' ' } else { c }).collect();
    let trimmed = spaced.trim();
    let cut = trimmed.char_indices().nth(most).map_or(trimmed, |(end, _)| trimmed[..end].trim_end());
    cut.to_owned()
}

/// Converts bytes to a text. Each run of bytes that are not valid UTF-8, such as half of a
/// surrogate pair, becomes one U+FFFD.
fn readable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let is_marked = chunk.valid().is_empty() && text.ends_with('\u{fffd}');
        if !chunk.invalid().is_empty() && !is_marked {
            text.push('\u{fffd}');
        }
    }
    text
}

struct Kept<T>(T);

impl<'de, T: Keep> Deserialize<'de> for Kept<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text<T>(PhantomData<T>);

        impl<T: Keep> Visitor<'_> for Text<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
                Ok(T::keep(text))
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
                Ok(T::keep(&readable(bytes)))
            }
        }

        if from.is_human_readable() {
            // The value is read as bytes, because the JSON string may contain an escape that is not
            // valid Unicode, such as `\ud800`. As a string it would be refused.
            from.deserialize_bytes(Text(PhantomData)).map(Self)
        } else {
            Ok(Self(T::keep(&String::deserialize(from)?)))
        }
    }
}

/// Deserializes a text and makes it fit ([`Keep::keep`]).
///
/// # Errors
/// If the value is not a text.
pub(crate) fn kept<'de, D: Deserializer<'de>, T: Keep>(from: D) -> Result<T, D::Error> {
    Kept::deserialize(from).map(|Kept(text)| text)
}

/// Deserializes an optional text and makes it fit ([`Keep::keep`]).
///
/// # Errors
/// If the value is neither a text nor `null`.
pub(crate) fn kept_if_any<'de, D: Deserializer<'de>, T: Keep>(from: D) -> Result<Option<T>, D::Error> {
    Ok(Option::<Kept<T>>::deserialize(from)?.map(|Kept(text)| text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Label, Note};

    fn label(json: &str) -> Option<String> {
        kept::<_, Label>(&mut serde_json::Deserializer::from_str(json)).ok().map(String::from)
    }

    #[test]
    fn what_cannot_be_stored_becomes_what_can() {
        for (json, kept) in [
            (r#"" anns-mac\r\n""#, "anns-mac"),
            (r#""WIN-7F\u0000\u0000""#, "WIN-7F"),
            (r#""a\u0000b\nc""#, "a b c"),
            (r#""\u0007""#, ""),
            (r#""""#, ""),
            (r#""a\ud800b""#, "a\u{fffd}b"),
            (r#""a\udc00\ud83d""#, "a\u{fffd}"),
            (r#""\ud83d\ude00""#, "\u{1f600}"),
            ("\"a\u{0}b\n\"", "a b"),
            ("\"Jürgens Rechner\"", "Jürgens Rechner"),
        ] {
            assert_eq!(label(json).as_deref(), Some(kept), "{json}");
        }
        for json in ["5", "null", "[]", "{}", "\"\\ud8\""] {
            assert_eq!(label(json), None, "{json}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut_between_two_characters() {
        assert_eq!(Label::keep(&"ü".repeat(300)).as_str(), "ü".repeat(255));
        assert_eq!(Label::keep(&format!("{} b", "a".repeat(254))).as_str(), "a".repeat(254));
        assert_eq!(Note::keep(&"語".repeat(10_001)).as_str(), "語".repeat(10_000));
        assert_eq!(Note::keep("one\ntwo\u{0}three").as_str(), "one\ntwo three");
    }

    proptest! {
        #[test]
        fn whatever_is_kept_fits_and_is_kept_as_it_is(text in "\\PC{0,300}|[\\x00-\\x40\\u{80}-\\u{a0}ü語 ]{0,300}") {
            let kept = Label::keep(&text);
            prop_assert_eq!(Label::parse(kept.as_str()), Ok(kept.clone()));
            prop_assert_eq!(Label::keep(kept.as_str()), kept);
            let note = Note::keep(&text);
            prop_assert_eq!(Note::parse(note.as_str()), Ok(note));
        }

        #[test]
        fn what_fits_already_is_the_same_as_before(text in "\\PC{0,300}|[\\x00-\\x40\\u{80}-\\u{a0}ü語 ]{0,30}") {
            if let Ok(fits) = Label::parse(&text) {
                prop_assert_eq!(Label::keep(&text), fits);
            }
        }

        #[test]
        fn bytes_of_whatever_kind_are_a_text(bytes: Vec<u8>) {
            let text = readable(&bytes);
            prop_assert_eq!(text.is_empty(), bytes.is_empty());
            if let Ok(valid) = std::str::from_utf8(&bytes) {
                prop_assert_eq!(text, valid);
            }
        }
    }
}
