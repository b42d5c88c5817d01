//! The stored days and the edges of a range, against brute force: time on a grid of three hours,
//! each field of which counts for the window that wins it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use contracts::{
    DAY, EmployeeId, HOUR, Label, Millis, ProjectId, Rate, Rates, TaskId, TimeRange, WindowFact, WindowId,
};
use proptest::{prelude::*, sample::Index};
use uuid::Uuid;

use super::*;

const UNIT: i64 = 3 * HOUR;
/// The grid: five days, and the day after for what reaches over.
const UNITS: i64 = 5 * DAY / UNIT;

type Sums = BTreeMap<(ProjectId, TaskId), Total>;

fn fact() -> impl Strategy<Value = WindowFact> {
    let window = (0..6u128, 0..2u128, 0..UNITS, 1..=8i64, 0..3u128);
    let money = (prop::option::of(0..9i64), prop::option::of(0..9i64), any::<bool>(), any::<bool>());
    (window, money, prop::bool::weighted(0.1)).prop_map(|(window, (normal, over, billable, overtime), voided)| {
        let (id, employee, start, length, project) = window;
        let rate = |units: i64| Rate::from_units(units).expect("a rate");
        WindowFact {
            id: WindowId(Uuid::from_u128(id)),
            revision: 0,
            employee_id: EmployeeId(Uuid::from_u128(employee)),
            project_id: ProjectId(Uuid::from_u128(project)),
            task_id: TaskId(Uuid::from_u128(project * 10 + id % 2)),
            shift_id: Label::parse("s").expect("a label"),
            start: Millis(start * UNIT),
            end: Millis((start + length) * UNIT),
            billable,
            overtime,
            rates: Rates {
                bill_rate: normal.map(rate),
                overtime_bill_rate: over.map(rate),
                pay_rate: over.map(rate),
                overtime_pay_rate: normal.map(rate),
            },
            voided,
        }
    })
}

/// Revisions of a few windows, each its own state, as they arrive: in any order, again, or never.
fn arrivals() -> impl Strategy<Value = Vec<WindowFact>> {
    (prop::collection::vec(fact(), 1..12), prop::collection::vec(any::<Index>(), 0..24)).prop_map(|(states, order)| {
        let states: Vec<_> =
            states.into_iter().zip(1..).map(|(fact, revision)| WindowFact { revision, ..fact }).collect();
        order.iter().map(|at| at.get(&states).clone()).collect()
    })
}

/// What the service stores.
#[derive(Default)]
struct Stored {
    facts: HashMap<WindowId, WindowFact>,
    days: BTreeMap<EmployeeDay, Cells>,
}

impl Stored {
    fn after(arrivals: &[WindowFact], overlaps: Overlaps) -> Self {
        let mut stored = Self::default();
        for batch in arrivals.chunks(3) {
            let mut touched = BTreeSet::new();
            for (id, fact) in latest(batch.iter().cloned()) {
                touched.extend(Place::of(&fact).days());
                let known = stored.facts.get(&id);
                touched.extend(known.into_iter().flat_map(|known| Place::of(known).days()));
                if known.is_none_or(|known| known.revision < fact.revision) {
                    stored.facts.insert(id, fact);
                }
            }
            let loaded = runs(&touched).into_iter().flat_map(|run| stored.reaching_into(run.range, &run.employees));
            let sums = cells(&touched, &parts(loaded, overlaps));
            stored.days.extend(sums);
        }
        stored
    }

    fn reaching_into(&self, range: TimeRange, employees: &[EmployeeId]) -> Vec<WindowFact> {
        let reaches = |fact: &&WindowFact| fact.start < range.end() && fact.end > range.start();
        let of_these = |fact: &&WindowFact| employees.is_empty() || employees.contains(&fact.employee_id);
        self.facts.values().filter(reaches).filter(of_these).cloned().collect()
    }

    fn answer(&self, range: TimeRange, filter: &Filter, overlaps: Overlaps) -> Sums {
        let mut sums = Sums::new();
        let Split { days, edges } = Split::of(range);
        let of_these = |who: EmployeeId| filter.employees.is_empty() || filter.employees.contains(&who);
        for (_, cells) in self.days.iter().filter(|(day, _)| days.contains(&day.day) && of_these(day.employee)) {
            for (key, total) in cells {
                *sums.entry(*key).or_default() += *total;
            }
        }
        for edge in edges {
            for part in parts(self.reaching_into(edge, &filter.employees), overlaps) {
                if let Some(total) = part.within(edge) {
                    *sums.entry((part.fact.project_id, part.fact.task_id)).or_default() += total;
                }
            }
        }
        sums.retain(|(project, task), total| filter.takes(*project, *task) && total.time > 0);
        sums
    }
}

/// Field by field, who wins it; without another rule than that.
fn brute(arrivals: &[WindowFact], units: std::ops::Range<i64>, filter: &Filter, overlaps: Overlaps) -> Sums {
    let mut sums = Sums::new();
    let facts: Vec<_> = latest(arrivals.iter().cloned()).into_values().filter(|fact| !fact.voided).collect();
    for unit in units {
        let covers = |fact: &&WindowFact| fact.start.0 <= unit * UNIT && unit * UNIT < fact.end.0;
        let mut winners: Vec<&WindowFact> = facts.iter().filter(covers).collect();
        winners.sort_by_key(|fact| (fact.employee_id, fact.start, fact.id));
        if overlaps == Overlaps::CountOnce {
            winners.dedup_by_key(|fact| fact.employee_id);
        }
        let of_these = |who: EmployeeId| filter.employees.is_empty() || filter.employees.contains(&who);
        for fact in winners.into_iter().filter(|fact| of_these(fact.employee_id)) {
            let total = Total { time: UNIT, costs: fact.costs(UNIT), income: fact.income(UNIT) };
            *sums.entry((fact.project_id, fact.task_id)).or_default() += total;
        }
    }
    sums.retain(|(project, task), _| filter.takes(*project, *task));
    sums
}

