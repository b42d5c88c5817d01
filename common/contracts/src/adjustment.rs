//! Adjustments: hours that arrived after their period was settled, and count in an open period instead.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    Cents, EmployeeId, Event, MailId, Millis, Money, Page, ProjectId, Service, TaskId, TimeMark, TimeRange, WindowFact,
    WindowId, Zone, message::requests,
};

/// A window that arrived after its period was settled and that somebody has admitted. Its uncounted time was fixed
/// at that moment, and counts at a moment that was open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Adjustment {
    /// The window.
    pub id: WindowId,
    /// The employee whose time it is.
    pub employee_id: EmployeeId,
    /// The project worked on.
    pub project_id: ProjectId,
    /// The task worked on.
    pub task_id: TaskId,
    /// When the work began.
    pub start: Millis,
    /// When the work ended.
    pub end: Millis,
    /// The moment at which it counts.
    pub counts_at: Millis,
    /// The time and money that it counts for.
    #[serde(flatten)]
    pub sum: AdjustedSum,
    /// The hash of this adjustment: it is added to the hash of the period that it counts in.
    pub hash: TimeMark,
}

/// The time and money of adjustments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdjustedSum {
    /// The time, in milliseconds.
    #[schema(example = 3_600_000)]
    pub time: i64,
    /// The cost; each adjustment is rounded to cents.
    pub costs: Cents,
    /// The income; each adjustment is rounded to cents.
    pub income: Cents,
}

impl AdjustedSum {
    /// The time and money of these parts of a window.
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

/// Somebody has admitted a window whose period was settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdjustmentMade {
    /// The adjustment.
    pub adjustment: Adjustment,
    /// The time zone of the organisation.
    pub timezone: Zone,
}

impl AdjustmentMade {
    /// The id of the mail that informs the employee. It is computed from the adjustment, so that the mail is sent
    /// once.
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

/// Asks for the adjustments that count in a range, ordered by moment and window, page by page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListAdjustments {
    /// The range of moments at which they count.
    pub range: TimeRange,
    /// Only these employees; an empty list means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// Where the previous page ended; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<AdjustmentCursor>,
}

/// A position in the list of adjustments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdjustmentCursor {
    /// The moment at which the last one counts.
    pub counts_at: Millis,
    /// The id of the window.
    pub id: WindowId,
}

requests! {
    Timetrack: ListAdjustments => Page<Adjustment, AdjustmentCursor>, "adjustments.list", idempotent;
}
