//! Pay runs: approved periods that are paid together, once.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Cents, EmployeeId, Millis, Page, PayRunId, PeriodId, TimeMark, message::requests};

/// Approved periods that are paid together. Its sums never change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PayRun {
    /// Its id.
    pub id: PayRunId,
    /// The periods that lie between this moment
    pub start: Millis,
    /// and this one.
    pub end: Millis,
    /// When it was made.
    pub created_at: Millis,
    /// By whom: an [`crate::Actor`], as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// How many periods it pays.
    pub period_count: u64,
    /// Their milliseconds together.
    pub time: i64,
    /// What they cost together: the sum of what each of them says.
    pub costs: Cents,
    /// What they earned together.
    pub income: Cents,
    /// Milliseconds of adjustments that count in them, beside their own.
    pub adjustment_time: i64,
    /// What these cost.
    pub adjustment_costs: Cents,
    /// What they earned.
    pub adjustment_income: Cents,
}

/// A period that a pay run pays, as it was approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaidPeriod {
    /// Which.
    pub id: PeriodId,
    /// Whose.
    pub employee_id: EmployeeId,
    /// Its first moment.
    pub start: Millis,
    /// The first moment after.
    pub end: Millis,
    /// Milliseconds.
    #[schema(example = 576_000_000)]
    pub time: i64,
    /// What it cost, rounded to cents.
    pub costs: Cents,
    /// What it earned, rounded to cents.
    pub income: Cents,
    /// Milliseconds of adjustments that count in it, beside its own.
    pub adjustment_time: i64,
    /// What these cost.
    pub adjustment_costs: Cents,
    /// What they earned.
    pub adjustment_income: Cents,
    /// Which seconds count, on what, and at which rates.
    pub hash: TimeMark,
}

/// Pays all approved periods that lie between two moments and that no run has paid; where there are none,
/// gives the last run that was made of these moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatePayRun {
    /// The first moment.
    pub start: Millis,
    /// The first moment after.
    pub end: Millis,
}

/// A pay run, and whether it was made just now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MadePayRun {
    /// The run.
    pub run: PayRun,
    /// Whether it was made just now.
    pub is_new: bool,
}

/// Asks for one pay run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetPayRun {
    /// Which.
    pub id: PayRunId,
}

/// Asks for all pay runs, the oldest first, page by page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPayRuns {
    /// After this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<PayRunId>,
}

/// Asks for the periods that a run pays, page by page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPaidPeriods {
    /// Which run.
    pub run: PayRunId,
    /// After this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<PeriodId>,
}

requests! {
    Timetrack: CreatePayRun => MadePayRun, "pay_runs.create", idempotent;
    Timetrack: GetPayRun => PayRun, "pay_runs.get", idempotent;
    Timetrack: ListPayRuns => Page<PayRun, PayRunId>, "pay_runs.list", idempotent;
    Timetrack: ListPaidPeriods => Page<PaidPeriod, PeriodId>, "pay_runs.periods", idempotent;
}
