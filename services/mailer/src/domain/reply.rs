/// A step of the SMTP dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Connecting, the greeting, EHLO and STARTTLS.
    Greeting,
    /// AUTH.
    Login,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA and the mail itself.
    Content,
}

/// The cause of a mail that could not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A temporary failure: the same mail may be accepted later.
    Passing,
    /// The mailer's settings, its sender address, or its reputation with the server. Every mail
    /// fails until somebody corrects the cause.
    Ours,
    /// The recipient. This mail can never be sent.
    Recipient,
}

/// A mail server's answer that refuses a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The three digits of the answer (RFC 5321, 4.2.3).
    pub(crate) code: u16,
    /// The subject and the detail of an enhanced status code (RFC 3463), if the server gave one.
    pub(crate) enhanced: Option<(u16, u16)>,
    /// The server's text in lower case. It is never logged or shown, because it may quote the mail.
    words: String,
}

/// Phrases that say that the recipient's mailbox does not exist, or is full or disabled. Some
/// servers send them without an enhanced code for that.
const NOBODY: &[&str] = &[
    "user unknown",
    "unknown user",
    "no such user",
    "user not found",
    "unknown recipient",
    "recipient unknown",
    "recipient not found",
    "no such recipient",
    "no such mailbox",
    "mailbox not found",
    "mailbox unavailable",
    "mailbox unknown",
    "no mailbox here",
    "mailbox is disabled",
    "mailbox full",
    "quota exceeded",
    "over quota",
    "address unknown",
    "unknown address",
    "does not exist",
    "doesn't have a",
    "invalid recipient",
    "invalid mailbox",
    "no longer available",
    "account is disabled",
    "not a valid mailbox",
    "mailbox name not allowed",
];

/// Phrases about the mailer, or about all mail from it.
const US: &[&str] = &[
    "relay",
    "rcpthosts",
    "polic",
    "block",
    "blacklist",
    "black list",
    "denylist",
    "listed",
    "spam",
    "reputation",
    "authenticat",
    "auth required",
    "log in",
    "login",
    "sender",
    "helo",
    "ehlo",
    "client host",
    "reverse dns",
    "rdns",
    "ptr record",
    "spf",
    "dkim",
    "dmarc",
    "access denied",
    "not permitted",
    "not allowed to",
    "rate limit",
    "too many",
    "tls",
];

impl Refusal {
    /// Parses a server's answer.
    pub(crate) fn read(code: u16, words: &str) -> Self {
        let words = words.to_lowercase();
        // The enhanced code is at the start of the text. Only qmail puts it at the end: `sorry, no
        // mailbox here by that name (#5.1.1)`.
        let after_hash = words.split_once('#').map(|(_, rest)| rest);
        let enhanced = enhanced(&words).or_else(|| after_hash.and_then(enhanced));
        Self { code, enhanced, words }
    }

    /// Returns the cause of the refusal.
    ///
    /// Only a refusal that is surely about the recipient is final. A mail that is tried too often
    /// harms nobody, but a mail that is given up because of the mailer's fault reaches nobody.
    pub(crate) fn cause(&self, step: Step) -> Cause {
        if self.code < 500 {
            return Cause::Passing;
        }
        if !matches!(step, Step::Recipient | Step::Content) {
            return Cause::Ours;
        }
        let (is_nobody, is_us) = (self.says(NOBODY), self.says(US));
        // Postfix refuses a sender or a greeting only in its answer to the recipient.
        let is_about_sender = ["sender address rejected", "helo command rejected", "client host rejected"];
        let is_recipient = match self.enhanced {
            _ if self.says(&is_about_sender) => false,
            // These codes are about the sender's address or about relaying, not about the
            // recipient.
            Some((1, 7..=9)) => false,
            Some((1, 0)) => step == Step::Recipient,
            // The address does not exist or has moved, or its domain accepts no mail.
            Some((1, _)) => true,
            // The mailbox is full or disabled. Detail 3 means that the message is too long, which
            // is not about the recipient.
            Some((2, detail)) => detail != 3,
            // Exchange Online sends 5.4.1 with this phrase for an unknown address. Without the
            // phrase, 5.4.1 is not about the recipient.
            Some((4, 1)) => self.says(&["recipient address rejected"]),
            Some((4, 4)) => self.says(&["invalid domain", "domain not found"]),
            Some((4, 310)) => true,
            // These codes have no specific meaning, so the text decides. Outlook.com sends 5.5.0
            // for a mailbox that does not exist.
            Some((5 | 0, 0)) => is_nobody && !is_us,
            // The recipient's server accepts no addresses with non-ASCII characters.
            Some((6, 7)) => step == Step::Recipient,
            Some(_) => false,
            None if step == Step::Content => is_nobody && !is_us,
            // 556 means that the domain accepts no mail (RFC 7504).
            None if self.code == 556 => true,
            None => !is_us && (is_nobody || matches!(self.code, 550..=553)),
        };
        if is_recipient { Cause::Recipient } else { Cause::Ours }
    }

