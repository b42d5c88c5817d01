use std::fmt;

use contracts::Millis;
use serde_json::Value;

/// The answer to a request. `sent` and `heard` are in microseconds since the start of the system,
/// and `heard_at` is the time by the clock.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Answer {
    /// The status; 0 if there was no answer.
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) body: Value,
    /// The entity tag; empty if there was none.
    pub(super) tag: String,
    pub(super) sent: u64,
    pub(super) heard: u64,
    pub(super) heard_at: Millis,
}

/// What an answer says about its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word<'a> {
    /// The request was carried out.
    Done,
    /// The request was refused, for the reason in this code.
    Refused(&'a str),
    /// The request may have been carried out or not.
    Unknown,
}

impl Answer {
    pub(super) fn word(&self) -> Word<'_> {
        match self.status {
            200..=299 => Word::Done,
            400..=499 => Word::Refused(&self.code),
            _ => Word::Unknown,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.word() == Word::Done
    }

    pub(super) fn is_refused(&self) -> bool {
        matches!(self.word(), Word::Refused(_))
    }

    pub(super) fn is_unknown(&self) -> bool {
        self.word() == Word::Unknown
    }

    /// Returns a sentence if the API does not allow this answer: a refusal with another code than
    /// these, an error of the server other than 503 and 504, or no answer.
    pub(super) fn unpromised(&self, who: &str, reasons: &[&str]) -> Option<String> {
        let is_promised = match self.word() {
            Word::Done => true,
            Word::Refused(code) => reasons.contains(&code),
            Word::Unknown => matches!(self.status, 503 | 504),
        };
        (!is_promised).then(|| format!("{who} was answered {} {}", self.status, self.code))
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, code, sent, heard, .. } = self;
        write!(f, "{status} {code} (sent at {sent} µs, heard at {heard} µs)")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Returns a made-up answer with this status and code.
    pub(in crate::races) fn answered(status: u16, code: &str) -> Answer {
        Answer { status, code: code.to_owned(), ..Answer::default() }
    }

    #[test]
    fn only_the_reasons_that_are_named_and_what_passes_are_promised() {
        assert_eq!(answered(200, "").unpromised("A", &[]), None);
        assert_eq!(answered(503, "unavailable").unpromised("A", &[]), None);
        assert_eq!(answered(400, "email_taken").unpromised("A", &["email_taken"]), None);
        assert!(answered(400, "email_taken").unpromised("A", &["voided"]).is_some());
        assert!(answered(500, "internal").unpromised("A", &[]).is_some());
        assert!(answered(0, "").unpromised("A", &[]).is_some());
    }

    #[test]
    fn who_is_told_to_come_again_does_not_know_what_became_of_it() {
        assert!(answered(503, "unavailable").is_unknown() && answered(504, "").is_unknown());
        assert!(answered(409, "conflict").is_refused() && answered(201, "").is_done());
    }
}
