use std::collections::{BTreeMap, BTreeSet, HashMap};

use analytics::Config;
use contracts::{
    Cents, EmployeeId, Filter, GetProjectTime, HOUR, Label, Millis, Money, ProjectId, ProjectTime, Rate, Rates, TaskId,
    TimeRange, WindowFact, WindowId, WindowsRecorded,
};
use testkit::{Harness, Running};
use uuid::Uuid;

/// 2025-10-08 00:00 UTC, a Wednesday, in milliseconds since 1970.
pub const MIDNIGHT: i64 = 1_759_881_600_000;

pub const ANN: EmployeeId = EmployeeId(Uuid::from_u128(0xa));
pub const BOB: EmployeeId = EmployeeId(Uuid::from_u128(0xb));

pub fn project(number: u128) -> ProjectId {
    ProjectId(Uuid::from_u128(number))
}

pub fn task(number: u128) -> TaskId {
    TaskId(Uuid::from_u128(number))
}

pub fn window_id(number: u128) -> WindowId {
    WindowId(Uuid::from_u128(number))
}

/// Starts a harness with one replica of analytics.
pub async fn start() -> (Harness, Running) {
    let harness = Harness::start().await;
    let analytics = spawn(&harness).await;
    (harness, analytics)
}

pub async fn spawn(harness: &Harness) -> Running {
    spawn_with(harness, Config::default()).await
}

pub async fn spawn_with(harness: &Harness, config: Config) -> Running {
    harness.spawn(analytics::needs(), |deps, shutdown| analytics::run(config, deps, shutdown)).await
}

/// A billable window of Ann on project 1 and task 1. Its bill rate is 60 an hour, its pay rate 30
/// an hour.
pub fn window(number: u128, start: i64, end: i64) -> WindowFact {
    WindowFact {
        id: window_id(number),
        revision: 1,
        employee_id: ANN,
        project_id: project(1),
        task_id: task(1),
        shift_id: Label::parse("shift").expect("a label"),
        start: Millis(start),
        end: Millis(end),
        billable: true,
        overtime: false,
        rates: Rates {
            bill_rate: Rate::try_from(60.0).ok(),
            pay_rate: Rate::try_from(30.0).ok(),
            ..Default::default()
        },
        rate_parts: Vec::new(),
        voided: false,
    }
}

pub fn recorded(windows: &[WindowFact]) -> WindowsRecorded {
    WindowsRecorded { batch: kit::new_id::<WindowId>().to_string(), windows: windows.to_vec() }
}

pub fn range(start: i64, end: i64) -> TimeRange {
    TimeRange::new(Millis(start), Millis(end)).expect("a range")
}

/// A request for the time of all employees on all projects in this range.
pub fn all_of(start: i64, end: i64) -> GetProjectTime {
    GetProjectTime { range: range(start, end), filter: Filter::default() }
}

/// The filter for one employee.
pub fn of_one(employee: EmployeeId) -> Filter {
    Filter { employees: vec![employee], ..Filter::default() }
}

/// A request for the time of all employees on all projects in the week around [`MIDNIGHT`].
pub fn week() -> GetProjectTime {
    all_of(MIDNIGHT - 72 * HOUR, MIDNIGHT + 96 * HOUR)
}

/// The time of each project in the reply to this request, in milliseconds.
pub async fn times(harness: &Harness, asked: &GetProjectTime) -> Vec<(ProjectId, i64)> {
    harness.ask(asked).await.expect("an answer").into_iter().map(|sum| (sum.id, sum.time)).collect()
}

/// The correct reply, computed by brute force: for each employee and each piece of time between two
/// edges of the employee's windows, the window that counts.
pub fn brute(arrived: &[WindowFact], asked: &GetProjectTime) -> Vec<ProjectTime> {
    let mut latest: HashMap<WindowId, &WindowFact> = HashMap::new();
    for fact in arrived {
        let known = latest.entry(fact.id).or_insert(fact);
        if known.revision < fact.revision {
            *known = fact;
        }
    }
    let facts: Vec<&WindowFact> = latest.into_values().filter(|fact| !fact.voided).collect();
    let (from, to) = (asked.range.start().0, asked.range.end().0);
    let employees: BTreeSet<EmployeeId> = facts.iter().map(|fact| fact.employee_id).collect();
    let mut sums: BTreeMap<ProjectId, (i64, Money, Money)> = BTreeMap::new();
    for employee in
        employees.into_iter().filter(|who| asked.filter.employees.is_empty() || asked.filter.employees.contains(who))
    {
        let own: Vec<_> = facts.iter().filter(|fact| fact.employee_id == employee).collect();
        let mut borders: BTreeSet<i64> = own.iter().flat_map(|fact| [fact.start.0, fact.end.0]).collect();
        borders.extend([from, to]);
        let borders: Vec<i64> = borders.into_iter().filter(|at| (from..=to).contains(at)).collect();
        for piece in borders.windows(2) {
            let covers = |fact: &&&&WindowFact| fact.start.0 <= piece[0] && piece[1] <= fact.end.0;
            let Some(winner) = own.iter().filter(covers).min_by_key(|fact| (fact.start, fact.id)) else { continue };
            let wanted = (asked.filter.projects.is_empty() || asked.filter.projects.contains(&winner.project_id))
                && (asked.filter.tasks.is_empty() || asked.filter.tasks.contains(&winner.task_id));
            if wanted {
                let piece = TimeRange::new(Millis(piece[0]), Millis(piece[1])).expect("a range");
                let sum = sums.entry(winner.project_id).or_default();
                for part in winner.parts_within(piece) {
                    let millis = part.range.length();
                    sum.0 += millis;
                    sum.1 += Money::of(part.cost, millis);
                    sum.2 += Money::of(part.income, millis);
                }
            }
        }
    }
    let rounded = |(id, (time, costs, income)): (ProjectId, (i64, Money, Money))| ProjectTime {
        id,
        time,
        costs: costs.cents(),
        income: income.cents(),
    };
    sums.into_iter().map(rounded).collect()
}

/// An amount of money, from a whole number of currency units.
pub fn currency(whole: i64) -> Cents {
    Cents(whole * 100)
}
