use contracts::{
    Code, EmployeeId, IngestItem, Millis, QuarantineCursor, QuarantinedWindow, WindowContent, WindowId, WindowState,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::refusal;

/// A quarantined window with the reason for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Quarantined {
    /// `<employee>_<window>_<content hash>`. Two employees may use the same window id, and one id
    /// may come with several contents; none of them may overwrite another. Documents that earlier
    /// versions of the program wrote have no hash in the key.
    #[serde(rename = "_id")]
    key: String,
    pub(crate) window_id: WindowId,
    pub(crate) item: IngestItem,
    /// The reason why the window is quarantined.
    pub(crate) code: Code,
    /// Whether the window is tried again automatically. It is, for example, if the copy of the
    /// bindings was not complete when the window was checked, until the copy is complete.
    pub(crate) waiting: bool,
    /// When the window is tried again, if it ends more than 5 minutes in the future by the server's
    /// clock: 5 minutes before its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) due: Option<Millis>,
    /// When the window was quarantined; for a waiting window, since when it waits.
    pub(crate) since: Millis,
    /// The sequence numbers of the window's last messages in the queue, at most [`PLACES`]. An
    /// answer 202 names such a number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    seqs: Vec<i64>,
    /// The decision of an admin, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) decision: Option<Decision>,
}

/// An admin's decision about a quarantined window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Decision {
    /// The id of the recorded window; none if the window was discarded.
    pub(crate) recorded_as: Option<WindowId>,
    /// The actor who decided, in the text form of [`contracts::Actor`].
    pub(crate) by: Option<String>,
    /// When the decision was made.
    pub(crate) at: Millis,
}

/// Why a window is quarantined, and what happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QuarantineReason {
    pub(crate) code: Code,
    pub(crate) next: Next,
}

/// What happens next to a quarantined window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The window is tried again automatically, until it is checked against a complete copy of the
    /// bindings.
    Soon,
    /// The window is tried again at this moment.
    At(Millis),
    /// An admin must decide.
    Admin,
}

/// The most sequence numbers of messages that are kept for one window.
const PLACES: usize = 20;

impl Quarantined {
    pub(crate) fn new(item: IngestItem, seq: Option<u64>, reason: QuarantineReason, since: Millis) -> Self {
        let content = WindowContent::from(&item).hash();
        let due = if let Next::At(due) = reason.next { Some(due) } else { None };
        Self {
            key: format!("{}_{}_{content}", item.employee_id, item.id),
            window_id: item.id,
            item,
            code: reason.code,
            waiting: reason.next == Next::Soon,
            due,
            since,
            seqs: seq.into_iter().map(|seq| seq as i64).collect(),
            decision: None,
        }
    }

    /// The id of the recorded window, if an admin has admitted the quarantined one.
    pub(crate) fn admitted_as(&self) -> Option<WindowId> {
        self.decision.as_ref().and_then(|decision| decision.recorded_as)
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The key of the document that a cursor points at.
    pub(crate) fn key_after(cursor: &QuarantineCursor) -> String {
        let QuarantineCursor { employee_id, id, content, .. } = cursor;
        match content {
            Some(content) => format!("{employee_id}_{id}_{content}"),
            None => format!("{employee_id}_{id}"),
        }
    }

    /// This quarantined window after the same window was quarantined again, as `new`.
    pub(crate) fn again(&self, new: &Self) -> Self {
        let mut quarantined = self.clone();
        for seq in &new.seqs {
            if !quarantined.seqs.contains(seq) {
                quarantined.seqs.push(*seq);
            }
        }
        let forgotten = quarantined.seqs.len().saturating_sub(PLACES);
        quarantined.seqs.drain(..forgotten);
        if quarantined.decision.is_none() {
            // A window that already waits keeps the moment since when it waits.
            if new.waiting && !quarantined.waiting {
                quarantined.since = new.since;
            }
            (quarantined.code, quarantined.waiting, quarantined.due) = (new.code, new.waiting, new.due);
        }
        quarantined
    }

    /// Whether one of the window's messages has this sequence number in the queue.
    pub(crate) fn came_at(&self, seq: u64) -> bool {
        self.seqs.contains(&(seq as i64))
    }

    pub(crate) fn employee(&self) -> EmployeeId {
        self.item.employee_id
    }

    /// The state of the window, as its sender may query it.
    pub(crate) fn state(&self) -> WindowState {
        let (code, detail) = (self.code, self.detail());
        match self.code {
            _ if self.decision.is_some() => WindowState::Rejected { code, detail },
            _ if self.waiting => WindowState::Queued,
            Code::ClockAhead | Code::ClockBehind | Code::PeriodLocked => WindowState::SetAside { code, detail },
            _ => WindowState::Rejected { code, detail },
        }
    }

    /// Sentences for the employee: why the window is quarantined, and what happens next.
    pub(crate) fn detail(&self) -> String {
        let why = refusal(self.code);
        let next = match (&self.decision, self.due) {
            (Some(Decision { recorded_as: Some(id), .. }), _) => {
                format!("An admin has admitted it: it is recorded as {id}.")
            }
            (Some(_), _) => "An admin has discarded it: it is not recorded.".to_owned(),
            (None, Some(due)) => format!("It is kept, and recorded by itself at {}.", moment(due)),
            (None, None) if self.waiting => "It is kept, and tried again by itself.".to_owned(),
            (None, None) => "It is kept: an admin can admit or discard it.".to_owned(),
        };
        format!("{why} {next}")
    }

    /// The quarantined window as it is shown to admins.
    pub(crate) fn shown(self) -> QuarantinedWindow {
        QuarantinedWindow {
            id: self.window_id,
            employee_id: self.employee(),
            code: self.code,
            detail: self.detail(),
            waiting: self.waiting || self.due.is_some(),
            due: self.due,
            received_at: self.item.received_at,
            since: self.since,
            content: Some(WindowContent::from(&self.item).hash()),
            decided_by: self.decision.as_ref().and_then(|decision| decision.by.clone()),
            decided_at: self.decision.as_ref().map(|decision| decision.at),
            recorded_as: self.decision.as_ref().and_then(|decision| decision.recorded_as),
            window: self.item.window,
        }
    }
}

/// A moment as RFC 3339 text in UTC.
fn moment(at: Millis) -> String {
    Timestamp::from_millisecond(at.0).map_or_else(|_| format!("{at} ms"), |at| at.to_string())
}
