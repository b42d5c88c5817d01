//! Repricing: a job that gives recorded windows the rates that are valid now for their days.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Cents, EmployeeId, Label, Millis, ProjectId, RepriceId, TaskId, TimeRange, UpdateWindows, message::requests,
};

/// The maximum number of windows that match a filter. With more, the request is refused, so that a
/// preview takes a few seconds at most.
pub const REPRICE_MOST: usize = 100_000;

/// The windows to reprice: those that match all filters. An empty list matches every window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RepriceFilter {
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
    /// Only windows that begin in this range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begin: Option<TimeRange>,
}

impl RepriceFilter {
    /// Whether any filter is set.
    pub fn names_something(&self) -> bool {
        *self != Self::default()
    }

    /// The same filters as an [`UpdateWindows`] without changes.
    pub fn windows(&self) -> UpdateWindows {
        let Self { employees, projects, tasks, shifts, begin } = self.clone();
        UpdateWindows { employees, projects, tasks, shifts, begin, ..UpdateWindows::default() }
    }
}

/// Requests a preview of what repricing these windows would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewReprice {
    /// The windows to reprice.
    pub filter: RepriceFilter,
}

/// What repricing would change. As in reports, time that several windows of an employee have in
/// common costs and earns only once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RepricePreview {
    /// The number of windows whose rates would change.
    pub count: u64,
    /// The number of windows whose rates would change, but which are settled. Repricing does not
    /// change them.
    pub settled: u64,
    /// The cost of the windows in `count` after repricing.
    pub costs: Cents,
    /// The income of the windows in `count` after repricing.
    pub income: Cents,
    /// The cost and income after repricing minus the present ones.
    pub difference: RepriceDifference,
    /// The hash of the filter, and of the windows in `count` with their revisions and new rates. If
    /// any of these change, the hash changes.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015")]
    pub hash: String,
}

/// The change of cost and income. A negative value means that it becomes less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RepriceDifference {
    /// The change of the cost.
    pub costs: Cents,
    /// The change of the income.
    pub income: Cents,
}

/// Starts a job that makes the changes that a preview showed. If the request is sent again, no
/// second job is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartReprice {
    /// The windows to reprice.
    pub filter: RepriceFilter,
    /// The hash of the preview. The job is started only if a new preview would have the same hash.
    pub hash: String,
}

/// Requests the progress of a repricing job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetReprice {
    /// The id of the repricing job.
    pub id: RepriceId,
}

/// The state of a repricing job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RepriceState {
    /// The job is running. If its process dies, another process continues the job.
    Running,
    /// The job is done.
    Done,
}

/// A repricing job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RepriceJob {
    /// The job's id.
    pub id: RepriceId,
    /// The state of the job.
    pub state: RepriceState,
    /// The number of windows whose rates were to change when the job was started.
    pub count: u64,
    /// The number of windows whose rates the job has changed so far.
    pub changed: u64,
    /// The number of windows whose rates the job would have changed so far, but which are settled.
    pub settled: u64,
    /// The number of windows that the job has read so far.
    pub seen: u64,
    /// The number of windows that the job has to read.
    pub total: u64,
    /// When the job was started.
    pub started_at: Millis,
    /// When the job ended, if it has ended.
    pub finished_at: Option<Millis>,
}

requests! {
    Timetrack: PreviewReprice => RepricePreview, "reprices.preview", idempotent;
    Timetrack: StartReprice => RepriceJob, "reprices.start", idempotent;
    Timetrack: GetReprice => RepriceJob, "reprices.get", idempotent;
}
