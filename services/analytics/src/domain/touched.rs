use std::collections::{BTreeMap, BTreeSet};

use contracts::{EmployeeId, HOUR, TimeRange};

use super::{EmployeeDay, EmployeeMonth, Place, UtcMonth};

/// The shortest gap between two touched ranges, in milliseconds. Ranges with a shorter gap become
/// one.
const NEAR: i64 = HOUR;

/// The time ranges of each employee that must be recomputed: in order, without overlaps.
///
/// What counts at a moment depends only on the windows that cover the moment. So a new, voided or
/// changed window matters only in its present and its former time range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Touched(BTreeMap<EmployeeId, Vec<TimeRange>>);

impl Touched {
    /// The union of these time ranges, for each employee. Gaps shorter than [`NEAR`] are included.
    pub(crate) fn by(places: impl IntoIterator<Item = Place>) -> Self {
        let mut ranges: BTreeMap<EmployeeId, Vec<TimeRange>> = BTreeMap::new();
        for Place { employee, start, end } in places {
            ranges.entry(employee).or_default().extend(TimeRange::new(start, end));
        }
        Self(ranges.into_iter().map(|(employee, ranges)| (employee, merged(ranges))).collect())
    }

    /// All time ranges, each with its employee.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> {
        let place = |employee, range: &TimeRange| Place { employee, start: range.start(), end: range.end() };
        self.0.iter().flat_map(move |(employee, ranges)| ranges.iter().map(move |range| place(*employee, range)))
    }

    /// The time ranges, divided by employee and UTC month.
    pub(crate) fn months(&self) -> BTreeMap<EmployeeMonth, Self> {
        let mut months: BTreeMap<EmployeeMonth, Vec<Place>> = BTreeMap::new();
        for place in self.places() {
            let range = TimeRange::new(place.start, place.end);
            for month in place.days().map(|day| day.month()).collect::<BTreeSet<_>>() {
                let inside = range.ok().and_then(|range| range.clip(month.month.range()));
                let part = inside.map(|range| Place { start: range.start(), end: range.end(), ..place });
                months.entry(month).or_default().extend(part);
            }
        }
        months.into_iter().map(|(month, places)| (month, Self::by(places))).collect()
    }

    /// The UTC days of employees that are touched only in part. Recomputing them also needs their
    /// former stretches.
    pub(crate) fn days_touched_partly(&self) -> impl Iterator<Item = EmployeeDay> {
        self.places().flat_map(|place| {
            place.days().filter(move |day| {
                let whole = TimeRange::of_utc_day(day.day);
                place.start > whole.start() || place.end < whole.end()
            })
        })
    }

    /// The UTC days on which the time of any employee is touched, by UTC month.
    pub(crate) fn days(&self) -> BTreeMap<UtcMonth, BTreeSet<i64>> {
        let mut days: BTreeMap<UtcMonth, BTreeSet<i64>> = BTreeMap::new();
        for day in self.places().flat_map(Place::days) {
            days.entry(day.month().month).or_default().insert(day.day);
        }
        days
    }
}

fn merged(mut ranges: Vec<TimeRange>) -> Vec<TimeRange> {
    ranges.sort_unstable_by_key(|range| range.start());
    let mut merged: Vec<TimeRange> = Vec::with_capacity(ranges.len());
    for next in ranges {
        match merged.last_mut() {
            Some(last) if next.start() - last.end() < NEAR => {
                *last = TimeRange::new(last.start(), last.end().max(next.end())).unwrap_or(*last);
            }
            _ => merged.push(next),
        }
    }
    merged
}
