//! Giving recorded windows the rates that hold for their days now.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Cents, EmployeeId, Label, Millis, ProjectId, RepriceId, TaskId, TimeRange, UpdateWindows, message::requests,
};

/// The most windows that are looked at for one preview: so it takes seconds at most.
pub const REPRICE_MOST: usize = 100_000;

/// Which recorded windows: those that every list takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RepriceFilter {
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
    /// Only those that begin in this range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begin: Option<TimeRange>,
}

impl RepriceFilter {
    /// Whether it names anything.
    pub fn names_something(&self) -> bool {
        *self != Self::default()
    }

    /// The same windows, as an update that changes nothing names them.
    pub fn windows(&self) -> UpdateWindows {
        let Self { employees, projects, tasks, shifts, begin } = self.clone();
        UpdateWindows { employees, projects, tasks, shifts, begin, ..UpdateWindows::default() }
    }
}

/// Asks what would become of these windows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewReprice {
    /// Which.
    pub filter: RepriceFilter,
}

/// What would become of some windows. Money counts each second of an employee once, as in analytics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RepricePreview {
    /// How many get another price.
    pub count: u64,
    /// How many would, and are settled: they stay as they are.
    pub settled: u64,
    /// What those that get another price cost then.
    pub costs: Cents,
    /// What they earn then.
    pub income: Cents,
    /// How much more that is than now; less where it is negative.
    pub difference: RepriceDifference,
    /// What all this was seen by: it fits only as long as nothing of it has changed.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015")]
    pub hash: String,
}

/// How much more some windows cost and earn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RepriceDifference {
    /// Cost.
    pub costs: Cents,
    /// Earn.
    pub income: Cents,
}

/// Gives these windows their rates anew, as somebody has seen it in a preview. Asked twice it is done
/// once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartReprice {
    /// Which.
    pub filter: RepriceFilter,
    /// The hash of the preview.
    pub hash: String,
}

/// Asks how far such a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetReprice {
    /// Which.
    pub id: RepriceId,
}

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RepriceState {
    /// It is under way; where its process has died, another one goes on with it.
    Running,
    /// All windows are done.
    Done,
}

/// A job that gives recorded windows their rates anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RepriceJob {
    /// The job's id.
    pub id: RepriceId,
    /// How it stands.
    pub state: RepriceState,
    /// How many windows are to get another price.
    pub count: u64,
    /// How many have it.
    pub changed: u64,
    /// How many of those that were looked at were settled.
    pub settled: u64,
    /// How many were looked at.
    pub seen: u64,
    /// How many there are to look at.
    pub total: u64,
    /// When it was asked for.
    pub started_at: Millis,
    /// When it ended.
    pub finished_at: Option<Millis>,
}

requests! {
    Timetrack: PreviewReprice => RepricePreview, "reprices.preview", idempotent;
    Timetrack: StartReprice => RepriceJob, "reprices.start", idempotent;
    Timetrack: GetReprice => RepriceJob, "reprices.get", idempotent;
}
