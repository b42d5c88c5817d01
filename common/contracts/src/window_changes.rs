//! Changes that admins make to recorded windows: to many at once, or to one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    EmployeeId, Label, Millis, MomentSent, Note, ProjectId, Rate, RateSent, TaskId, TimeRange, TruthSent, Window,
    WindowId, lenient::present_truth, message::requests, nullable, present,
};

/// The changes of many recorded windows. Fields that are left out stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WindowChanges {
    /// The task's status.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Label, required = false)]
    pub task_status: Option<Label>,
    /// The task's priority.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Label, required = false)]
    pub task_priority: Option<Label>,
    /// Whether the windows have been paid.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub paid: Option<bool>,
    /// Whether the windows earn income.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub billable: Option<bool>,
    /// Whether the overtime rates apply to the windows.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub overtime: Option<bool>,
    /// The note; `null` removes it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Note>)]
    pub note: Option<Option<Note>>,
    /// The bill rate of an hour; `null` removes it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub bill_rate: Option<Option<Rate>>,
    /// The bill rate of an overtime hour; `null` removes it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub overtime_bill_rate: Option<Option<Rate>>,
    /// The pay rate of an hour; `null` removes it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub pay_rate: Option<Option<Rate>>,
    /// The pay rate of an overtime hour; `null` removes it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub overtime_pay_rate: Option<Option<Rate>>,
}

/// Changes all recorded windows that match every filter. At least one of the four lists must have
/// an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateWindows {
    /// Only windows of these employees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// Only windows on these projects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<ProjectId>,
    /// Only windows on these tasks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskId>,
    /// Only windows in these shifts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shifts: Vec<Label>,
    /// Only windows that begin in this range. A window that is only partly in the range is changed
    /// as a whole or not at all. A window belongs to only one of two adjoining ranges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begin: Option<TimeRange>,
    /// What to change.
    pub changes: WindowChanges,
}

impl UpdateWindows {
    /// Whether at least one of the four lists has an entry. A range alone is not enough, because it
    /// could match the windows of the whole organisation by mistake.
    pub fn names_something(&self) -> bool {
        let Self { employees, projects, tasks, shifts, .. } = self;
        !(employees.is_empty() && projects.is_empty() && tasks.is_empty() && shifts.is_empty())
    }
}

/// The result of [`UpdateWindows`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowsUpdated {
    /// The number of changed windows.
    pub modified: u64,
}

/// The changes of one recorded window. Fields that are left out stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WindowCorrection {
    /// When the work really began.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = MomentSent, required = false)]
    pub start: Option<Millis>,
    /// When the work really ended.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = MomentSent, required = false)]
    pub end: Option<Millis>,
    /// The project really worked on. `taskId` is then required too.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ProjectId, required = false)]
    pub project_id: Option<ProjectId>,
    /// The task really worked on.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TaskId, required = false)]
    pub task_id: Option<TaskId>,
    /// The task's status.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Label, required = false)]
    pub task_status: Option<Label>,
    /// The task's priority.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Label, required = false)]
    pub task_priority: Option<Label>,
    /// Whether the window has been paid.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub paid: Option<bool>,
    /// Whether the window earns income.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub billable: Option<bool>,
    /// Whether the overtime rates apply to the window.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub overtime: Option<bool>,
    /// The note; `null` removes it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Note>)]
    pub note: Option<Option<Note>>,
    /// The bill rate of an hour; `null` removes it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub bill_rate: Option<Option<Rate>>,
    /// The bill rate of an overtime hour; `null` removes it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub overtime_bill_rate: Option<Option<Rate>>,
    /// The pay rate of an hour; `null` removes it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub pay_rate: Option<Option<Rate>>,
    /// The pay rate of an overtime hour; `null` removes it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub overtime_pay_rate: Option<Option<Rate>>,
}

/// Corrects one recorded window. The former state is stored, with who changed it and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectWindow {
    /// The id of the window.
    pub id: WindowId,
    /// What to change.
    pub changes: WindowCorrection,
    /// The reason, which is stored in the audit trail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Note>,
}

/// Voids one recorded window, which then no longer counts. The former state is stored, with who
/// changed it and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoidWindow {
    /// The id of the window.
    pub id: WindowId,
    /// The reason, which is stored in the audit trail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Note>,
}

requests! {
    Timetrack: UpdateWindows => WindowsUpdated, "windows.update";
    Timetrack: CorrectWindow => Window, "windows.correct";
    Timetrack: VoidWindow => (), "windows.void", idempotent;
}
