//! Rates that are valid from a given day on, and the requests to projects about them.

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

/// The maximum number of rates in one scope. It limits the size of the event that contains all
/// rates of the scope.
pub const RATES_OF_SCOPE_MOST: usize = 1_000;

/// The kind of a rate: bill or pay, for a normal or an overtime hour.
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
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Bill, Self::Pay, Self::OvertimeBill, Self::OvertimePay];

    /// The name of the kind in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bill => "bill",
            Self::Pay => "pay",
            Self::OvertimeBill => "overtimeBill",
            Self::OvertimePay => "overtimePay",
        }
    }
}

/// The error for a text that is not the name of a [`RateKind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be bill, pay, overtimeBill or overtimePay")]
pub struct UnknownRateKind;

impl FromStr for RateKind {
    type Err = UnknownRateKind;

    fn from_str(text: &str) -> Result<Self, UnknownRateKind> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or(UnknownRateKind)
    }
}

/// The work that a rate is for. Each field that is given limits the work. A scope without fields
/// contains all work of all employees.
///
/// A request may name both a task and its project. Then the project is dropped, so that the rate
/// still applies to the task after it moves to another project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateScope {
    /// Only work on this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// Only work on this task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// Only work of this employee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<EmployeeId>,
}

impl RateScope {
    /// The scope of all work on a project.
    pub const fn project(id: ProjectId) -> Self {
        Self { project: Some(id), task: None, employee: None }
    }

    /// The scope of all work on a task.
    pub const fn task(id: TaskId) -> Self {
        Self { project: None, task: Some(id), employee: None }
    }

    /// The scope of all work of an employee.
    pub const fn employee(id: EmployeeId) -> Self {
        Self { project: None, task: None, employee: Some(id) }
    }

    /// This scope, limited to the work of one employee.
    #[must_use]
    pub const fn of(self, employee: EmployeeId) -> Self {
        Self { employee: Some(employee), ..self }
    }

    /// The scopes that contain an employee's work on a task of a project, the most specific scope
    /// first.
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

/// `all`, or the fields of the scope joined by `_`: `p_<project>`, `t_<task>` and `e_<employee>`.
impl fmt::Display for RateScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let project = self.project.map(|id| format!("p_{id}"));
        let task = self.task.map(|id| format!("t_{id}"));
        let employee = self.employee.map(|id| format!("e_{id}"));
        let named: Vec<String> = [project, task, employee].into_iter().flatten().collect();
        f.write_str(if named.is_empty() { "all".to_owned() } else { named.join("_") }.as_str())
    }
}

/// A rate that is valid from a day on, as the API shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatedRate {
    /// The rate's id.
    pub id: RateId,
    /// The work that the rate is for.
    pub scope: RateScope,
    /// The kind of rate.
    pub kind: RateKind,
    /// The amount for one hour, in the organisation's currency.
    #[schema(value_type = f64, example = 62.5)]
    pub amount: Rate,
    /// The first day on which the rate is valid, in the organisation's time zone.
    #[schema(value_type = String, format = Date, example = "2026-02-01")]
    pub valid_from: Date,
    /// When the rate was set.
    pub created_at: Millis,
}

/// Sets a rate that is valid from a day on. Windows that are recorded already keep their rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SetRate {
    /// The work that the rate is for.
    #[serde(deserialize_with = "object")]
    pub scope: RateScope,
    /// The kind of rate.
    pub kind: RateKind,
    /// The amount for one hour, in the organisation's currency.
    #[schema(value_type = RateSent)]
    pub amount: Rate,
    /// The first day on which the rate is valid, in the organisation's time zone.
    #[schema(value_type = String, format = Date, example = "2026-02-01")]
    pub valid_from: Date,
}

/// Deserializes a JSON object. Serde's derived code would also accept an array of the field values;
/// this function refuses an array.
fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<T, D::Error> {
    let value = Value::deserialize(from)?;
    if !value.is_object() {
        return Err(D::Error::custom("must be an object"));
    }
    serde_json::from_value(value).map_err(D::Error::custom)
}

impl SetRate {
    /// Refuses a first day that can only be a mistake.
    ///
    /// # Errors
    /// 422, if `valid_from` is not in the years 1970 to 2199.
    pub fn check(&self) -> Result<(), Failure> {
        match (1970..=2199).contains(&self.valid_from.year()) {
            true => Ok(()),
            false => Err(Failure::field("validFrom", "must be a day of the years 1970 to 2199")),
        }
    }
}

/// Requests rates in the order of their ids, page by page. A rate is listed if it matches every
/// list that is not empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRates {
    /// Rates of these projects, and of the tasks that belong to these projects now.
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
    /// Whether to list only rates whose scope has neither a project nor a task.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub everywhere: bool,
    /// The id of the last rate of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<RateId>,
}

/// Requests one rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetRate {
    /// The id of the rate.
    pub id: RateId,
}

/// Deletes a rate. This is possible only before the first day of the rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteRate {
    /// The id of the rate.
    pub id: RateId,
    /// The time zone of the organisation, which decides when the first day begins.
    pub timezone: Zone,
}

/// Published when a rate of a scope was set or deleted, or when the payroll line of the scope (see
/// `payroll`) was changed. The event contains all rates of the scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RatesChanged {
    /// The work that the rates are for.
    pub scope: RateScope,
    /// The number of changes of this scope so far. A consumer ignores an event unless its version
    /// is higher than the one that it has stored.
    pub version: i64,
    /// The rates, in no particular order.
    pub rates: Vec<RateSince>,
    /// The history of a line of the project's payroll, in the order of the changes. For the scope
    /// of a project it is the line `*`; for the scope of a project and an employee it is the
    /// employee's own line. It is empty if the line has never changed: then the line in the present
    /// payroll is valid for all time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payroll: Vec<LineSince>,
}

/// One rate of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RateSince {
    /// The kind of rate.
    pub kind: RateKind,
    /// The amount for one hour, in the organisation's currency.
    pub amount: Rate,
    /// The first day on which the rate is valid, in the organisation's time zone.
    pub valid_from: Date,
    /// When the rate was set.
    pub set_at: Millis,
}

/// A line of a payroll, and the moment from which on the payroll had this line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineSince {
    /// The moment of the change; none if the payroll had this line before the first recorded
    /// change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Millis>,
    /// The line after the change; none if the change removed the line.
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
