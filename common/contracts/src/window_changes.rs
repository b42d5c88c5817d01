//! An admin's changes of recorded windows: many at once, or one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    EmployeeId, Label, Millis, MomentSent, Note, ProjectId, Rate, RateSent, TaskId, TimeRange, TruthSent, Window,
    WindowId, lenient::present_truth, message::requests, nullable, present,
};

/// Changes of many recorded windows.
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
    /// Whether they have been paid.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub paid: Option<bool>,
    /// Whether they earn income.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub billable: Option<bool>,
    /// Whether the overtime rates apply.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub overtime: Option<bool>,
    /// The note; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Note>)]
    pub note: Option<Option<Note>>,
    /// The bill rate of an hour; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub bill_rate: Option<Option<Rate>>,
    /// The bill rate of an overtime hour; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub overtime_bill_rate: Option<Option<Rate>>,
    /// The pay rate of an hour; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub pay_rate: Option<Option<Rate>>,
    /// The pay rate of an overtime hour; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub overtime_pay_rate: Option<Option<Rate>>,
}

/// Changes the recorded windows that pass every filter. One of the four lists must not be empty.
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
    /// Only windows that begin in this range. A window is never changed in part, and of adjoining ranges each
    /// window belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begin: Option<TimeRange>,
    /// What to change.
    pub changes: WindowChanges,
}

impl UpdateWindows {
    /// Whether one of the four lists is not empty. A range alone is not enough, because it would change too much
    /// too easily.
    pub fn names_something(&self) -> bool {
        let Self { employees, projects, tasks, shifts, .. } = self;
        !(employees.is_empty() && projects.is_empty() && tasks.is_empty() && shifts.is_empty())
    }
}

/// The result of an update of windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowsUpdated {
    /// The number of changed windows.
    pub modified: u64,
}

/// Changes of one recorded window.
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
    /// The project really worked on; its task must be named too.
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
    /// Whether it has been paid.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub paid: Option<bool>,
    /// Whether it earns income.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub billable: Option<bool>,
    /// Whether the overtime rates apply.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub overtime: Option<bool>,
    /// The note; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Note>)]
    pub note: Option<Option<Note>>,
    /// The bill rate of an hour; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub bill_rate: Option<Option<Rate>>,
    /// The bill rate of an overtime hour; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub overtime_bill_rate: Option<Option<Rate>>,
    /// The pay rate of an hour; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub pay_rate: Option<Option<Rate>>,
    /// The pay rate of an overtime hour; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub overtime_pay_rate: Option<Option<Rate>>,
}

/// Corrects one recorded window. The former state, and who changed it when, are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectWindow {
    /// The id of the window.
    pub id: WindowId,
    /// What to change.
    pub changes: WindowCorrection,
    /// The reason, which the audit trail keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Note>,
}

/// Voids one recorded window: it no longer counts. The former state, and who changed it when, are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoidWindow {
    /// The id of the window.
    pub id: WindowId,
    /// The reason, which the audit trail keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Note>,
}

requests! {
    Timetrack: UpdateWindows => WindowsUpdated, "windows.update";
    Timetrack: CorrectWindow => Window, "windows.correct";
    Timetrack: VoidWindow => (), "windows.void", idempotent;
}
