//! Windows that are held back, with the reason: nothing that was taken is thrown away.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Code, ContentHash, EmployeeId, Event, Millis, Page, Service, Window, WindowId, WindowSent, WindowState,
    message::requests,
};

/// A window that may not be recorded, or not yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuarantinedWindow {
    /// The window's id.
    pub id: WindowId,
    /// Who sent it.
    pub employee_id: EmployeeId,
    /// Why, as a word.
    #[schema(value_type = String, example = "not_on_task")]
    pub code: Code,
    /// Why, as a sentence.
    pub detail: String,
    /// Whether it is still tried again by itself: it may only be early, or its time is to come.
    pub waiting: bool,
    /// When it is tried again, where its time is to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Millis>,
    /// When it reached us.
    pub received_at: Millis,
    /// Since when it is held.
    pub since: Millis,
    /// Tells apart what was sent under the same id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Uuid)]
    pub content: Option<ContentHash>,
    /// Who has decided about it, once somebody has: an [`crate::Actor`], as text. The API shows them
    /// with their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub decided_by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Millis>,
    /// The recorded window, where it was admitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_as: Option<WindowId>,
    /// The window as it was sent.
    pub window: WindowSent,
}

/// The most windows of one [`WindowsHeld`]: about 40 bytes each, of 256 KiB.
pub const WINDOWS_HELD_AN_EVENT: usize = 4_000;

/// Windows were put into quarantine, and are there. Workers go by it: what they record of these ids
/// they have to let go there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowsHeld {
    /// The batch they came in.
    pub batch: String,
    /// The ids.
    pub windows: Vec<WindowId>,
}

impl Event for WindowsHeld {
    const SERVICE: Service = Service::Timetrack;
    const NOUN: &'static str = "quarantine";
    const VERB: &'static str = "changed";
    /// Nobody: a worker looks for it before it records.
    const AWAITED: &'static [Service] = &[];

    fn aggregate(&self) -> String {
        self.batch.clone()
    }
}

/// Asks for the windows in quarantine, the oldest first, page by page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListQuarantine {
    /// After this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<QuarantineCursor>,
    /// Those that somebody has decided about, in place of those that are still to be decided.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub decided: bool,
    /// Of this employee only. Employees ask for their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<EmployeeId>,
}

/// Asks how many windows wait for a decision, counted up to [`QUARANTINE_COUNTED`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountQuarantine {}

/// Where counting ends: more are as many as nobody looks through.
pub const QUARANTINE_COUNTED: u64 = 1_000;

/// A place in the list of quarantined windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuarantineCursor {
    /// Since when the last one is held.
    pub since: Millis,
    /// Who sent it.
    pub employee_id: EmployeeId,
    /// Its id.
    pub id: WindowId,
    /// Which of those with this id; before all of them without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentHash>,
}

/// Tries a quarantined window again, by the rules as they are now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayQuarantined {
    /// Which.
    pub id: WindowId,
    /// Which of those with this id, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentHash>,
    /// Whether the asker knows [`WindowState::SetAside`]; else that is [`WindowState::Queued`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub set_aside: bool,
}

/// Records a quarantined window although a rule says no, where that is a person's to decide. One
/// whose id has other content is recorded under an id of its own. Who and when is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdmitQuarantined {
    /// Which.
    pub id: WindowId,
    /// Which of those with this id, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentHash>,
}

/// Decides that a quarantined window is not recorded. It is kept, with who and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscardQuarantined {
    /// Which.
    pub id: WindowId,
    /// Which of those with this id, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentHash>,
}

requests! {
    Timetrack: ListQuarantine => Page<QuarantinedWindow, QuarantineCursor>, "quarantine.list", idempotent;
    Timetrack: CountQuarantine => u64, "quarantine.count", idempotent;
    Timetrack: ReplayQuarantined => WindowState, "quarantine.replay", idempotent;
    Timetrack: AdmitQuarantined => Window, "quarantine.admit", idempotent;
    Timetrack: DiscardQuarantined => (), "quarantine.discard", idempotent;
}
