//! Pay runs: approved periods that are paid together, once.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Cents, EmployeeId, Millis, Page, PayRunId, PeriodId, TimeMark, message::requests};

/// A pay run. Its sums never change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PayRun {
    /// The id of the pay run.
    pub id: PayRunId,
    /// The run pays periods that lie between this moment
    pub start: Millis,
    /// and this moment.
    pub end: Millis,
    /// When the run was made.
    pub created_at: Millis,
    /// Who made it: an [`crate::Actor`], as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// The number of periods that it pays.
    pub period_count: u64,
    /// The time of all its periods, in milliseconds.
    pub time: i64,
    /// The cost of all its periods: the sum of their costs.
    pub costs: Cents,
    /// The income of all its periods.
    pub income: Cents,
    /// The time of adjustments in its periods, in milliseconds. It is not part of `time`.
    pub adjustment_time: i64,
    /// The cost of these adjustments.
    pub adjustment_costs: Cents,
    /// The income of these adjustments.
    pub adjustment_income: Cents,
}

/// A period of a pay run, as it was approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaidPeriod {
    /// The id of the pay period.
    pub id: PeriodId,
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The start, which is included.
    pub start: Millis,
    /// The end, which is not included.
    pub end: Millis,
    /// The time, in milliseconds.
    #[schema(example = 576_000_000)]
    pub time: i64,
    /// The cost, rounded to cents.
    pub costs: Cents,
    /// The income, rounded to cents.
    pub income: Cents,
    /// The time of adjustments in it, in milliseconds. It is not part of `time`.
    pub adjustment_time: i64,
    /// The cost of these adjustments.
    pub adjustment_costs: Cents,
    /// The income of these adjustments.
    pub adjustment_income: Cents,
    /// The hash of what was counted.
    pub hash: TimeMark,
}

/// Pays all approved periods between two moments that no run has paid yet. If there are none, replies with the
/// last run of these moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatePayRun {
    /// The start, which is included.
    pub start: Millis,
    /// The end, which is not included.
    pub end: Millis,
}

/// A pay run, and whether this request made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MadePayRun {
    /// The run.
    pub run: PayRun,
    /// Whether this request made it.
    pub is_new: bool,
}

/// Asks for one pay run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetPayRun {
    /// The id of the pay run.
    pub id: PayRunId,
}

/// Asks for all pay runs, the oldest first, page by page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPayRuns {
    /// The last one of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<PayRunId>,
}

/// Asks for the periods of a run, page by page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPaidPeriods {
    /// The id of the pay run.
    pub run: PayRunId,
    /// The last one of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<PeriodId>,
}

requests! {
    Timetrack: CreatePayRun => MadePayRun, "pay_runs.create", idempotent;
    Timetrack: GetPayRun => PayRun, "pay_runs.get", idempotent;
    Timetrack: ListPayRuns => Page<PayRun, PayRunId>, "pay_runs.list", idempotent;
    Timetrack: ListPaidPeriods => Page<PaidPeriod, PeriodId>, "pay_runs.periods", idempotent;
}
