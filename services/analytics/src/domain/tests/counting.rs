use std::collections::BTreeSet;

use contracts::{DAY, EmployeeId, Label, Millis, ProjectId, Rates, TaskId, WindowFact, WindowId};
use proptest::prelude::*;
use uuid::Uuid;

use super::history::*;
use crate::domain::*;

proptest! {
    #[test]
    fn a_window_that_comes_changes_nothing_outside_the_days_it_touches(
        arrivals in prop::collection::vec(fact(), 0..12), one in fact(), overlaps in overlaps(),
    ) {
        let facts: Vec<_> = latest(arrivals).into_values().filter(|fact| fact.id != one.id).collect();
        let all: BTreeSet<EmployeeDay> = facts.iter().chain([&one]).flat_map(|fact| Place::of(fact).days()).collect();
        let before = stretches(&all, &parts(facts.iter().cloned(), overlaps));
        let after = stretches(&all, &parts(facts.into_iter().chain([one.clone()]), overlaps));
        let touched: BTreeSet<EmployeeDay> = Place::of(&one).days().collect();
        for day in all.difference(&touched) {
            prop_assert_eq!(&before[day], &after[day]);
        }
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

fn fact_from(start: i64, end: i64) -> WindowFact {
    WindowFact {
        id: WindowId(Uuid::from_u128(start as u128)),
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
    }
}

#[test]
fn empty_overlong_and_far_away_windows_are_not_sound() {
    assert!(is_sound(&fact_from(0, DAY)));
    for (start, end) in [(0, 0), (1, 0), (0, DAY + 1), (-1, 1), (i64::MIN, i64::MAX), (i64::MAX - 1, i64::MAX)] {
        assert!(!is_sound(&fact_from(start, end)), "{start}..{end}");
    }
}

#[test]
fn the_same_work_in_windows_that_adjoin_is_one_stretch_a_day() {
    let facts = (0..48).map(|hour| fact_from(hour * DAY / 24, (hour + 1) * DAY / 24));
    let days = (0..2).map(|day| EmployeeDay { employee: EmployeeId(Uuid::nil()), day }).collect();
    let found = stretches(&days, &parts(facts, Overlaps::CountOnce));
    assert_eq!(found.into_values().map(|day| day.len()).collect::<Vec<_>>(), [1, 1]);
}
