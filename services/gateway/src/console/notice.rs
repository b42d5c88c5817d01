//! Notices about what a form has done. After a form, the browser is redirected to a page. The query
//! parameter `done` in the URL of that page names the notice.

use maud::{Markup, html};

use crate::extract::Params;

/// What a form has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    Created,
    Saved,
    Invited,
    Deactivated,
    Reactivated,
    Recorded,
    Discarded,
    StillHeld,
    ProjectCreated,
    Archived,
    Restored,
    Deleted,
    PutOn,
    TakenOff,
    TaskCreated,
    Moved,
    Voided,
    Asked,
    Accepted,
    Refused,
    Revoked,
    PasswordChanged,
    SessionEnded,
    SessionsEnded,
    RateDeleted,
    Submitted,
    Approved,
    SentBack,
    Reopened,
    Paid,
    PaidBefore,
    Locked,
}

impl Done {
    const ALL: [Self; 32] = [
        Self::Created,
        Self::Saved,
        Self::Invited,
        Self::Deactivated,
        Self::Reactivated,
        Self::Recorded,
        Self::Discarded,
        Self::StillHeld,
        Self::ProjectCreated,
        Self::Archived,
        Self::Restored,
        Self::Deleted,
        Self::PutOn,
        Self::TakenOff,
        Self::TaskCreated,
        Self::Moved,
        Self::Voided,
        Self::Asked,
        Self::Accepted,
        Self::Refused,
        Self::Revoked,
        Self::PasswordChanged,
        Self::SessionEnded,
        Self::SessionsEnded,
        Self::RateDeleted,
        Self::Submitted,
        Self::Approved,
        Self::SentBack,
        Self::Reopened,
        Self::Paid,
        Self::PaidBefore,
        Self::Locked,
    ];

    /// The name of the notice in the URL.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Saved => "saved",
            Self::Invited => "invited",
            Self::Deactivated => "deactivated",
            Self::Reactivated => "reactivated",
            Self::Recorded => "recorded",
            Self::Discarded => "discarded",
            Self::StillHeld => "still-held",
            Self::ProjectCreated => "project-created",
            Self::Archived => "archived",
            Self::Restored => "restored",
            Self::Deleted => "deleted",
            Self::PutOn => "put-on",
            Self::TakenOff => "taken-off",
            Self::TaskCreated => "task-created",
            Self::Moved => "moved",
            Self::Voided => "voided",
            Self::Asked => "asked",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Revoked => "revoked",
            Self::PasswordChanged => "password-changed",
            Self::SessionEnded => "session-ended",
            Self::SessionsEnded => "sessions-ended",
            Self::RateDeleted => "rate-deleted",
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::SentBack => "sent-back",
            Self::Reopened => "reopened",
            Self::Paid => "paid",
            Self::PaidBefore => "paid-before",
            Self::Locked => "locked",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Created => "Created. The invitation is on its way.",
            Self::Saved => "Saved.",
            Self::Invited => "A new invitation is on its way. The link in the older one no longer works.",
            Self::Deactivated => "Deactivated: off every project and task, and logged out everywhere.",
            Self::Reactivated => "Reactivated, on no project yet.",
            Self::Recorded => "Recorded: the hours count now.",
            Self::Discarded => "Discarded: the hours do not count. The window is kept, with who decided so.",
            Self::StillHeld => "It was checked again, and is still held back for the reason that is shown.",
            Self::ProjectCreated => "Created. Put people on it, give it tasks, and put them on those.",
            Self::Archived => {
                "Archived: out of the lists, and it takes no new time. What was worked before still counts."
            }
            Self::Restored => "Brought back: it takes time again.",
            Self::Deleted => "Deleted. Recorded hours stay.",
            Self::PutOn => "Put on it: the desktop app shows it from now on.",
            Self::TakenOff => "Taken off. Recorded hours stay.",
            Self::TaskCreated => "Created. Put people on it, so that they can track on it.",
            Self::Moved => "Moved. Hours that were recorded before stay with the former project.",
            Self::Voided => "Voided: the window counts no longer. What it said is kept, with who decided so and why.",
            Self::Asked => "Asked for. Somebody else decides about it, and you get a mail.",
            Self::Accepted => "Accepted: the time is as it was asked for. Whoever asked is mailed.",
            Self::Refused => "Refused: nothing has changed. Whoever asked is mailed.",
            Self::Revoked => "Revoked: the key is dead within a second.",
            Self::PasswordChanged => {
                "Your password is changed, and everybody else who was logged in as you is logged out."
            }
            Self::SessionEnded => "That session is ended.",
            Self::SessionsEnded => "All your other sessions are ended.",
            Self::RateDeleted => "Deleted: what held before goes on to hold.",
            Self::Submitted => "Submitted: whoever approves it sees it now.",
            Self::Approved => {
                "Approved: nothing in it changes any more. What comes late for it is held back until somebody decides."
            }
            Self::SentBack => "Sent back to the employee, with what you have written.",
            Self::Reopened => "Open again. What was held back because of it is counted in a moment.",
            Self::Paid => "Made: its periods are paid, and what it says never changes.",
            Self::PaidBefore => "It was made before, and there is nothing more to pay in these days.",
            Self::Locked => {
                "Locked: nothing before it changes any more. What comes late for it is held back until somebody decides."
            }
        }
    }
}

/// Renders the notice that the query parameter `done` names, if there is one.
pub(super) fn notice(params: &Params) -> Markup {
    let word: Option<String> = params.get("done", "must be a word").ok().flatten();
    let done = Done::ALL.into_iter().find(|done| word.as_deref() == Some(done.word()));
    html! { @if let Some(done) = done { p.done role="status" { (done.sentence()) } } }
}
