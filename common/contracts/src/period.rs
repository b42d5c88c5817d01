//! Pay periods of employees and their states: open, submitted or approved.

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};
use uuid::Uuid;

use crate::{
    AdjustedSum, Adjustment, AdjustmentCursor, Cents, CountedSum, EmployeeId, Event, MailId, Millis, Note, Page,
    PayRunId, Service, Settings, TimeMark, TimeRange, Zone, message::requests,
};

/// The maximum number of pay periods in one request: more than the weeks of a year.
pub const PERIODS_MOST: usize = 60;

/// The id of an employee's pay period: the employee and a local day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeriodId {
    /// The id of the employee.
    pub employee: EmployeeId,
    /// The local day on which the period begins, or another day that the period is named after
    /// ([`crate::PaySpan::first`]).
    pub first: Date,
}

impl fmt::Display for PeriodId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.employee, self.first)
    }
}

impl PartialSchema for PeriodId {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A pay period of an employee: the employee's id, and the local day on which it begins."))
            .pattern(Some("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}_[0-9]{4}-[0-9]{2}-[0-9]{2}$"))
            .examples([serde_json::json!("0198c6f2-7f00-7a31-9c5e-3b1d2a4f6072_2026-03-01")])
            .into()
    }
}

impl ToSchema for PeriodId {
    fn name() -> Cow<'static, str> {
        "PeriodId".into()
    }
}

/// The error for a text that is not the id of a pay period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the id of a pay period, as the list of periods shows it")]
pub struct UnknownPeriod;

impl FromStr for PeriodId {
    type Err = UnknownPeriod;

    fn from_str(text: &str) -> Result<Self, UnknownPeriod> {
        let (employee, first) = text.split_once('_').ok_or(UnknownPeriod)?;
        let id = Self {
            employee: employee.parse().map_err(|_| UnknownPeriod)?,
            first: first.parse().map_err(|_| UnknownPeriod)?,
        };
        // Without this check, several texts would be the id of the same period.
        if id.to_string() == text { Ok(id) } else { Err(UnknownPeriod) }
    }
}

impl Serialize for PeriodId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PeriodId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The state of a pay period. A paid period is still `approved`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PeriodStatus {
    /// The period is not submitted, or was sent back or reopened.
    #[default]
    Open,
    /// The employee has submitted the period as complete.
    Submitted,
    /// The period is approved and settled: nothing in it changes unless it is reopened.
    Approved,
}

/// The time and money of a pay period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodSum {
    /// The time, in milliseconds.
    pub time: i64,
    /// The cost, rounded to cents.
    pub costs: Cents,
    /// The income, rounded to cents.
    pub income: Cents,
    /// The hash of the time that was counted and of the adjustments. In a reply of analytics, it is
    /// the hash of the time only.
    pub hash: TimeMark,
}

impl From<CountedSum> for PeriodSum {
    fn from(sum: CountedSum) -> Self {
        Self { time: sum.time, costs: sum.costs.cents(), income: sum.income.cents(), hash: sum.mark }
    }
}

/// A pay period and its state. Lists contain only periods that were submitted, approved, sent back
/// or reopened at least once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownPeriod {
    /// The id of the pay period.
    pub id: PeriodId,
    /// The start of the period, which is included.
    pub start: Millis,
    /// The end of the period, which is not included.
    pub end: Millis,
    /// The state of the period.
    pub status: PeriodStatus,
    /// The time and money of the period: the approved values if it is approved, or else the present
    /// ones. Lists contain this field only for approved periods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<PeriodSum>,
    /// The time and money of the adjustments in the period: of windows that arrived after their own
    /// period was settled. They are not part of `sum`, apart from its hash. Lists contain this
    /// field only for approved periods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusted: Option<AdjustedSum>,
    /// When the period was last submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Millis>,
    /// The hash of the period when it was last submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_hash: Option<TimeMark>,
    /// When the period was approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<Millis>,
    /// Who approved the period: an [`crate::Actor`] as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// Why the period was sent back or reopened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// The pay run that has paid the period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_run: Option<PayRunId>,
}

/// Requests the stored pay periods that touch a range, page by page: those that were submitted,
/// approved, sent back or reopened at least once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPeriods {
    /// The range of time.
    pub range: TimeRange,
    /// Only periods of these employees; an empty list means all employees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// The id of the last period of the previous page; left out for the first page. Periods are
    /// ordered by employee and first day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<PeriodId>,
}

