//! Adjustments: hours that came when their time was settled, counted in the time that is open.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    Cents, EmployeeId, Event, MailId, Millis, Money, Page, ProjectId, Service, TaskId, TimeMark, TimeRange, WindowFact,
    WindowId, Zone, message::requests,
};

/// A window that arrived when its time was settled and that somebody has admitted. What of it was not
/// counted yet was fixed then, and counts at a moment that was open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Adjustment {
    /// The window.
    pub id: WindowId,
    /// Whose time it is.
    pub employee_id: EmployeeId,
    /// The project worked on.
    pub project_id: ProjectId,
    /// The task worked on.
    pub task_id: TaskId,
    /// When it was worked: where it belongs.
    pub start: Millis,
    /// The first moment after.
    pub end: Millis,
    /// When it counts.
    pub counts_at: Millis,
    /// What it counts for.
    #[serde(flatten)]
    pub sum: AdjustedSum,
    /// What tells it apart: it is added to the hash of the period that it counts in.
    pub hash: TimeMark,
}

/// What adjustments count for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdjustedSum {
    /// Milliseconds.
    #[schema(example = 3_600_000)]
    pub time: i64,
    /// What they cost: each rounded to cents.
    pub costs: Cents,
    /// What they earned: each rounded to cents.
    pub income: Cents,
}

impl AdjustedSum {
    /// What these stretches of a window count for.
    pub fn of(fact: &WindowFact, stretches: impl IntoIterator<Item = TimeRange>) -> Self {
        let (mut time, mut costs, mut income) = (0, Money::default(), Money::default());
        for part in stretches.into_iter().flat_map(|stretch| fact.parts_within(stretch)) {
            time += part.range.length();
            costs += Money::of(part.cost, part.range.length());
            income += Money::of(part.income, part.range.length());
        }
        Self { time, costs: costs.cents(), income: income.cents() }
    }
}

impl std::ops::AddAssign for AdjustedSum {
    fn add_assign(&mut self, other: Self) {
        self.time += other.time;
        self.costs.0 += other.costs.0;
        self.income.0 += other.income.0;
    }
}

/// Somebody has admitted a window whose time was settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdjustmentMade {
    /// What it counts for, and when.
    pub adjustment: Adjustment,
    /// Where the organisation's days begin.
    pub timezone: Zone,
}

impl AdjustmentMade {
    /// The mail that tells its employee of it: always the same, so that it is sent once.
    pub fn mail_id(&self) -> MailId {
        MailId(Uuid::new_v5(&self.adjustment.id.0, b"adjusted"))
    }
}

impl Event for AdjustmentMade {
    const SERVICE: Service = Service::Timetrack;
    const NOUN: &'static str = "adjustment";
    const VERB: &'static str = "made";
    const AWAITED: &'static [Service] = &[];

    fn aggregate(&self) -> String {
        self.adjustment.id.to_string()
    }
}

/// Asks for the adjustments that count in a range, in the order of moments and windows, page by page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListAdjustments {
    /// When they count.
    pub range: TimeRange,
    /// Of these employees only, if any are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// After this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<AdjustmentCursor>,
}

/// A place in the list of adjustments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdjustmentCursor {
    /// When the last one counts.
    pub counts_at: Millis,
    /// Which it is.
    pub id: WindowId,
}

requests! {
    Timetrack: ListAdjustments => Page<Adjustment, AdjustmentCursor>, "adjustments.list", idempotent;
}
