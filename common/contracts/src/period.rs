//! Pay periods of employees: what of their time is open, submitted, approved.

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};
use uuid::Uuid;

use crate::{
    AdjustedSum, Cents, CountedSum, EmployeeId, Event, MailId, Millis, Note, Page, PayRunId, Service, TimeMark,
    TimeRange, Zone, message::requests,
};

/// The most pay periods that one question may touch: more than a year of weeks.
pub const PERIODS_MOST: usize = 60;

/// One employee's pay period: the employee, and the local day on which it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeriodId {
    /// Whose.
    pub employee: EmployeeId,
    /// The first day.
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

/// A text that names no pay period of anybody.
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
        // One id has one spelling.
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

/// How far a period is on its way to be paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PeriodStatus {
    /// Nobody has said yet that it is complete.
    #[default]
    Open,
    /// The employee says that it is complete.
    Submitted,
    /// It is settled: nothing in it changes any more.
    Approved,
}

/// What a period comes out at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodSum {
    /// Milliseconds.
    pub time: i64,
    /// What it cost, rounded to cents.
    pub costs: Cents,
    /// What it earned, rounded to cents.
    pub income: Cents,
    /// Which seconds count, on what, and at which rates; and which adjustments.
    pub hash: TimeMark,
}

impl From<CountedSum> for PeriodSum {
    fn from(sum: CountedSum) -> Self {
        Self { time: sum.time, costs: sum.costs.cents(), income: sum.income.cents(), hash: sum.mark }
    }
}

/// What is known of a period about which somebody has done something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownPeriod {
    /// Which.
    pub id: PeriodId,
    /// Its first moment.
    pub start: Millis,
    /// The first moment after.
    pub end: Millis,
    /// How far it is.
    pub status: PeriodStatus,
    /// What it comes out at: for good where it is approved, else as it is now. Lists say it of approved
    /// periods only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<PeriodSum>,
    /// What adjustments count for in it, beside its sum: of windows that came when their own time was settled.
    /// Lists say it of approved periods only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusted: Option<AdjustedSum>,
    /// When it was submitted last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Millis>,
    /// The hash that it had then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_hash: Option<TimeMark>,
    /// When it was approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<Millis>,
    /// By whom: an [`crate::Actor`], as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// Why it was sent back or opened again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// The pay run that it is paid by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_run: Option<PayRunId>,
}

/// Asks for the periods about which somebody has done something and that touch a range, page by page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPeriods {
    /// Which.
    pub range: TimeRange,
    /// Of these employees only, if any are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// After this one, in the order of employees and first days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<PeriodId>,
}

/// Asks for one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetPeriod {
    /// Which.
    pub id: PeriodId,
}

/// Says that a period is complete: an employee of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitPeriod {
    /// Which.
    pub id: PeriodId,
}

/// Settles a period, if it still has the hash that its condition names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovePeriod {
    /// Which.
    pub id: PeriodId,
}

/// Gives a submitted period back to its employee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendBackPeriod {
    /// Which.
    pub id: PeriodId,
    /// What is to be done about it.
    pub note: Note,
}

/// Opens an approved period again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReopenPeriod {
    /// Which.
    pub id: PeriodId,
    /// Why: the audit trail keeps it, and the employee sees it.
    pub reason: Note,
}

/// What somebody has decided about a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodDecision {
    /// It is settled.
    Approved,
    /// Its employee is to do something about it.
    SentBack,
    /// It was approved, and is open again.
    Reopened,
}

/// Somebody has decided about a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodDecided {
    /// It, as it is from then on.
    pub period: KnownPeriod,
    /// How often it was changed by then: of two decisions the one with the higher number holds.
    pub version: i64,
    /// What.
    pub decision: PeriodDecision,
    /// Where the organisation's days begin.
    pub timezone: Zone,
}

impl PeriodDecided {
    /// The mail that tells its employee of it: always the same, so that it is sent once.
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

/// Asks analytics what employees' time comes out at in each of these ranges, page by page; those who have
/// no time in any are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetPeriodSums {
    /// At most [`PERIODS_MOST`].
    pub ranges: Vec<TimeRange>,
    /// Of these employees only, if any are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// After this employee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<EmployeeId>,
}

/// What one employee's time comes out at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmployeeSums {
    /// Whose.
    pub employee: EmployeeId,
    /// One for each range, in their order.
    pub sums: Vec<PeriodSum>,
}

requests! {
    Timetrack: ListPeriods => Page<KnownPeriod, PeriodId>, "periods.list", idempotent;
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
