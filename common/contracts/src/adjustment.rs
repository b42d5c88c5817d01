//! Adjustments: hours of settled time that were admitted later and are paid in a period that is
//! still open.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    Cents, EmployeeId, Event, MailId, Millis, Money, Page, ProjectId, Service, TaskId, TimeMark, TimeRange, WindowFact,
    WindowId, Zone, message::requests,
};

/// A window that arrived after some of its time was settled, and that somebody has admitted. The
/// time and money that its settled part adds are fixed at the admission. They count at a later
/// moment that was not settled at the admission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Adjustment {
    /// The id of the window.
    pub id: WindowId,
    /// The employee who the time belongs to.
    pub employee_id: EmployeeId,
    /// The project that was worked on.
    pub project_id: ProjectId,
    /// The task that was worked on.
    pub task_id: TaskId,
    /// When the work began.
    pub start: Millis,
    /// When the work ended.
    pub end: Millis,
    /// The moment at which the adjustment counts: the first moment, from the admission on, that was
    /// not settled at the admission.
    pub counts_at: Millis,
    /// The time and money that the adjustment adds.
    #[serde(flatten)]
    pub sum: AdjustedSum,
    /// The hash of this adjustment. It is added to the hash of the period in which the adjustment
    /// counts.
    pub hash: TimeMark,
}

/// The time and money of adjustments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdjustedSum {
    /// The time, in milliseconds.
    #[schema(example = 3_600_000)]
    pub time: i64,
    /// The cost. Each adjustment is rounded to cents before it is added.
    pub costs: Cents,
    /// The income. Each adjustment is rounded to cents before it is added.
    pub income: Cents,
}

impl AdjustedSum {
    /// The time and money of a window in these ranges, at the window's rates.
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

/// Published when somebody has admitted a window with settled time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdjustmentMade {
    /// The adjustment.
    pub adjustment: Adjustment,
    /// The time zone of the organisation, for the dates in the mail to the employee.
    pub timezone: Zone,
}

impl AdjustmentMade {
    /// The id of the mail that informs the employee. It is computed from the window's id, so that
    /// the mail is sent once even if the event is delivered twice.
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

/// Requests the adjustments that count in a range, ordered by the moment at which they count and by
/// window id, page by page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListAdjustments {
    /// The range of moments at which the adjustments count.
    pub range: TimeRange,
    /// Only adjustments of these employees; an empty list means all employees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// The position at which the previous page ended; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<AdjustmentCursor>,
}

/// A position in the list of adjustments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdjustmentCursor {
    /// The moment at which the last adjustment of the page counts.
    pub counts_at: Millis,
    /// The id of that adjustment's window.
    pub id: WindowId,
}

requests! {
    Timetrack: ListAdjustments => Page<Adjustment, AdjustmentCursor>, "adjustments.list", idempotent;
}