    /// Returns an explanation that is shown after the code. It is empty if there is none.
    pub(crate) fn meaning(&self, step: Step) -> &'static str {
        match (self.cause(step), self.enhanced, step) {
            (Cause::Passing, ..) => "",
            (Cause::Recipient, Some((1, 2 | 10) | (4, _)), _) => ": the domain of the address takes no mail",
            (Cause::Recipient, Some((2, 2)), _) => ": the mailbox is full",
            (Cause::Recipient, Some((2, _)), _) => ": the mailbox is closed",
            (Cause::Recipient, Some((6, _)), _) => ": it takes no addresses with letters beyond ASCII",
            (Cause::Recipient, ..) => ": there is no such mailbox",
            (Cause::Ours, _, Step::Login) => ": it refuses our name or password",
            (Cause::Ours, _, Step::Greeting) => ": it does not want to talk to us",
            (Cause::Ours, _, Step::Sender) => ": it refuses our sender",
            (Cause::Ours, ..) => ": it refuses mail from us, whoever it is for",
        }
    }

    fn says(&self, words: &[&str]) -> bool {
        words.iter().any(|one| self.words.contains(one))
    }
}

/// Parses an enhanced status code such as `5.1.1` at the start of a text, and returns its subject
/// and detail.
fn enhanced(text: &str) -> Option<(u16, u16)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let mut numbers = text[..end].trim_end_matches('.').split('.').map(str::parse);
    match (numbers.next(), numbers.next(), numbers.next(), numbers.next()) {
        (Some(Ok(2 | 4 | 5)), Some(Ok(subject)), Some(Ok(detail)), None) => Some((subject, detail)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_real_servers_say_is_about_us_about_the_recipient_or_passes() {
        let lines = include_str!("replies.txt").lines().filter(|line| !line.starts_with('#'));
        for line in lines {
            let (head, words) = line.split_once(" | ").unwrap();
            let words = words.replace("\\n", "\n");
            let [step, code, cause] = head.split(' ').collect::<Vec<_>>().try_into().unwrap();
            let step = match step {
                "greeting" => Step::Greeting,
                "login" => Step::Login,
                "sender" => Step::Sender,
                "recipient" => Step::Recipient,
                _ => Step::Content,
            };
            let said = match Refusal::read(code.parse().unwrap(), &words).cause(step) {
                Cause::Passing => "passing",
                Cause::Ours => "ours",
                Cause::Recipient => "final",
            };
            assert_eq!(said, cause, "{line}");
        }
    }

    #[test]
    fn an_enhanced_code_is_read_where_servers_write_it() {
        let read = |words| Refusal::read(550, words).enhanced;
        assert_eq!(read("5.1.1 no such user"), Some((1, 1)));
        assert_eq!(read("5.7.606 Access denied"), Some((7, 606)));
        assert_eq!(read("sorry (#5.1.1)"), Some((1, 1)));
        assert_eq!(read("5.1 no such user"), None);
        assert_eq!(read("192.0.2.1 is blocked"), None);
        assert_eq!(read("user unknown"), None);
        assert_eq!(read(""), None);
    }
}
