//! Pay runs. A pay run pays approved pay periods together, and each period only once.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Cents, EmployeeId, Millis, Page, PayRunId, PeriodId, TimeMark, message::requests};

/// A pay run. Its sums never change after it was created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PayRun {
    /// The id of the pay run.
    pub id: PayRunId,
    /// The start of the range of the pay run. The run pays periods that are completely in the
    /// range.
    pub start: Millis,
    /// The end of the range of the pay run, which is not included.
    pub end: Millis,
    /// When the pay run was created.
    pub created_at: Millis,
    /// Who created the pay run: an [`crate::Actor`] as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// The number of periods that the run pays.
    pub period_count: u64,
    /// The time of all periods of the run, in milliseconds.
    pub time: i64,
    /// The cost of all periods of the run: the sum of their rounded costs.
    pub costs: Cents,
    /// The income of all periods of the run: the sum of their rounded incomes.
    pub income: Cents,
    /// The time of the adjustments in the periods of the run, in milliseconds. It is not part of
    /// `time`.
    pub adjustment_time: i64,
    /// The cost of these adjustments. It is not part of `costs`.
    pub adjustment_costs: Cents,
    /// The income of these adjustments. It is not part of `income`.
    pub adjustment_income: Cents,
}

/// A period that a pay run has paid, with the sums that were approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaidPeriod {
    /// The id of the pay period.
    pub id: PeriodId,
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The start of the period, which is included.
    pub start: Millis,
    /// The end of the period, which is not included.
    pub end: Millis,
    /// The time of the period, in milliseconds.
    #[schema(example = 576_000_000)]
    pub time: i64,
    /// The cost of the period, rounded to cents.
    pub costs: Cents,
    /// The income of the period, rounded to cents.
    pub income: Cents,
    /// The time of the adjustments in the period, in milliseconds. It is not part of `time`.
    pub adjustment_time: i64,
    /// The cost of these adjustments. It is not part of `costs`.
    pub adjustment_costs: Cents,
    /// The income of these adjustments. It is not part of `income`.
    pub adjustment_income: Cents,
    /// The hash of the time and the adjustments that were approved.
    pub hash: TimeMark,
}

/// Pays all approved periods that are completely in a range and that no run has paid yet. If there
/// are none, the reply is the last run of the same range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatePayRun {
    /// The start of the range, which is included.
    pub start: Millis,
    /// The end of the range, which is not included.
    pub end: Millis,
}

/// A pay run, and whether this request has created it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MadePayRun {
    /// The pay run.
    pub run: PayRun,
    /// Whether this request has created the run.
    pub is_new: bool,
}

/// Requests one pay run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetPayRun {
    /// The id of the pay run.
    pub id: PayRunId,
}

/// Requests all pay runs, the oldest first, page by page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPayRuns {
    /// The id of the last pay run of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<PayRunId>,
}

/// Requests the periods that a pay run has paid, page by page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPaidPeriods {
    /// The id of the pay run.
    pub run: PayRunId,
    /// The id of the last period of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<PeriodId>,
}

requests! {
    Timetrack: CreatePayRun => MadePayRun, "pay_runs.create", idempotent;
    Timetrack: GetPayRun => PayRun, "pay_runs.get", idempotent;
    Timetrack: ListPayRuns => Page<PayRun, PayRunId>, "pay_runs.list", idempotent;
    Timetrack: ListPaidPeriods => Page<PaidPeriod, PeriodId>, "pay_runs.periods", idempotent;
}
