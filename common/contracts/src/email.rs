use std::fmt;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use utoipa::ToSchema;

use crate::visible::{fits_address, is_invisible};

/// The maximum length of the part before the @, in bytes (RFC 5321, 4.5.3.1.1).
const LOCAL_MOST: usize = 64;
/// The maximum length of an address, in bytes (RFC 5321, 4.5.3.1.3).
const MOST: usize = 254;

/// An e-mail address as it was entered, trimmed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = "idn-email", max_length = 254, example = "ann@example.org")]
pub struct Email(String);

/// Why a text is not an e-mail address, or not one that mail can be sent to. The error does not
/// contain the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEmail {
    /// The text does not have the form of an e-mail address.
    #[error("must be an e-mail address, such as ann@example.org")]
    Shape,
    /// The address has invisible characters.
    #[error("must not contain invisible characters: type the address anew instead of copying it")]
    Invisible,
    /// The address has white space.
    #[error("must not contain spaces or other white space")]
    Space,
    /// The part before the @ has a character that mail servers do not accept, such as a typographic
    /// quotation mark.
    #[error("must not contain typographic or other special characters before the @: an apostrophe is ', a dash is -")]
    Character,
    /// The part before the @ begins or ends with a dot, or has two dots in a row.
    #[error("must not begin or end with a dot before the @, nor have two dots in a row")]
    Dots,
    /// The part before the @ has more than 64 bytes.
    #[error("must have at most 64 bytes before the @")]
    LongLocal,
    /// The whole address, with its domain as it is in the DNS, has more than 254 bytes.
    #[error("must have at most 254 bytes, its domain as it is in the DNS")]
    Long,
    /// The part after the @ is not a domain that can exist in the DNS.
    #[error(
        "must have a domain after the @ that can exist, such as example.org: labels of at most 63 letters, digits and hyphens, with single dots between"
    )]
    Domain,
}

impl Email {
    /// Parses an address that is stored already, or that was typed to log in. It may break rules
    /// that were added later.
    ///
    /// # Errors
    /// [`InvalidEmail::Shape`], if the text does not have the form of an address.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>()[],;:\\\"@".contains(c);
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail::Shape)?;
        let labels_fit = domain.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-' || !c.is_ascii() && plain(c))
        });
        let local_fits = !local.is_empty()
            && local.chars().count() <= 64
            && local.chars().all(plain)
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        if local_fits && labels_fit && text.chars().count() <= MOST {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidEmail::Shape)
        }
    }

    /// Parses an address that is to be stored. All present rules apply, which are stricter than
    /// those of [`Email::parse`].
    ///
    /// # Errors
    /// [`InvalidEmail`] says which rule the text breaks.
    pub fn given(text: &str) -> Result<Self, InvalidEmail> {
        let text = nfc(text.trim());
        if text.chars().any(is_invisible) {
            return Err(InvalidEmail::Invisible);
        }
        if text.chars().any(char::is_whitespace) {
            return Err(InvalidEmail::Space);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail::Shape)?;
        if local.is_empty() || local.contains('@') {
            return Err(InvalidEmail::Shape);
        }
        if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
            return Err(InvalidEmail::Dots);
        }
        if !local.chars().all(fits_address) {
            return Err(InvalidEmail::Character);
        }
        if local.len() > LOCAL_MOST {
            return Err(InvalidEmail::LongLocal);
        }
        let domain = dns_name(domain).ok_or(InvalidEmail::Domain)?;
        if local.len() + 1 + domain.len() > MOST {
            return Err(InvalidEmail::Long);
        }
        Self::parse(&text)
    }

    /// The address as it was entered, trimmed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form of the address in which two addresses are compared. The case of letters does not
    /// matter (Ann@x.org equals ann@x.org), and a domain with other letters than ASCII equals its
    /// ASCII form in the DNS.
    pub fn key(&self) -> String {
        let (local, domain) = self.parts();
        let local = nfc(&nfc(local).to_lowercase());
        format!("{local}@{}", dns_name(domain).unwrap_or_else(|| domain.to_lowercase()))
    }

    /// The form in which earlier versions compared addresses. It does not convert the domain to its
    /// form in the DNS. The database may still contain such keys.
    pub fn former_key(&self) -> String {
        self.0.to_lowercase()
    }

    /// The address to which mail is sent, with the domain in its ASCII form in the DNS. So the mail
    /// server must support RFC 6531 only if the part before the @ has other characters than ASCII.
    pub fn for_mail(&self) -> String {
        let (local, domain) = self.parts();
        format!("{}@{}", nfc(local), dns_name(domain).unwrap_or_else(|| domain.to_owned()))
    }

    fn parts(&self) -> (&str, &str) {
        // `parse` refuses a text without an @.
        self.0.rsplit_once('@').unwrap_or((&self.0, ""))
    }
}

/// The form of a domain in the DNS (UTS 46): lower case and ASCII. None if the domain cannot exist
/// in the DNS.
fn dns_name(domain: &str) -> Option<String> {
    let name = Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .ok()?;
    // Refuses IPv4 addresses, which RFC 5321 allows after the @ only in brackets. No top-level
    // domain consists of digits only.
    let is_number = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    (!is_number).then(|| name.into_owned())
}