/// Requests the settings, and the first page of the pay periods and of the adjustments of a range,
/// in one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetPeriodStates {
    /// The range of time.
    pub range: TimeRange,
    /// Only periods of these employees; an empty list means all employees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
}

/// The reply to [`GetPeriodStates`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodStates {
    /// The settings, which determine when periods begin.
    pub settings: Settings,
    /// The first page of [`ListPeriods`].
    pub periods: Page<KnownPeriod, PeriodId>,
    /// The first page of [`ListAdjustments`](crate::ListAdjustments); none if the reply could
    /// become too large with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjustments: Option<Page<Adjustment, AdjustmentCursor>>,
}

/// Requests one pay period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetPeriod {
    /// The id of the pay period.
    pub id: PeriodId,
}

/// Submits the caller's own pay period as complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitPeriod {
    /// The id of the pay period.
    pub id: PeriodId,
}

/// Approves and settles a pay period, if its hash is still the one in the condition
/// ([`crate::Conditional`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovePeriod {
    /// The id of the pay period.
    pub id: PeriodId,
}

/// Sends a submitted pay period back to its employee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendBackPeriod {
    /// The id of the pay period.
    pub id: PeriodId,
    /// What the employee should correct before submitting the period again.
    pub note: Note,
}

/// Reopens an approved pay period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReopenPeriod {
    /// The id of the pay period.
    pub id: PeriodId,
    /// The reason. It is stored in the audit trail, and the employee sees it.
    pub reason: Note,
}

/// A decision about a pay period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodDecision {
    /// The period was approved.
    Approved,
    /// The period was sent back to its employee.
    SentBack,
    /// The period was approved before, and was reopened.
    Reopened,
}

/// Published when somebody has decided about a pay period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodDecided {
    /// The period after the decision.
    pub period: KnownPeriod,
    /// The number of changes of the period so far. The later of two decisions has the higher
    /// number.
    pub version: i64,
    /// The decision.
    pub decision: PeriodDecision,
    /// The time zone of the organisation, for the dates in the mail to the employee.
    pub timezone: Zone,
}

impl PeriodDecided {
    /// The id of the mail that informs the employee. It is computed from the period and the
    /// version, so that the mail is sent once even if the event is delivered twice.
    pub fn mail_id(&self) -> MailId {
        let PeriodId { employee, first } = self.period.id;
        MailId(Uuid::new_v5(&employee.0, format!("period {first} decided {}", self.version).as_bytes()))
    }
}

impl Event for PeriodDecided {
    const SERVICE: Service = Service::Timetrack;
    const NOUN: &'static str = "period";
    const VERB: &'static str = "decided";
    const AWAITED: &'static [Service] = &[];

    fn aggregate(&self) -> String {
        self.period.id.to_string()
    }
}

/// Requests from analytics the time and money of employees in each of these ranges, page by page.
/// Employees without time in any of them are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetPeriodSums {
    /// The ranges, at most [`PERIODS_MOST`].
    pub ranges: Vec<TimeRange>,
    /// Only these employees are included; an empty list means all employees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// The id of the last employee of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<EmployeeId>,
}

/// The time and money of one employee in each range of a [`GetPeriodSums`] request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmployeeSums {
    /// The id of the employee.
    pub employee: EmployeeId,
    /// The sum of each range, in the order of the ranges in the request.
    pub sums: Vec<PeriodSum>,
}

requests! {
    Timetrack: ListPeriods => Page<KnownPeriod, PeriodId>, "periods.list", idempotent;
    Timetrack: GetPeriodStates => PeriodStates, "periods.states", idempotent;
    Timetrack: GetPeriod => KnownPeriod, "periods.get", idempotent;
    Timetrack: SubmitPeriod => KnownPeriod, "periods.submit", idempotent;
    Timetrack: ApprovePeriod => KnownPeriod, "periods.approve", idempotent;
    Timetrack: SendBackPeriod => KnownPeriod, "periods.send_back";
    Timetrack: ReopenPeriod => KnownPeriod, "periods.reopen";
    Analytics: GetPeriodSums => Page<EmployeeSums, EmployeeId>, "reports.period_sums", idempotent;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_period_is_read_as_it_is_written_and_in_no_other_spelling() {
        let id = PeriodId { employee: EmployeeId(Uuid::from_u128(0xa1)), first: jiff::civil::date(2026, 3, 1) };
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        let upper = text.to_uppercase();
        for other in ["", "_", "2026-03-01", &text[1..], &upper, &text.replace('_', "-"), &format!("{text}T00")] {
            assert_eq!(other.parse::<PeriodId>(), Err(UnknownPeriod), "{other}");
        }
    }
}
