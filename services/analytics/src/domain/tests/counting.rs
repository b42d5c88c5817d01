use std::collections::BTreeSet;

use contracts::{DAY, EmployeeId, HOUR, Label, Millis, ProjectId, Rates, TaskId, WindowFact, WindowId};
use proptest::prelude::*;
use uuid::Uuid;

use super::history::*;
use crate::domain::*;

proptest! {
    #[test]
    fn what_is_recomputed_where_a_window_comes_or_goes_is_as_if_all_were(
        arrivals in prop::collection::vec(fact(), 0..12), one in fact(), overlaps in overlaps(),
    ) {
        let without: Vec<_> = latest(arrivals).into_values().filter(|fact| fact.id != one.id).collect();
        let with: Vec<_> = without.iter().cloned().chain([one.clone()]).collect();
        let all: BTreeSet<EmployeeDay> = with.iter().flat_map(|fact| Place::of(fact).days()).collect();
        let days = |facts: &[WindowFact]| stretches(&all, &parts(facts.iter().cloned(), overlaps));
        let touched = Touched::by([Place::of(&one)]);
        for (before, after) in [(&without, &with), (&with, &without)] {
            let found = anew(&touched, days(before), &parts(after.iter().cloned(), overlaps));
            for (day, expected) in days(after) {
                prop_assert_eq!(cells(&found[&day]), cells(&expected));
                if overlaps == Overlaps::CountOnce {
                    prop_assert_eq!(&found[&day], &expected);
                }
            }
        }
    }

    #[test]
    fn what_is_touched_is_where_windows_stand_and_little_more(
        places in prop::collection::vec((0..3u128, -9..9i64, 1..30i64), 0..20),
    ) {
        // The ranges lie around the end of a month.
        let at = |half_hours: i64| Millis(31 * DAY + half_hours * HOUR / 2);
        let place = |(who, start, length)| {
            Place { employee: EmployeeId(Uuid::from_u128(who)), start: at(start * 9), end: at(start * 9 + length) }
        };
        let places: Vec<Place> = places.into_iter().map(place).collect();
        let holds = |place: &Place, who, at| place.employee == who && place.start.0 <= at && at < place.end.0;
        let touched = Touched::by(places.iter().copied());
        let months = Touched::by(touched.months().into_values().flat_map(|month| month.places().collect::<Vec<_>>()));
        for who in (0..3).map(|who| EmployeeId(Uuid::from_u128(who))) {
            for at in (-50..60).map(|n| 31 * DAY + n * HOUR) {
                let stands = |at| places.iter().any(|place| holds(place, who, at));
                let found = touched.places().filter(|place| holds(place, who, at)).count();
                prop_assert!(found <= 1 && (!stands(at) || found == 1));
                prop_assert!(found == 0 || stands(at) || stands(at + HOUR - 1));
                prop_assert_eq!(months.places().filter(|place| holds(place, who, at)).count(), found);
            }
        }
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
        rate_parts: Vec::new(),
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
