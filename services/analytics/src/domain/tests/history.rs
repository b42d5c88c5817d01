//! Generators of random windows and random reports.

use contracts::{
    DAY, EmployeeId, Filter, Grouping, HOUR, Label, Millis, ProjectId, Rate, RatePart, Rates, TaskId, TimeRange,
    WindowFact, WindowId, Zone,
};
use proptest::{prelude::*, sample::Index};
use uuid::Uuid;

use crate::domain::{Overlaps, Question};

/// Windows begin and end at multiples of this length, in milliseconds. Reports begin and end
/// anywhere.
pub(crate) const UNIT: i64 = 3 * HOUR;
/// The days on which windows begin, relative to the history's start: some consecutive, some in
/// other months.
const DAYS: [i64; 8] = [0, 1, 2, 3, 30, 31, 32, 61];
/// The length of a history, in milliseconds.
pub(crate) const LENGTH: i64 = 63 * DAY;

/// UTC days shortly before some zone changes its clock: Berlin in March and October 2025, Lord Howe
/// in April and October 2025, St. John's in March and November 2025, and at 00:01 in October 2006.
const BEGINNINGS: [i64; 7] = [20_175, 20_385, 20_182, 20_364, 20_154, 20_392, 13_448];

const ZONES: [&str; 6] =
    ["UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"];

fn zone() -> impl Strategy<Value = Zone> {
    prop::sample::select(&ZONES[..]).prop_map(|name| name.parse().expect("a zone"))
}

/// The start of a history, in milliseconds since 1970.
pub(crate) fn beginning() -> impl Strategy<Value = i64> {
    prop::sample::select(&BEGINNINGS[..]).prop_map(|day| day * DAY)
}

pub(crate) fn label(text: &str) -> Label {
    Label::parse(text).expect("a label")
}

pub(crate) fn fact() -> impl Strategy<Value = WindowFact> {
    let window = (0..9u128, 0..2u128, prop::sample::select(&DAYS[..]), 0..DAY / UNIT, 1..=8i64, 0..3u128);
    let money = (prop::option::of(0..9i64), prop::option::of(0..9i64), any::<bool>(), any::<bool>());
    // With a probability of 30 %, other rates apply from some moment after the window's start. The
    // moment may be after its end.
    let part = prop::option::weighted(0.3, (1..8 * UNIT, 0..9i64));
    (window, money, part, prop::bool::weighted(0.1)).prop_map(
        |(window, (normal, over, billable, overtime), part, voided)| {
            let (id, employee, day, start, length, project) = window;
            let rate = |units: i64| Rate::from_units(units).expect("a rate");
            let start = day * DAY + start * UNIT;
            WindowFact {
                id: WindowId(Uuid::from_u128(id)),
                revision: 0,
                employee_id: EmployeeId(Uuid::from_u128(employee)),
                project_id: ProjectId(Uuid::from_u128(project)),
                task_id: TaskId(Uuid::from_u128(project * 10 + id % 2)),
                shift_id: label(if id % 3 == 0 { "late" } else { "early" }),
                start: Millis(start),
                end: Millis(start + length * UNIT),
                billable,
                overtime,
                rates: Rates {
                    bill_rate: normal.map(rate),
                    overtime_bill_rate: over.map(rate),
                    pay_rate: over.map(rate),
                    overtime_pay_rate: normal.map(rate),
                },
                rate_parts: part
                    .map(|(after, units)| {
                        let rates =
                            Rates { bill_rate: Some(rate(units)), pay_rate: normal.map(rate), ..Rates::default() };
                        RatePart::new(Millis(start + after), rates)
                    })
                    .into_iter()
                    .collect(),
                voided,
            }
        },
    )
}

/// Revisions of a few windows, as they arrive: in a random order, some more than once and some
/// never.
pub(crate) fn arrivals() -> impl Strategy<Value = Vec<WindowFact>> {
    let states = prop::collection::vec(fact(), 1..16);
    (beginning(), states, prop::collection::vec(any::<Index>(), 0..32)).prop_map(|(beginning, states, order)| {
        let at = |millis: Millis| millis + beginning;
        let states: Vec<_> = states
            .into_iter()
            .zip(1..)
            .map(|(fact, revision)| {
                let rate_parts = fact.rate_parts.iter().map(|part| RatePart { from: at(part.from), ..*part }).collect();
                WindowFact { revision, start: at(fact.start), end: at(fact.end), rate_parts, ..fact }
            })
            .collect();
        order.iter().map(|at| at.get(&states).clone()).collect()
    })
}

pub(crate) fn overlaps() -> impl Strategy<Value = Overlaps> {
    prop_oneof![Just(Overlaps::CountOnce), Just(Overlaps::CountAll)]
}

pub(crate) fn filter() -> impl Strategy<Value = Filter> {
    let some = |all: &'static [u128]| {
        prop::sample::subsequence(all, 0..=1).prop_map(|ids| ids.into_iter().map(Uuid::from_u128))
    };
    let shifts = prop::sample::subsequence(&["early", "late"][..], 0..=1);
    let shifts = shifts.prop_map(|shifts| shifts.into_iter().map(label).collect::<Vec<_>>());
    let none = Just(Vec::new());
    (some(&[0, 1]), some(&[0, 1, 2]), some(&[0, 1, 10, 11]), prop_oneof![2 => none, 1 => shifts]).prop_map(
        |(employees, projects, tasks, shifts)| Filter {
            employees: employees.map(EmployeeId).collect(),
            projects: projects.map(ProjectId).collect(),
            tasks: tasks.map(TaskId).collect(),
            shifts,
        },
    )
}

pub(crate) fn range(start: i64, end: i64) -> TimeRange {
    TimeRange::new(Millis(start), Millis(end)).expect("a range")
}

/// A moment, in milliseconds from the start of a history: a midnight, a multiple of [`UNIT`], or
/// any other moment.
pub(crate) fn moment() -> impl Strategy<Value = i64> {
    let (days, units) = (-1..LENGTH / DAY + 1, -8..LENGTH / UNIT + 8);
    prop_oneof![days.prop_map(|day| day * DAY), units.prop_map(|unit| unit * UNIT), -DAY..LENGTH + DAY]
}

/// A report about a history that starts at time 0.
pub(crate) fn question() -> impl Strategy<Value = Question> {
    use Grouping::{Day, Employee, Month, Project, Task, Week};
    let by = prop::sample::subsequence(&[Project, Task, Employee, Day, Week, Month][..], 0..=6);
    let edges = (moment(), moment()).prop_filter("a range", |(a, b)| a != b);
    (edges, by, zone(), filter()).prop_map(|((a, b), by, zone, filter)| {
        let by = by.into_iter().collect();
        Question { range: range(a.min(b), a.max(b)), by, zone, filter, after: None }
    })
}

/// The same report, moved to the day on which the first of these windows starts.
pub(crate) fn placed(question: Question, arrivals: &[WindowFact]) -> Question {
    let first = arrivals.iter().map(|fact| fact.start.utc_day()).min().unwrap_or(20_000);
    let start = TimeRange::of_utc_day(first).start();
    let Question { range, .. } = question;
    let range = self::range(start.0 + range.start().0, start.0 + range.end().0);
    Question { range, ..question }
}
