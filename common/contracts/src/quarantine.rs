//! Quarantined windows: accepted, but not recorded. Nothing that was accepted is thrown away.

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
    /// The employee who sent it.
    pub employee_id: EmployeeId,
    /// The reason, as a code for programs.
    #[schema(value_type = String, example = "not_on_task")]
    pub code: Code,
    /// The reason, as a sentence for people.
    pub detail: String,
    /// Whether it is tried again by itself, because it may be early or its time will come.
    pub waiting: bool,
    /// When it is tried again, if its time will come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Millis>,
    /// When it reached the gateway.
    pub received_at: Millis,
    /// When it was quarantined.
    pub since: Millis,
    /// The hash that tells apart windows with the same id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Uuid)]
    pub content: Option<ContentHash>,
    /// Who has decided about it, if somebody has: an [`crate::Actor`] as text. The API shows the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub decided_by: Option<String>,
    /// When it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Millis>,
    /// The id of the recorded window, if it was admitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_as: Option<WindowId>,
    /// The window as it was sent.
    pub window: WindowSent,
}

/// The most windows of one [`QuarantineChanged`]: each takes about 40 bytes, and an event may have 256 KiB.
pub const QUARANTINED_AN_EVENT: usize = 4_000;

/// Windows were quarantined. Workers that later record a window with such an id must remove it from quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineChanged {
    /// The batch they came in.
    pub batch: String,
    /// The ids of the windows.
    pub windows: Vec<WindowId>,
}

impl Event for QuarantineChanged {
    const SERVICE: Service = Service::Timetrack;
    const NOUN: &'static str = "quarantine";
    const VERB: &'static str = "changed";
    /// No service: a worker checks for it before it records.
    const AWAITED: &'static [Service] = &[];

    fn aggregate(&self) -> String {
        self.batch.clone()
    }
}

/// Asks for quarantined windows, the oldest first, page by page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListQuarantine {
    /// Where the previous page ended; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<QuarantineCursor>,
    /// Whether to list those that are decided; otherwise those that wait.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub decided: bool,
    /// Only those of this employee. An employee may only list their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<EmployeeId>,
}

/// Asks how many windows wait for a decision, at most [`QUARANTINE_COUNTED`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountQuarantine {}

/// Where counting stops.
pub const QUARANTINE_COUNTED: u64 = 1_000;

/// A position in the list of quarantined windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuarantineCursor {
    /// When the last one was quarantined.
    pub since: Millis,
    /// The employee who sent it.
    pub employee_id: EmployeeId,
    /// The id of the window.
    pub id: WindowId,
    /// The hash of the last one; without it, the position before all with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentHash>,
}

/// Tries a quarantined window again, by the present rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayQuarantined {
    /// The id of the window.
    pub id: WindowId,
    /// The hash of the window, if several have this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentHash>,
    /// Whether the caller knows [`WindowState::SetAside`]; else [`WindowState::Queued`] is sent instead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub set_aside: bool,
}

/// Records a quarantined window although a rule forbids it, if a person may decide that. If the id belongs to
/// other content, the window gets an id of its own. Who decided and when is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdmitQuarantined {
    /// The id of the window.
    pub id: WindowId,
    /// The hash of the window, if several have this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentHash>,
}

/// Decides not to record a quarantined window. It is kept, with who decided and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscardQuarantined {
    /// The id of the window.
    pub id: WindowId,
    /// The hash of the window, if several have this id.
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
