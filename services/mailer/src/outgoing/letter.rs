use std::{
    fmt,
    time::{Duration, UNIX_EPOCH},
};

use contracts::{Email, MailId, Millis, Name};
use lettre::{
    Address, Message,
    address::Envelope,
    message::{Mailbox, MultiPart},
};

use super::NotSent;
use crate::domain::{Cause, Mail};

/// A mail with recipient and headers, ready to be sent.
pub(crate) struct Letter {
    pub(crate) id: MailId,
    pub(crate) envelope: Envelope,
    /// The bytes of the mail with its headers.
    pub(crate) bytes: Vec<u8>,
    /// The link in the mail, if there is one.
    pub(crate) link: Option<String>,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Letter({})", self.id)
    }
}

impl Letter {
    /// Adds recipient and headers to a mail. A mail that is sent again has the same message id, so
    /// that mail programs recognise it as the same.
    pub(crate) fn compose(
        sender: &Mailbox,
        (name, email): (&Name, &Email),
        id: MailId,
        mail: Mail,
        now: Millis,
    ) -> Result<Self, NotSent> {
        let unfit = |what: &str| NotSent::new(Cause::Recipient, format!("The {what} cannot be written into a mail."));
        let name = header_value(name.as_str()).ok_or_else(|| unfit("name"))?;
        let recipient = recipient(email).ok_or_else(|| unfit("e-mail address"))?;
        // The envelope is built here from the addresses. Otherwise lettre would parse the addresses
        // in the headers, by stricter rules.
        let envelope = Envelope::new(Some(sender.email.clone()), vec![recipient.clone()]);
        let envelope = envelope.map_err(|_| unfit("e-mail address"))?;
        let message = Message::builder()
            .from(sender.clone())
            .to(Mailbox::new(Some(name.to_owned()), recipient))
            .envelope(envelope)
            .subject(mail.subject)
            .date(UNIX_EPOCH + Duration::from_millis(now.0.max(0).unsigned_abs()))
            .message_id(Some(format!("<{id}@{}>", sender.email.domain())))
            .multipart(MultiPart::alternative_plain_html(mail.plain, mail.html))
            .map_err(|_| unfit("text"))?;
        Ok(Self { id, envelope: message.envelope().clone(), bytes: message.formatted(), link: mail.link })
    }
}

/// Returns the address of the recipient without lettre's checks. They refuse most non-ASCII
/// characters that are no letters, such as vowel signs of Hindi. The mail server decides about such
/// an address.
fn recipient(email: &Email) -> Option<Address> {
    let address = email.for_mail();
    let (local, domain) = header_value(&address)?.rsplit_once('@')?;
    Some(Address::new_dangerous(local, domain))
}

/// Returns the text, or `None` if it contains a control character. A line break would start another
/// header (RUSTSEC-2026-0561). Names and addresses cannot contain one today.
fn header_value(text: &str) -> Option<&str> {
    (!text.chars().any(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use contracts::{HOUR, MintedToken, Secret};

    use super::*;
    use crate::domain::invitation_mail;

    fn composed(name: &str, email: &str) -> String {
        let minted = MintedToken {
            name: Name::parse(name).unwrap(),
            email: Email::parse(email).unwrap(),
            token: Secret::new("the-token"),
            expires_at: Millis(72 * HOUR),
        };
        let mail = invitation_mail(&minted, &kit::PublicUrl::read(None).unwrap(), Millis(0));
        let sender = "T3 <no-reply@t3.example.org>".parse().unwrap();
        let letter = Letter::compose(&sender, (&minted.name, &minted.email), kit::new_id(), mail, Millis(0)).unwrap();
        String::from_utf8(letter.bytes).unwrap()
    }

    #[test]
    fn the_headers_say_from_whom_to_whom_and_when() {
        let text = composed("Ann Example", "ann@x.org");
        for line in [
            "From: T3 <no-reply@t3.example.org>\r\n",
            "To: \"Ann Example\" <ann@x.org>\r\n",
            "Subject: Your invitation to T3\r\n",
            "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n",
            "@t3.example.org>\r\n",
        ] {
            assert!(text.contains(line), "{line} is missing in {text}");
        }
    }

    #[test]
    fn every_address_that_is_let_in_can_be_written_to_with_its_domain_as_it_is_in_the_dns() {
        for (email, to) in [
            ("Ann.O'Neil+t3@mail.example.co", "Ann.O'Neil+t3@mail.example.co"),
            ("a!#$%&'*+-/=?^_`{|}~z@x.org", "a!#$%&'*+-/=?^_`{|}~z@x.org"),
            ("ann@localhost", "ann@localhost"),
            ("ann@Müller.de", "ann@xn--mller-kva.de"),
            ("jürgen@müller.de", "jürgen@xn--mller-kva.de"),
            ("山田@例え.jp", "山田@xn--r8jz45g.jp"),
            ("हिन्दी@x.org", "हिन्दी@x.org"),
            ("l·l☕@x.org", "l·l☕@x.org"),
            (&format!("{}@x.org", "a".repeat(64)), &format!("{}@x.org", "a".repeat(64))),
        ] {
            Email::given(email).unwrap();
            let text = composed("Ann", email);
            // A long header continues on lines that begin with a space.
            let unfolded = text.replace("\r\n ", " ");
            assert!(unfolded.contains(&format!("To: Ann <{to}>\r\n")), "{email}: {unfolded}");
        }
    }

    #[test]
    fn names_of_the_whole_world_and_of_tricksters_stay_one_header() {
        for name in
            ["Jürgen Müller", "山田太郎", "Ann\", <eve@y.org>", "Ann\u{2028}Bcc: eve@y.org", "=?utf-8?q?=0D=0A?="]
        {
            let text = composed(name, "ann@x.org");
            let (headers, _) = text.split_once("\r\n\r\n").unwrap();
            assert!(headers.is_ascii(), "{headers}");
            let names: Vec<_> = headers
                .split("\r\n")
                .filter(|line| !line.starts_with([' ', '\t']))
                .filter_map(|line| line.split_once(':').map(|(name, _)| name))
                .collect();
            assert_eq!(names, ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"]);
        }
        assert_eq!(header_value("Ann\r\nBcc: eve@y.org"), None);
        assert_eq!(header_value("Ann\0"), None);
    }

    #[test]
    fn a_letter_shows_neither_its_link_nor_its_text() {
        let letter = Letter {
            id: kit::new_id(),
            envelope: Envelope::new(None, vec!["ann@x.org".parse().unwrap()]).unwrap(),
            bytes: b"planted".to_vec(),
            link: Some("planted".into()),
        };
        assert!(!format!("{letter:?}").contains("planted"));
    }
}
