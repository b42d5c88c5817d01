//! Rates that hold from a day on, and the requests to projects about them.

use std::{fmt, str::FromStr};

use jiff::civil::Date;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _},
};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    EmployeeId, Event, Failure, Millis, Page, PayrollLine, ProjectId, Rate, RateId, RateSent, Service, TaskId, Zone,
    message::requests,
};

/// The most rates of one scope, because one event contains them all.
pub const RATES_OF_SCOPE_MOST: usize = 1_000;

/// The four kinds of rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum RateKind {
    /// The bill rate of an hour.
    Bill,
    /// The pay rate of an hour.
    Pay,
    /// The bill rate of an overtime hour.
    OvertimeBill,
    /// The pay rate of an overtime hour.
    OvertimePay,
}

impl RateKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Bill, Self::Pay, Self::OvertimeBill, Self::OvertimePay];

    /// The name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bill => "bill",
            Self::Pay => "pay",
            Self::OvertimeBill => "overtimeBill",
            Self::OvertimePay => "overtimePay",
        }
    }
}

/// A text that is no kind of rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be bill, pay, overtimeBill or overtimePay")]
pub struct UnknownRateKind;

impl FromStr for RateKind {
    type Err = UnknownRateKind;

    fn from_str(text: &str) -> Result<Self, UnknownRateKind> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or(UnknownRateKind)
    }
}

/// The work that a rate is for. Each field limits it; without any it is all work of everybody.
///
/// A request may name a task with its project. The project is then dropped, because a task may move to another
/// project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateScope {
    /// Work on this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// Work on this task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// Work of this employee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<EmployeeId>,
}

impl RateScope {
    /// All work on a project.
    pub const fn project(id: ProjectId) -> Self {
        Self { project: Some(id), task: None, employee: None }
    }

    /// All work on a task.
    pub const fn task(id: TaskId) -> Self {
        Self { project: None, task: Some(id), employee: None }
    }

    /// All work of an employee.
    pub const fn employee(id: EmployeeId) -> Self {
        Self { project: None, task: None, employee: Some(id) }
    }

    /// The same scope, limited to this employee.
    #[must_use]
    pub const fn of(self, employee: EmployeeId) -> Self {
        Self { employee: Some(employee), ..self }
    }

    /// The scopes that contain an employee's work on a task, the most specific first.
    pub const fn of_work(employee: EmployeeId, project: ProjectId, task: TaskId) -> [Self; 6] {
        let (task, project) = (Self::task(task), Self::project(project));
        [
            task.of(employee),
            task,
            project.of(employee),
            project,
            Self::employee(employee),
            Self { project: None, task: None, employee: None },
        ]
    }
}

/// `all`, or the fields that limit it: `p_<project>`, `t_<task>`, `e_<employee>`, joined by `_`.
impl fmt::Display for RateScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let project = self.project.map(|id| format!("p_{id}"));
        let task = self.task.map(|id| format!("t_{id}"));
        let employee = self.employee.map(|id| format!("e_{id}"));
        let named: Vec<String> = [project, task, employee].into_iter().flatten().collect();
        f.write_str(if named.is_empty() { "all".to_owned() } else { named.join("_") }.as_str())
    }
}

/// A rate that holds from a day on, as the API shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatedRate {
    /// The rate's id.
    pub id: RateId,
    /// The work that it is for.
    pub scope: RateScope,
    /// The kind of rate.
    pub kind: RateKind,
    /// The amount, in currency an hour.
    #[schema(value_type = f64, example = 62.5)]
    pub amount: Rate,
    /// The first day on which it holds, in the organisation's time zone.
    #[schema(value_type = String, format = Date, example = "2026-02-01")]
    pub valid_from: Date,
    /// When it was set.
    pub created_at: Millis,
}

