//! What an admin changes about recorded windows: many at once, or one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    EmployeeId, Label, Millis, MomentSent, Note, ProjectId, Rate, RateSent, TaskId, TimeRange, TruthSent, Window,
    WindowId, lenient::present_truth, message::requests, nullable, present,
};

/// What an admin may change about recorded windows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WindowChanges {
    /// The task's status then.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Label, required = false)]
    pub task_status: Option<Label>,
    /// The task's priority then.
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
    /// Whether the overtime rates count.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub overtime: Option<bool>,
    /// What was done; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Note>)]
    pub note: Option<Option<Note>>,
    /// What an hour is billed with; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub bill_rate: Option<Option<Rate>>,
    /// The same for overtime; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub overtime_bill_rate: Option<Option<Rate>>,
    /// What an hour costs; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub pay_rate: Option<Option<Rate>>,
    /// The same for overtime; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub overtime_pay_rate: Option<Option<Rate>>,
}

/// Changes the recorded windows that every filter takes. One of the four lists must name something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateWindows {
    /// Of these employees only, if any are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// On these projects only, if any are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<ProjectId>,
    /// On these tasks only, if any are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskId>,
    /// In these shifts only, if any are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shifts: Vec<Label>,
    /// Only those that begin in this range. A window is never changed in part, and of adjoining
    /// ranges each window belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begin: Option<TimeRange>,
    /// What.
    pub changes: WindowChanges,
}

impl UpdateWindows {
    /// Whether it names whose windows, or on what. A range alone does not: too much is changed by it
    /// too easily.
    pub fn names_something(&self) -> bool {
        let Self { employees, projects, tasks, shifts, .. } = self;
        !(employees.is_empty() && projects.is_empty() && tasks.is_empty() && shifts.is_empty())
    }
}

/// How many windows an update has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowsUpdated {
    /// How many.
    pub modified: u64,
}

/// What an admin may correct about one recorded window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WindowCorrection {
    /// When it really began.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = MomentSent, required = false)]
    pub start: Option<Millis>,
    /// When it really ended.
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
    /// The task's status then.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Label, required = false)]
    pub task_status: Option<Label>,
    /// The task's priority then.
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
    /// Whether the overtime rates count.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub overtime: Option<bool>,
    /// What was done; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Note>)]
    pub note: Option<Option<Note>>,
    /// What an hour is billed with; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub bill_rate: Option<Option<Rate>>,
    /// The same for overtime; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub overtime_bill_rate: Option<Option<Rate>>,
    /// What an hour costs; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub pay_rate: Option<Option<Rate>>,
    /// The same for overtime; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub overtime_pay_rate: Option<Option<Rate>>,
}

/// Corrects one recorded window; the old state, who and when are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectWindow {
    /// Which.
    pub id: WindowId,
    /// What.
    pub changes: WindowCorrection,
    /// Why: the audit trail keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Note>,
}

/// Makes one recorded window count no longer; the old state, who and when are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoidWindow {
    /// Which.
    pub id: WindowId,
    /// Why: the audit trail keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Note>,
}

requests! {
    Timetrack: UpdateWindows => WindowsUpdated, "windows.update";
    Timetrack: CorrectWindow => Window, "windows.correct";
    Timetrack: VoidWindow => (), "windows.void", idempotent;
}
