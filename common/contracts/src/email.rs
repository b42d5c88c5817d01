use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An e-mail address as it was given, trimmed.
///
/// At most 254 characters (RFC 5321, 4.5.3.1.3), one `@`, a domain with a dot or a single
/// label, no white space and no control characters: it is written into mail headers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = Email, example = "ann@example.org")]
pub struct Email(String);

/// Why a text is no e-mail address. Never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address, such as ann@example.org")]
pub struct InvalidEmail;

impl Email {
    /// Reads an address.
    ///
    /// # Errors
    /// [`InvalidEmail`] where the text cannot be one.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>()[],;:\\\"@".contains(c);
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail)?;
        let labels_fit = domain.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        });
        let local_fits = !local.is_empty()
            && local.chars().count() <= 64
            && local.chars().all(plain)
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        if local_fits && labels_fit && text.chars().count() <= 254 {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidEmail)
        }
    }

    /// The address as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which addresses are compared: Ann@x.org is ann@x.org.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Email {
    type Error = InvalidEmail;

    fn try_from(text: String) -> Result<Self, InvalidEmail> {
        Self::parse(&text)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_people_have_are_taken() {
        for good in ["ann@x.org", " Ann.O'Neil+t3@mail.example.co ", "a@localhost", "jürgen@müller.de"] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn what_could_break_a_mail_header_is_refused() {
        for bad in [
            "",
            "ann",
            "@x.org",
            "ann@",
            "a b@x.org",
            "a@x..org",
            "a@x.org\r\nBcc: b@y.org",
            "a@b@c",
            ".a@x.org",
            "a@-x.org",
            "<a@x.org>",
        ] {
            assert_eq!(Email::parse(bad), Err(InvalidEmail), "{bad}");
        }
    }

    #[test]
    fn the_case_of_letters_does_not_tell_two_addresses_apart() {
        let key = |text| Email::parse(text).map(|e| e.key());
        assert_eq!(key("Ann@X.org"), key("ann@x.ORG"));
    }
}