/// Sets a rate from a day on. Windows that are recorded already keep their rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SetRate {
    /// The work that it is for.
    #[serde(deserialize_with = "object")]
    pub scope: RateScope,
    /// The kind of rate.
    pub kind: RateKind,
    /// The amount, in currency an hour.
    #[schema(value_type = RateSent)]
    pub amount: Rate,
    /// The first day on which it holds, in the organisation's time zone.
    #[schema(value_type = String, format = Date, example = "2026-02-01")]
    pub valid_from: Date,
}

/// Reads an object. Serde also accepts a list of the values in order; this refuses it.
fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<T, D::Error> {
    let value = Value::deserialize(from)?;
    if !value.is_object() {
        return Err(D::Error::custom("must be an object"));
    }
    serde_json::from_value(value).map_err(D::Error::custom)
}

impl SetRate {
    /// Refuses a day that cannot be meant.
    ///
    /// # Errors
    /// 422, for the day.
    pub fn check(&self) -> Result<(), Failure> {
        match (1970..=2199).contains(&self.valid_from.year()) {
            true => Ok(()),
            false => Err(Failure::field("validFrom", "must be a day of the years 1970 to 2199")),
        }
    }
}

/// Asks for rates in the order of their ids, page by page. A rate is listed if its scope names one entry of each
/// list that is not empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRates {
    /// Rates of these projects and of the tasks that they have now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<ProjectId>,
    /// Rates of these tasks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskId>,
    /// Rates of these employees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// Rates of these kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<RateKind>,
    /// Only rates that name no project and no task.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub everywhere: bool,
    /// The last one of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<RateId>,
}

/// Asks for one rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetRate {
    /// The id of the rate.
    pub id: RateId,
}

/// Deletes a rate before its first day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteRate {
    /// The id of the rate.
    pub id: RateId,
    /// The time zone of the organisation.
    pub timezone: Zone,
}

/// All rates of one scope, after one was set or deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RatesChanged {
    /// The work that they are for.
    pub scope: RateScope,
    /// The number of changes of this scope so far.
    pub version: i64,
    /// The rates, in no particular order.
    pub rates: Vec<RateSince>,
    /// The history of the project's payroll, in the order of changes: for a project, the line of everybody; for a
    /// project and an employee, the employee's own line. Empty while it has never changed: the present payroll
    /// then holds for all time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payroll: Vec<LineSince>,
}

/// One rate of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RateSince {
    /// The kind of rate.
    pub kind: RateKind,
    /// The amount, in currency an hour.
    pub amount: Rate,
    /// The first day on which it holds.
    pub valid_from: Date,
    /// When it was set.
    pub set_at: Millis,
}

/// A line of the payroll, and since when it was so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineSince {
    /// The moment of the change; none for all time before the first change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Millis>,
    /// The line, or none if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<PayrollLine>,
}

impl Event for RatesChanged {
    const SERVICE: Service = Service::Projects;
    const NOUN: &'static str = "rates";
    const VERB: &'static str = "changed";
    const AWAITED: &'static [Service] = &[Service::Timetrack];

    fn aggregate(&self) -> String {
        self.scope.to_string()
    }
}

requests! {
    Projects: SetRate => DatedRate, "rates.set";
    Projects: GetRate => DatedRate, "rates.get", idempotent;
    Projects: ListRates => Page<DatedRate, RateId>, "rates.list", idempotent;
    Projects: DeleteRate => (), "rates.delete";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_has_a_name_of_its_own_that_is_one_word_of_a_subject() {
        let (employee, project, task) = (EmployeeId::from(one()), ProjectId::from(one()), TaskId::from(one()));
        let names = RateScope::of_work(employee, project, task).map(|scope| scope.to_string());
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), 6);
        assert!(names.iter().all(|name| !name.contains(['.', ' ', '*', '>'])), "{names:?}");
    }

    #[test]
    fn a_scope_that_names_something_else_is_none() {
        assert!(serde_json::from_str::<RateScope>(r#"{"projectId": "x"}"#).is_err());
        assert_eq!(serde_json::from_str::<RateScope>(r#"{"project": null}"#).ok(), Some(RateScope::default()));
    }

    fn one() -> uuid::Uuid {
        uuid::Uuid::from_u128(1)
    }
}
