//! Windows that are held back, with the reason: nothing that was taken is thrown away.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Code, EmployeeId, Millis, Page, WindowId, WindowSent, WindowState, message::requests};

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
    /// Whether it may only be early, and is still tried again.
    pub waiting: bool,
    /// When it reached us.
    pub received_at: Millis,
    /// Since when it is held.
    pub since: Millis,
    /// The window as it was sent.
    pub window: WindowSent,
}

/// Asks for the windows in quarantine, the oldest first, page by page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListQuarantine {
    /// After this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<QuarantineCursor>,
}

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
}

/// Tries a quarantined window again, by the rules as they are now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayQuarantined {
    /// Which.
    pub id: WindowId,
}

requests! {
    Timetrack: ListQuarantine => Page<QuarantinedWindow, QuarantineCursor>, "quarantine.list", idempotent;
    Timetrack: ReplayQuarantined => WindowState, "quarantine.replay", idempotent;
}
