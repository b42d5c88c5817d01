//! Rates that hold from a day on: what was set for whom, and what may be asked of projects about it.

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

/// The most rates of one scope: an event tells all of them.
pub const RATES_OF_SCOPE_MOST: usize = 1_000;

/// What a rate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum RateKind {
    /// What an hour is billed with.
    Bill,
    /// What an hour costs.
    Pay,
    /// What an hour of overtime is billed with.
    OvertimeBill,
    /// What an hour of overtime costs.
    OvertimePay,
}

impl RateKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Bill, Self::Pay, Self::OvertimeBill, Self::OvertimePay];

    /// The word in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bill => "bill",
            Self::Pay => "pay",
            Self::OvertimeBill => "overtimeBill",
            Self::OvertimePay => "overtimePay",
        }
    }
}

/// A word that is no kind of rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be bill, pay, overtimeBill or overtimePay")]
pub struct UnknownRateKind;

impl FromStr for RateKind {
    type Err = UnknownRateKind;

    fn from_str(text: &str) -> Result<Self, UnknownRateKind> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or(UnknownRateKind)
    }
}

/// Whose hours, and on what, a rate is for; everybody's on everything where nothing is named.
///
/// A task may be named with its project, and is kept without: it may move to another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateScope {
    /// On this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// On this task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// Of this employee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<EmployeeId>,
}

impl RateScope {
    /// A project.
    pub const fn project(id: ProjectId) -> Self {
        Self { project: Some(id), task: None, employee: None }
    }

    /// A task.
    pub const fn task(id: TaskId) -> Self {
        Self { project: None, task: Some(id), employee: None }
    }

    /// Everything that an employee does.
    pub const fn employee(id: EmployeeId) -> Self {
        Self { project: None, task: None, employee: Some(id) }
    }

    /// The same of this employee only.
    #[must_use]
    pub const fn of(self, employee: EmployeeId) -> Self {
        Self { employee: Some(employee), ..self }
    }

    /// The scopes that hold an employee's work on a task, the most specific first.
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

/// `all`, or what is named: `p_<project>`, `t_<task>`, `e_<employee>`, joined by `_`.
impl fmt::Display for RateScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let project = self.project.map(|id| format!("p_{id}"));
        let task = self.task.map(|id| format!("t_{id}"));
        let employee = self.employee.map(|id| format!("e_{id}"));
        let named: Vec<String> = [project, task, employee].into_iter().flatten().collect();
        f.write_str(if named.is_empty() { "all".to_owned() } else { named.join("_") }.as_str())
    }
}

/// A rate that holds from a day on, as the API shows one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatedRate {
    /// The rate's id.
    pub id: RateId,
    /// Whose hours, and on what.
    pub scope: RateScope,
    /// What it is for.
    pub kind: RateKind,
    /// Currency an hour.
    #[schema(value_type = f64, example = 62.5)]
    pub amount: Rate,
    /// The first day on which it holds, in the time zone of the organisation.
    #[schema(value_type = String, format = Date, example = "2026-02-01")]
    pub valid_from: Date,
    /// When it was set.
    pub created_at: Millis,
}

/// Sets a rate from a day on. What is recorded already keeps its rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SetRate {
    /// Whose hours, and on what.
    #[serde(deserialize_with = "object")]
    pub scope: RateScope,
    /// What it is for.
    pub kind: RateKind,
    /// Currency an hour.
    #[schema(value_type = RateSent)]
    pub amount: Rate,
    /// The first day on which it holds, in the time zone of the organisation.
    #[schema(value_type = String, format = Date, example = "2026-02-01")]
    pub valid_from: Date,
}

/// Reads an object. A list of its values in order, which serde takes for one too, is refused.
fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<T, D::Error> {
    let value = Value::deserialize(from)?;
    if !value.is_object() {
        return Err(D::Error::custom("must be an object"));
    }
    serde_json::from_value(value).map_err(D::Error::custom)
}

impl SetRate {
    /// Refuses a day that nobody can mean.
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

/// Asks for rates in the order of their ids, page by page: those whose scope names one of these of
/// each list that names any; a project names its tasks too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRates {
    /// For these projects, and the tasks that they have now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<ProjectId>,
    /// For these tasks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskId>,
    /// For these employees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// Of these kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<RateKind>,
    /// Those that name no project and no task only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub everywhere: bool,
    /// After this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<RateId>,
}

/// Asks for one rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetRate {
    /// Which.
    pub id: RateId,
}

/// Deletes a rate whose first day has not begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteRate {
    /// Which.
    pub id: RateId,
    /// Where the organisation's days begin.
    pub timezone: Zone,
}

/// All that was ever set for one scope, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RatesChanged {
    /// For whose hours, and on what.
    pub scope: RateScope,
    /// How often this has changed.
    pub version: i64,
    /// The rates, in no order.
    pub rates: Vec<RateSince>,
    /// What the payroll of the project said, in the order in which it was set: of a project, the line
    /// of everybody; of a project and an employee, the own line. None while it has never changed: then
    /// what the project says holds for all time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payroll: Vec<LineSince>,
}

/// One rate of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RateSince {
    /// What it is for.
    pub kind: RateKind,
    /// Currency an hour.
    pub amount: Rate,
    /// The first day on which it holds.
    pub valid_from: Date,
    /// When it was set.
    pub set_at: Millis,
}

/// What the payroll said since a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineSince {
    /// Since when; of all time before where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Millis>,
    /// The line; none where there was none.
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