fn overlaps() -> impl Strategy<Value = Overlaps> {
    prop_oneof![Just(Overlaps::CountOnce), Just(Overlaps::CountAll)]
}

fn filter() -> impl Strategy<Value = Filter> {
    let some = |all: &'static [u128]| {
        prop::sample::subsequence(all, 0..=1).prop_map(|ids| ids.into_iter().map(Uuid::from_u128))
    };
    (some(&[0, 1]), some(&[0, 1, 2]), some(&[0, 1, 10, 11])).prop_map(|(employees, projects, tasks)| Filter {
        employees: employees.map(EmployeeId).collect(),
        projects: projects.map(ProjectId).collect(),
        tasks: tasks.map(TaskId).collect(),
    })
}

fn range(start: i64, end: i64) -> TimeRange {
    TimeRange::new(Millis(start), Millis(end)).expect("a range")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn however_windows_arrive_the_answer_is_that_of_brute_force(
        arrivals in arrivals(), start in 0..UNITS, length in 1..UNITS, filter in filter(), overlaps in overlaps(),
    ) {
        let stored = Stored::after(&arrivals, overlaps);
        let answer = stored.answer(range(start * UNIT, (start + length) * UNIT), &filter, overlaps);
        prop_assert_eq!(answer, brute(&arrivals, start..start + length, &filter, overlaps));
    }

    #[test]
    fn adjoining_ranges_add_up_to_the_whole_wherever_they_are_cut(
        arrivals in arrivals(), cuts in prop::collection::btree_set(-DAY..7 * DAY, 3), overlaps in overlaps(),
    ) {
        let stored = Stored::after(&arrivals, overlaps);
        let cuts: Vec<i64> = cuts.into_iter().collect();
        let answer = |start, end| stored.answer(range(start, end), &Filter::default(), overlaps);
        let mut sum = answer(cuts[0], cuts[1]);
        for (key, total) in answer(cuts[1], cuts[2]) {
            *sum.entry(key).or_default() += total;
        }
        prop_assert_eq!(sum, answer(cuts[0], cuts[2]));
    }

    #[test]
    fn a_window_that_comes_changes_nothing_outside_the_days_it_touches(
        arrivals in arrivals(), one in fact(), overlaps in overlaps(),
    ) {
        let facts: Vec<_> = latest(arrivals).into_values().filter(|fact| fact.id != one.id).collect();
        let all: BTreeSet<EmployeeDay> = facts.iter().chain([&one]).flat_map(|fact| Place::of(fact).days()).collect();
        let before = cells(&all, &parts(facts.iter().cloned(), overlaps));
        let after = cells(&all, &parts(facts.into_iter().chain([one.clone()]), overlaps));
        let touched: BTreeSet<EmployeeDay> = Place::of(&one).days().collect();
        for day in all.difference(&touched) {
            prop_assert_eq!(&before[day], &after[day]);
        }
    }

    #[test]
    fn days_and_edges_are_the_range_without_gap_or_overlap(start in -3 * DAY..3 * DAY, length in 1..5 * DAY) {
        let Split { days, edges } = Split::of(range(start, start + length));
        let mut pieces: Vec<TimeRange> = days.map(TimeRange::of_utc_day).chain(edges).collect();
        pieces.sort_by_key(|piece| piece.start());
        let mut at = start;
        for piece in pieces {
            prop_assert_eq!(piece.start().0, at);
            at = piece.end().0;
        }
        prop_assert_eq!(at, start + length);
    }

    #[test]
    fn runs_are_the_days_each_once(days in prop::collection::btree_set((0..3u128, 0..9i64), 0..20)) {
        let days: BTreeSet<EmployeeDay> =
            days.into_iter().map(|(who, day)| EmployeeDay { employee: EmployeeId(Uuid::from_u128(who)), day }).collect();
        let mut found = Vec::new();
        for run in runs(&days) {
            for employee in run.employees {
                found.extend(Place { employee, start: run.range.start(), end: run.range.end() }.days());
            }
        }
        found.sort_unstable();
        prop_assert_eq!(found, days.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_window_to_midnight_does_not_touch_the_next_day() {
    let place = Place { employee: EmployeeId(Uuid::nil()), start: Millis(DAY - 1), end: Millis(DAY) };
    assert_eq!(place.days().map(|day| day.day).collect::<Vec<_>>(), [0]);
}

#[test]
fn empty_and_overlong_windows_are_not_sound() {
    let fact = |start, end| WindowFact {
        id: WindowId(Uuid::nil()),
        revision: 1,
        employee_id: EmployeeId(Uuid::nil()),
        project_id: ProjectId(Uuid::nil()),
        task_id: TaskId(Uuid::nil()),
        shift_id: Label::parse("s").expect("a label"),
        start: Millis(start),
        end: Millis(end),
        billable: true,
        overtime: false,
        rates: Rates::default(),
        voided: false,
    };
    assert!(is_sound(&fact(0, DAY)));
    for (start, end) in [(0, 0), (1, 0), (0, DAY + 1), (i64::MIN, i64::MAX)] {
        assert!(!is_sound(&fact(start, end)), "{start}..{end}");
    }
}