/// Converts a text to Unicode's form NFC, in which ü is always one code point. Some keyboards and
/// operating systems send ü as two.
fn nfc(text: &str) -> String {
    text.nfc().collect()
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_that_people_have_are_taken() {
        for good in [
            "ann@x.org",
            " Ann.O'Neil+t3@mail.example.co ",
            "a@localhost",
            "jürgen@müller.de",
            "ju\u{308}rgen@mu\u{308}ller.de",
            "山田@例え.jp",
            "ann@हिन्दी.भारत",
            "ann@xn--mller-kva.de",
        ] {
            assert!(Email::given(good).is_ok(), "{good}: {:?}", Email::given(good));
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
            assert_eq!(Email::parse(bad), Err(InvalidEmail::Shape), "{bad}");
            assert!(Email::given(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_that_mail_can_never_reach_is_refused_with_the_reason() {
        use InvalidEmail::*;
        let (local, label) = ("a".repeat(65), "b".repeat(64));
        let (umlauts, labels) = ("ü".repeat(33), vec!["c".repeat(60); 4].join("."));
        for (bad, reason) in [
            ("an\u{200B}n@x.org", Invisible),
            ("ann@x\u{200B}.org", Invisible),
            ("\u{FEFF}ann@x.org", Invisible),
            ("ann@x.org\u{2060}", Invisible),
            ("ann\u{AD}a@x.org", Invisible),
            ("a\u{3164}@x.org", Invisible),
            ("\u{202E}ann@x.org", Invisible),
            ("an n@x.org", Space),
            ("an\u{A0}n@x.org", Space),
            ("ann@x. org", Space),
            ("o\u{2019}neil@x.org", Character),
            ("ann\u{2013}b@x.org", Character),
            ("\u{201C}ann\u{201D}@x.org", Character),
            ("ann\u{FF0E}b@x.org", Character),
            ("a,b@x.org", Character),
            ("a(b)@x.org", Character),
            ("a..b@x.org", Dots),
            ("ann.@x.org", Dots),
            (&format!("{local}@x.org"), LongLocal),
            (&format!("{umlauts}@x.org"), LongLocal),
            (&format!("ann@{label}.org"), Domain),
            (&format!("{}@{labels}.org", "a".repeat(20)), Long),
            (&format!("ann@{labels}.{labels}.org"), Domain),
            ("ann@x..org", Domain),
            ("ann@x.org.", Domain),
            ("ann@.org", Domain),
            ("ann@x_y.org", Domain),
            ("ann@192.0.2.1", Domain),
            ("ann@-x.org", Domain),
            ("ann@xn--a.org", Domain),
        ] {
            assert_eq!(Email::given(bad), Err(reason), "{bad:?}");
        }
    }

    #[test]
    fn the_spelling_of_an_address_does_not_tell_two_people_apart() {
        let key = |text| Email::parse(text).map(|e| e.key()).unwrap();
        for (one, other) in [
            ("Ann@X.org", "ann@x.ORG"),
            ("ü@ü.de", "ü@xn--tda.de"),
            ("ü@ü.de", "U\u{308}@U\u{308}.DE"),
            ("ann@MÜLLER.de", "ann@XN--MLLER-KVA.de"),
            ("ann@x\u{3002}org", "ann@x.org"),
            ("ann@\u{FF58}.org", "ann@x.org"),
        ] {
            assert_eq!(key(one), key(other), "{one} {other}");
        }
        assert_ne!(key("straße@x.org"), key("strasse@x.org"));
        assert_eq!(key("Ann@X.org"), "ann@x.org", "as it is stored already");
        assert_eq!(Email::given("Ü@Ü.de").unwrap().as_str(), "Ü@Ü.de", "what was typed is shown");
    }

    #[test]
    fn mail_goes_to_a_domain_as_it_is_in_the_dns() {
        let mail = |text| Email::given(text).unwrap().for_mail();
        assert_eq!(mail("Ann@Müller.de"), "Ann@xn--mller-kva.de");
        assert_eq!(mail("jürgen@x.org"), "jürgen@x.org");
        assert_eq!(mail("Ann@X.org"), "Ann@x.org");
    }

    proptest! {
        #[test]
        fn what_is_given_can_be_read_again_and_is_the_same_person(text in "[a-zA-ZäÄßñ.'+-]{1,12}@[a-zA-Züß-]{1,8}(\\.[a-zé]{2,5}){0,2}") {
            let Ok(email) = Email::given(&text) else { return Ok(()) };
            let stored = Email::parse(email.as_str()).unwrap();
            prop_assert_eq!(&stored, &email);
            prop_assert_eq!(Email::parse(&email.for_mail()).unwrap().key(), email.key());
            let in_the_dns = email.for_mail();
            prop_assert!(in_the_dns.rsplit_once('@').unwrap().1.is_ascii());
        }
    }
}
