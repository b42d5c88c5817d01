//! Texts from users, with limits on their length and characters.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kept::{Keep, kept_text};

/// Why a text is refused. The error does not contain the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// The text is empty or has only white space.
    #[error("must not be empty")]
    Empty,
    /// The text has more characters than the maximum. The field is the maximum.
    #[error("must have at most {0} characters")]
    TooLong(usize),
    /// The text has a line break or another control character that is not allowed in it.
    #[error("must not contain line breaks or other control characters")]
    Control,
    /// The text has no visible character.
    #[error("must have a letter, a digit or another character that can be seen")]
    Unseen,
    /// The text has characters that change the direction in which other characters are shown.
    #[error("must not contain characters that turn the direction of the text: type it anew instead of copying it")]
    Turned,
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $most:tt, $empty:literal, $lines:literal, $pattern:tt, $example:tt;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String, max_length = $most, pattern = $pattern, example = $example)]
        pub struct $name(String);

        impl $name {
            /// Parses a text. White space at both ends is removed.
            ///
            /// # Errors
            /// [`InvalidText`] says which rule the text breaks.
            pub fn parse(text: &str) -> Result<Self, InvalidText> {
                let text = text.trim();
                if text.is_empty() && !$empty {
                    return Err(InvalidText::Empty);
                }
                if text.chars().count() > $most {
                    return Err(InvalidText::TooLong($most));
                }
                if text.chars().any(|c| c.is_control() && !($lines && matches!(c, '\n' | '\r' | '\t'))) {
                    return Err(InvalidText::Control);
                }
                Ok(Self(text.to_owned()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidText;

            fn try_from(text: String) -> Result<Self, InvalidText> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    )*};
}

texts! {
    /// The name of a person, project or another object: one line with 1 to 200 characters.
    Name: 200, false, false, "^[^\\x00-\\x1F\\x7F-\\x9F\\u2028\\u2029]*[^\\s\\x00-\\x1F\\x7F-\\x9F\\u2028\\u2029][^\\x00-\\x1F\\x7F-\\x9F\\u2028\\u2029]*$", "Website relaunch";
    /// A short text such as the name of a computer or a status: one line with at most 255
    /// characters. It may be empty.
    Label: 255, true, false, "^[^\\x00-\\x1F\\x7F-\\x9F\\u2028\\u2029]*$", "To Do";
    /// A description or a note: at most 10,000 characters. It may have line breaks, and it may be
    /// empty.
    Note: 10_000, true, true, "^[^\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\\x7F-\\x9F]*$", "All that the new site needs";
}

macro_rules! keeps {
    ($($name:ident: $most:literal, $is_unfit:expr;)*) => {$(
        impl Keep for $name {
            fn keep(text: &str) -> Self {
                // Most texts can be parsed as they are, and are not processed further.
                Self::parse(text).unwrap_or_else(|_| Self(kept_text(text, $most, $is_unfit)))
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self(String::new())
            }
        }
    )*};
}

keeps! {
    Label: 255, char::is_control;
    Note: 10_000, |c| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_that_is_not_empty() {
        assert_eq!(Name::parse("  "), Err(InvalidText::Empty));
        assert_eq!(Name::parse("Ann\r\nBcc: x"), Err(InvalidText::Control));
        assert_eq!(Name::parse(&"a".repeat(201)), Err(InvalidText::TooLong(200)));
        assert_eq!(Name::parse(" Ann ").map(String::from), Ok("Ann".to_owned()));
    }

    #[test]
    fn a_note_may_have_lines_but_no_other_control_characters() {
        assert!(Note::parse("one\ntwo\tthree").is_ok());
        assert_eq!(Note::parse("a\0b"), Err(InvalidText::Control));
    }
}
