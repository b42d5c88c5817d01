//! Quarantined windows: windows that were accepted, but not recorded. No accepted window is ever
//! deleted without being recorded or quarantined.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Code, ContentHash, EmployeeId, Event, Millis, Page, Service, Window, WindowId, WindowSent, WindowState,
    message::requests,
};

/// A window in quarantine: it must not be recorded, or not yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuarantinedWindow {
    /// The window's id.
    pub id: WindowId,
    /// The employee who sent the window.
    pub employee_id: EmployeeId,
    /// The reason, as a code for programs.
    #[schema(value_type = String, example = "not_on_task")]
    pub code: Code,
    /// The reason, as a sentence for people.
    pub detail: String,
    /// Whether the window is tried again without a decision: it may have been sent before the
    /// events about its employee, project or task arrived, or it is tried again at `due`.
    pub waiting: bool,
    /// When the window is tried again, if it ends in the future by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Millis>,
    /// When the window reached the gateway.
    pub received_at: Millis,
    /// When the window was quarantined.
    pub since: Millis,
    /// The hash of the window's content, by which windows with the same id are told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Uuid)]
    pub content: Option<ContentHash>,
    /// Who has decided about the window: an [`crate::Actor`] as text; none while nobody has
    /// decided. The API shows the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub decided_by: Option<String>,
    /// When somebody decided about the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Millis>,
    /// The id of the recorded window, if the quarantined one was admitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_as: Option<WindowId>,
    /// The window as it was sent.
    pub window: WindowSent,
}

/// The maximum number of windows in one [`QuarantineChanged`]. Each window takes about 40 bytes,
/// and an event may have 256 KiB.
pub const QUARANTINED_AN_EVENT: usize = 4_000;

/// Published when windows were quarantined. A worker that later records a window with one of these
/// ids must then remove that window from quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineChanged {
    /// The id of the batch in which the windows were quarantined.
    pub batch: String,
    /// The ids of the windows.
    pub windows: Vec<WindowId>,
}

impl Event for QuarantineChanged {
    const SERVICE: Service = Service::Timetrack;
    const NOUN: &'static str = "quarantine";
    const VERB: &'static str = "changed";
    /// No service is awaited: a worker checks, before it records windows, that it has applied these
    /// events.
    const AWAITED: &'static [Service] = &[];

    fn aggregate(&self) -> String {
        self.batch.clone()
    }
}

/// Requests quarantined windows, the oldest first, page by page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListQuarantine {
    /// The position at which the previous page ended; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<QuarantineCursor>,
    /// Whether to list the windows that somebody has decided about, instead of the others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub decided: bool,
    /// Only windows of this employee. An employee may only list their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<EmployeeId>,
}

/// Requests how many quarantined windows wait for a decision. The reply is at most
/// [`QUARANTINE_COUNTED`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountQuarantine {}

/// The largest reply of [`CountQuarantine`]: counting stops at this number.
pub const QUARANTINE_COUNTED: u64 = 1_000;

/// A position in the list of quarantined windows: the last window of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuarantineCursor {
    /// When that window was quarantined.
    pub since: Millis,
    /// The employee who sent that window.
    pub employee_id: EmployeeId,
    /// The id of that window.
    pub id: WindowId,
    /// The hash of that window's content. Without it, the position is before all windows with this
    /// id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentHash>,
}

/// Tries to record a quarantined window again, by the present rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayQuarantined {
    /// The id of the window.
    pub id: WindowId,
    /// The hash of the window's content. It is required if several quarantined windows have this
    /// id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentHash>,
    /// Whether the caller knows [`WindowState::SetAside`]. If not, the reply is
    /// [`WindowState::Queued`] instead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub set_aside: bool,
}

/// Records a quarantined window although a rule forbids it, if that rule may be overridden. If the
/// id belongs to a window with other content, the window is recorded under another id. Who decided,
/// and when, is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdmitQuarantined {
    /// The id of the window.
    pub id: WindowId,
    /// The hash of the window's content. It is required if several quarantined windows have this
    /// id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentHash>,
}

/// Decides that a quarantined window is not recorded. The window stays stored, with who decided and
/// when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscardQuarantined {
    /// The id of the window.
    pub id: WindowId,
    /// The hash of the window's content. It is required if several quarantined windows have this
    /// id.
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
