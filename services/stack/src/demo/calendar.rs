//! The working hours of the demo company: ordinary days with breaks, half days, holidays, some
//! hours on two computers at once, and one day that is longer than anybody should work.

use contracts::DAY;

use super::{
    people::{LONG_DAY, PEOPLE, TRACKING, TWO_COMPUTERS},
    projects::{Place, tasks_of},
    rng::Rng,
};

/// Milliseconds in a minute.
pub const MINUTE: i64 = 60_000;
/// The length of a window in minutes. The desktop app sends windows of this length.
const WINDOW: i64 = 10;
/// How many minutes each person of [`TRACKING`] has worked without a break until now.
const MINUTES_TODAY: [i64; TRACKING.len()] = [35, 95, 130];
/// The holidays: the index of a person in [`PEOPLE`], then the last and the first day, both as a
/// number of days before today.
const AWAY: [(usize, i64, i64); 4] = [(9, 0, 5), (4, 16, 26), (8, 37, 44), (0, 30, 34)];
/// The number of days since which nobody has worked on a task whose status is Done.
const FINISHED: i64 = 21;

/// A window to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The task on which the person worked.
    pub task: Place,
    /// The start of the window, in milliseconds since 1970-01-01 UTC.
    pub start: i64,
    /// The end of the window, in milliseconds since 1970-01-01 UTC.
    pub end: i64,
    /// Whether the window was tracked on the person's second computer.
    pub elsewhere: bool,
}

/// The range of days that the demo fills.
#[derive(Clone, Copy, Debug)]
pub struct Calendar {
    now: i64,
    days: i64,
}

/// How much a person works on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shift {
    Free,
    Half,
    Full,
    TooLong,
}

impl Calendar {
    /// Returns the range of the `days` days before today, and of today until `now`.
    pub fn new(now: i64, days: i64) -> Self {
        Self { now, days }
    }

    /// Returns all windows of a person, sorted by start.
    pub fn of(&self, person: usize) -> Vec<Planned> {
        let mut windows: Vec<Planned> = (0..=self.days).rev().flat_map(|ago| self.day(person, ago)).collect();
        windows.retain(|window| window.start + MINUTE <= self.now);
        windows.iter_mut().for_each(|window| window.end = window.end.min(self.now));
        if let Some(at) = TRACKING.iter().position(|other| *other == person) {
            let since = self.now - MINUTES_TODAY[at] * MINUTE;
            windows.retain(|window| window.end <= since);
            let task = pick(&tasks_of(person, false), self.week(0), person);
            windows.extend(cut(task, since, self.now));
        }
        windows.sort_by_key(|window| (window.start, window.elsewhere));
        windows
    }

    /// Returns midnight UTC of the day that was `ago` days ago.
    fn midnight(&self, ago: i64) -> i64 {
        self.now - self.now.rem_euclid(DAY) - ago * DAY
    }

    /// Returns the weekday of the day that was `ago` days ago; 0 is Sunday. 1970-01-01 was a
    /// Thursday.
    fn weekday(&self, ago: i64) -> i64 {
        (self.midnight(ago) / DAY + 4) % 7
    }

    /// Returns the number of the week in which the day `ago` days ago lies. Weeks begin on Monday.
    fn week(&self, ago: i64) -> i64 {
        (self.midnight(ago) / DAY + 3) / 7
    }

    /// Returns how many days ago [`LONG_DAY`] worked too long: the first of 9, 10 and 11 days ago
    /// that was a Monday to Friday.
    fn long_day(&self) -> Option<i64> {
        (9..12).find(|ago| (1..=5).contains(&self.weekday(*ago)))
    }

    fn shift(&self, person: usize, ago: i64, rng: &mut Rng) -> Shift {
        let (weekday, lately) = (self.weekday(ago), ago <= 1);
        let away = AWAY.iter().any(|(who, from, to)| *who == person && (*from..=*to).contains(&ago));
        let bank_holiday = weekday == 1 && (21..28).contains(&ago);
        let ill = rng.one_in(40) && !lately;
        if person == LONG_DAY && Some(ago) == self.long_day() {
            Shift::TooLong
        } else if away || bank_holiday || ill || PEOPLE[person].free == Some(weekday) {
            Shift::Free
        } else if weekday == 0 || weekday == 6 {
            // Half of the people work on a weekend day that is today or yesterday. Otherwise a demo
            // that is started on a weekend or on a Monday would show no recent work.
            if lately && person.is_multiple_of(2) { Shift::Half } else { Shift::Free }
        } else if rng.one_in(12) || weekday == 5 && person == 8 {
            Shift::Half
        } else {
            Shift::Full
        }
    }

