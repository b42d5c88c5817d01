//! Repricing: giving recorded windows the rates that their days have now.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Cents, EmployeeId, Label, Millis, ProjectId, RepriceId, TaskId, TimeRange, UpdateWindows, message::requests,
};

/// The most windows that a preview reads, so that it takes seconds at most.
pub const REPRICE_MOST: usize = 100_000;

/// The windows to reprice: those that pass every filter that is not empty.
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
    /// Whether it filters at all.
    pub fn names_something(&self) -> bool {
        *self != Self::default()
    }

    /// The same filter, as an update without changes.
    pub fn windows(&self) -> UpdateWindows {
        let Self { employees, projects, tasks, shifts, begin } = self.clone();
        UpdateWindows { employees, projects, tasks, shifts, begin, ..UpdateWindows::default() }
    }
}

/// Asks what repricing these windows would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewReprice {
    /// The windows.
    pub filter: RepriceFilter,
}

/// What repricing would change. As in reports, each second of an employee counts once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RepricePreview {
    /// The number of windows that would get other rates.
    pub count: u64,
    /// The number of windows that would get other rates but are settled. They stay as they are.
    pub settled: u64,
    /// The cost of those windows after repricing.
    pub costs: Cents,
    /// The income of those windows after repricing.
    pub income: Cents,
    /// The difference to the present cost and income; negative if they become less.
    pub difference: RepriceDifference,
    /// The hash of everything that the preview depends on. It changes with any of that.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015")]
    pub hash: String,
}

/// The change of cost and income.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RepriceDifference {
    /// Cost.
    pub costs: Cents,
    /// Earn.
    pub income: Cents,
}

/// Starts to reprice these windows, as a preview showed. A repetition starts nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartReprice {
    /// The windows.
    pub filter: RepriceFilter,
    /// The hash of the preview.
    pub hash: String,
}

/// Asks for the progress of a repricing job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetReprice {
    /// The id of the repricing job.
    pub id: RepriceId,
}

/// The state of a repricing job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RepriceState {
    /// It is running. If its process dies, another one continues it.
    Running,
    /// It is done.
    Done,
}

/// A repricing job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RepriceJob {
    /// The job's id.
    pub id: RepriceId,
    /// The state.
    pub state: RepriceState,
    /// The number of windows that are to get other rates.
    pub count: u64,
    /// The number of windows that have got them.
    pub changed: u64,
    /// The number of windows that were read and are settled.
    pub settled: u64,
    /// The number of windows that were read.
    pub seen: u64,
    /// The number of windows to read.
    pub total: u64,
    /// When it was started.
    pub started_at: Millis,
    /// When it ended, if it has.
    pub finished_at: Option<Millis>,
}

requests! {
    Timetrack: PreviewReprice => RepricePreview, "reprices.preview", idempotent;
    Timetrack: StartReprice => RepriceJob, "reprices.start", idempotent;
    Timetrack: GetReprice => RepriceJob, "reprices.get", idempotent;
}
