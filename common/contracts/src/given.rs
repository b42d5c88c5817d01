//! Deserializers for values that are new and therefore checked by all present rules. Stored values
//! were accepted by earlier, less strict rules, and must stay readable.

use std::fmt;

use serde::{Deserialize, Deserializer, de::Error};

use crate::{
    Email, InvalidEmail, InvalidText, Label, Name, Note,
    visible::{ends_line, is_seen, turns_text},
};

/// A type whose new values are checked by stricter rules than its stored values.
pub trait Given: Sized {
    /// The rule that the text breaks, as a sentence. The sentence never contains the text.
    type Error: fmt::Display;

    /// Parses a new value by the present rules.
    ///
    /// # Errors
    /// If the text breaks a rule.
    fn given(text: &str) -> Result<Self, Self::Error>;
}

impl Given for Name {
    type Error = InvalidText;

    fn given(text: &str) -> Result<Self, InvalidText> {
        let name = Self::parse(text)?;
        check(name.as_str())?;
        Ok(name)
    }
}

impl Given for Label {
    type Error = InvalidText;

    fn given(text: &str) -> Result<Self, InvalidText> {
        let label = Self::parse(text)?;
        if !label.as_str().is_empty() {
            check(label.as_str())?;
        }
        Ok(label)
    }
}

impl Given for Email {
    type Error = InvalidEmail;

    fn given(text: &str) -> Result<Self, InvalidEmail> {
        Self::given(text)
    }
}

/// Only notes that are reasons are checked by these rules: a reason must have a visible character.
impl Given for Note {
    type Error = InvalidText;

    fn given(text: &str) -> Result<Self, InvalidText> {
        let note = Self::parse(text)?;
        match note.as_str() {
            "" => Err(InvalidText::Empty),
            seen if is_seen(seen) => Ok(note),
            _ => Err(InvalidText::Unseen),
        }
    }
}

fn check(line: &str) -> Result<(), InvalidText> {
    if line.chars().any(ends_line) {
        return Err(InvalidText::Control);
    }
    if line.chars().any(turns_text) {
        return Err(InvalidText::Turned);
    }
    if is_seen(line) { Ok(()) } else { Err(InvalidText::Unseen) }
}

struct Strict<T>(T);

impl<'de, T: Given> Deserialize<'de> for Strict<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::given(&String::deserialize(from)?).map(Strict).map_err(D::Error::custom)
    }
}

/// Deserializes a required field with a new value.
///
/// # Errors
/// If the text breaks a rule.
pub fn given<'de, D: Deserializer<'de>, T: Given>(from: D) -> Result<T, D::Error> {
    Strict::deserialize(from).map(|Strict(value)| value)
}

/// Deserializes a new value of a field that may be left out, but not be `null`, like
/// [`crate::present`].
///
/// # Errors
/// If the text breaks a rule.
pub fn given_present<'de, D: Deserializer<'de>, T: Given>(from: D) -> Result<Option<T>, D::Error> {
    given(from).map(Some)
}

/// Deserializes a new value of a field that may be left out, or be `null` to clear the stored
/// value, like [`crate::nullable`].
///
/// # Errors
/// If the text breaks a rule.
pub fn given_nullable<'de, D: Deserializer<'de>, T: Given>(from: D) -> Result<Option<Option<T>>, D::Error> {
    let value: Option<Strict<T>> = Option::deserialize(from)?;
    Ok(Some(value.map(|Strict(value)| value)))
}

/// Deserializes a list of new values. The field may be left out, but not be `null`.
///
/// # Errors
/// If one of the texts breaks a rule.
pub fn given_list<'de, D: Deserializer<'de>, T: Given>(from: D) -> Result<Option<Vec<T>>, D::Error> {
    let values: Vec<Strict<T>> = Vec::deserialize(from)?;
    Ok(Some(values.into_iter().map(|Strict(value)| value).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_and_things_have_are_taken() {
        for good in
            ["Ann", "山田太郎", "محمد", "می\u{200C}خواهم", "क्\u{200D}ष", "👩\u{200D}💻", "דוד\u{200F} (Bob)", "Ng"]
        {
            assert_eq!(Name::given(good).map(String::from), Ok(good.to_owned()));
            assert_eq!(Label::given(good).map(String::from), Ok(good.to_owned()));
        }
        assert!(Label::given("").is_ok());
    }

    #[test]
    fn a_name_that_nobody_can_see_is_refused() {
        for unseen in
            ["\u{200B}", "\u{200B} \u{2060}", "\u{FEFF}", "\u{3164}", "\u{115F}\u{1160}", "\u{2800}", "\u{E0020}"]
        {
            assert_eq!(Name::given(unseen), Err(InvalidText::Unseen), "{unseen:?}");
            assert_eq!(Label::given(unseen), Err(InvalidText::Unseen), "{unseen:?}");
        }
        assert_eq!(Name::given("\u{3000} \u{A0}"), Err(InvalidText::Empty));
    }

    #[test]
    fn a_name_that_reads_otherwise_than_it_is_written_is_refused() {
        for turned in ["Ann\u{202E}gpj.exe", "\u{2066}Ann\u{2069}", "Ann \u{202A}B"] {
            assert_eq!(Name::given(turned), Err(InvalidText::Turned), "{turned:?}");
            assert_eq!(Label::given(turned), Err(InvalidText::Turned), "{turned:?}");
        }
        assert_eq!(Name::given("Ann\u{2028}Bcc: eve@y.org"), Err(InvalidText::Control));
    }

    #[test]
    fn what_was_stored_before_these_rules_can_still_be_read() {
        for old in ["\u{200B}", "Ann\u{202E}gpj.exe", "Ann\u{2028}Bob"] {
            let json = serde_json::to_string(old).unwrap();
            assert_eq!(serde_json::from_str::<Name>(&json).map(String::from).unwrap(), old);
        }
    }
}