    fn day(&self, person: usize, ago: i64) -> Vec<Planned> {
        let mut rng = Rng::of(&[person as i64, self.midnight(ago) / DAY]);
        let shift = self.shift(person, ago, &mut rng);
        let late = 5 * rng.up_to(8);
        let (begins, mut left) = match shift {
            Shift::Free => return Vec::new(),
            Shift::Half => (PEOPLE[person].begins + late, 200 + 5 * rng.up_to(8)),
            Shift::Full => (PEOPLE[person].begins + late, 410 + 5 * rng.up_to(20)),
            Shift::TooLong => (360, 1_000),
        };
        let tasks = tasks_of(person, ago > FINISHED);
        let mut at = self.midnight(ago) + (begins - PEOPLE[person].offset) * MINUTE;
        let (mut windows, mut worked, mut eaten) = (Vec::new(), 0, shift == Shift::TooLong);
        while left > 0 {
            let length = 45 + 5 * rng.up_to(18);
            let length = if left - length < 30 { left } else { length };
            // About two thirds of the stretches of a person's week are on the same task.
            let turn = if rng.one_in(3) { rng.up_to(20) } else { self.week(ago) };
            windows.extend(cut(pick(&tasks, turn, person), at, at + length * MINUTE));
            (left, worked) = (left - length, worked + length);
            let lunch = worked >= 180 && !eaten;
            eaten |= lunch;
            let pause = if lunch { 30 + 5 * rng.up_to(6) } else { 5 * rng.up_to(3) };
            at += (length + pause.min(if shift == Shift::TooLong { 5 } else { pause })) * MINUTE;
        }
        let twice = (person == TWO_COMPUTERS[0] && ago == 1)
            || (person == TWO_COMPUTERS[1] && self.weekday(ago) == 4 && ago <= 28);
        if twice && let Some(first) = windows.first().map(|window| window.start + 20 * MINUTE) {
            let task = pick(&tasks, self.week(ago) + 1, person);
            let other = cut(task, first, first + 40 * MINUTE).map(|window| Planned { elsewhere: true, ..window });
            windows.extend(other);
        }
        windows
    }
}

fn pick(tasks: &[Place], turn: i64, person: usize) -> Place {
    tasks[(turn.unsigned_abs() as usize + person) % tasks.len()]
}

/// Cuts the time from `from` to `to` into windows of ten minutes. The last one may be shorter.
fn cut(task: Place, from: i64, to: i64) -> impl Iterator<Item = Planned> {
    let starts = (from..to).step_by((WINDOW * MINUTE) as usize);
    starts.map(move |start| Planned { task, start, end: (start + WINDOW * MINUTE).min(to), elsewhere: false })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use contracts::HOUR;

    use super::*;
    use crate::demo::{people::ACTIVE, projects::assigned};

    /// A Thursday evening in November 2026, UTC.
    const NOW: i64 = 1_795_721_400_000;

    /// Returns seven moments: [`NOW`], and six more with 27 hours between.
    fn nows() -> impl Iterator<Item = i64> {
        (0..7).map(|day| NOW + day * DAY + day * 3 * HOUR)
    }

    fn by_day(windows: &[Planned]) -> BTreeMap<i64, i64> {
        let mut sums = BTreeMap::new();
        for window in windows {
            *sums.entry(window.start.div_euclid(DAY)).or_default() += window.end - window.start;
        }
        sums
    }

    #[test]
    fn the_days_are_the_same_each_time() {
        let of = |now| (0..ACTIVE).map(|person| Calendar::new(now, 60).of(person)).collect::<Vec<_>>();
        assert_eq!(of(NOW), of(NOW));
    }

    #[test]
    fn nobody_is_at_two_places_on_one_computer_and_all_have_ended() {
        for now in nows() {
            for person in 0..ACTIVE {
                for elsewhere in [false, true] {
                    let windows = Calendar::new(now, 60).of(person);
                    let own: Vec<_> = windows.iter().filter(|window| window.elsewhere == elsewhere).collect();
                    assert!(own.windows(2).all(|two| two[0].end <= two[1].start), "{person}");
                    for window in own {
                        assert!(window.start < window.end && window.end <= now, "{window:?}");
                        assert!(window.end - window.start <= WINDOW * MINUTE, "{window:?}");
                        assert!(assigned(window.task).contains(&person), "{window:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn somebody_worked_yesterday_and_works_now_whatever_the_day() {
        for now in nows() {
            let calendar = Calendar::new(now, 10);
            let yesterday = now.div_euclid(DAY) - 1;
            let all: Vec<_> = (0..ACTIVE).map(|person| calendar.of(person)).collect();
            let worked = all.iter().filter(|windows| by_day(windows).contains_key(&yesterday)).count();
            assert!(worked >= 4, "{worked} people");
            let at_work = all.iter().filter(|windows| windows.last().is_some_and(|last| last.end == now)).count();
            assert!(at_work >= TRACKING.len(), "{at_work}");
            let twice = all.iter().flatten().filter(|window| window.elsewhere).count();
            assert!(twice > 0);
        }
    }

    #[test]
    fn days_are_of_a_length_that_people_work_but_for_one() {
        let calendar = Calendar::new(NOW, 60);
        let sums: Vec<_> = (0..ACTIVE).flat_map(|person| by_day(&calendar.of(person)).into_values()).collect();
        assert_eq!(sums.iter().filter(|sum| **sum > 16 * HOUR).count(), 1, "one long day");
        let half = sums.iter().filter(|sum| **sum < 5 * HOUR).count();
        let usual = sums.iter().filter(|sum| (6 * HOUR..10 * HOUR).contains(*sum)).count();
        assert!(half > 10 && usual > 5 * half, "{half} half days and {usual} usual ones of {}", sums.len());
        let away = by_day(&calendar.of(9));
        assert!(away.keys().all(|day| *day < NOW.div_euclid(DAY) - 5), "away");
    }
}
