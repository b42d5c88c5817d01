use std::collections::{BTreeMap, BTreeSet};

use contracts::{
    CountedSum, EmployeeId, Money, PricedPart, ProjectId, Rate, TaskId, TimeMark, TimeRange, WINDOW_MOST, WindowFact,
};

use super::{EmployeeDay, Part, Total, Touched};

/// A project and task, with the cost and the income of one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Work {
    pub(crate) project: ProjectId,
    pub(crate) task: TaskId,
    pub(crate) cost: Rate,
    pub(crate) income: Rate,
}

/// A time range that counts for an employee, on one project and task at one price. Stored stretches
/// are within one UTC day each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) counts: TimeRange,
    pub(crate) work: Work,
}

impl Stretch {
    /// The stretches of the part `counts` of a window, one for each price.
    fn of(fact: &WindowFact, counts: TimeRange) -> impl Iterator<Item = Self> {
        let (project, task) = (fact.project_id, fact.task_id);
        fact.parts_within(counts).map(move |PricedPart { range, cost, income }| Self {
            counts: range,
            work: Work { project, task, cost, income },
        })
    }

    /// The time, costs and income of this stretch.
    pub(crate) fn total(self) -> Total {
        let time = self.counts.length();
        Total { time, costs: Money::of(self.work.cost, time), income: Money::of(self.work.income, time) }
    }

    /// The hash of this stretch.
    pub(crate) fn mark(self) -> TimeMark {
        let Work { project, task, cost, income } = self.work;
        TimeMark::of(project, task, cost, income, self.counts)
    }

    /// The sum and the hash of this stretch.
    pub(crate) fn sum(self) -> CountedSum {
        self.total().marked(self.mark())
    }

    /// The part of this stretch in a range; none if it is outside.
    pub(crate) fn within(self, range: TimeRange) -> Option<Self> {
        Some(Self { counts: self.counts.clip(range)?, ..self })
    }

    /// The parts of this stretch before and after a range.
    fn outside(self, range: TimeRange) -> impl Iterator<Item = Self> {
        let (start, end) = (self.counts.start(), self.counts.end());
        let rest = [(start, end.min(range.start())), (start.max(range.end()), end)];
        rest.into_iter().filter_map(move |(start, end)| {
            let counts = TimeRange::new(start, end).ok()?;
            Some(Self { counts, ..self })
        })
    }
}

/// The stretches of each of these days, in order of time. `parts` must contain every part that
/// reaches into them.
pub(crate) fn stretches(days: &BTreeSet<EmployeeDay>, parts: &[Part]) -> BTreeMap<EmployeeDay, Vec<Stretch>> {
    anew(&Touched::by(days.iter().map(|day| day.place())), days.iter().map(|day| (*day, Vec::new())).collect(), parts)
}

/// The new stretches of days that were touched. Outside of the touched time, the stretches of
/// `days` stay. Inside the touched time, the stretches are those of `parts`, which must contain
/// every part that counts in the touched time.
///
/// Consecutive time on the same project and task at the same price is one stretch, even if it came
/// in several windows.
pub(crate) fn anew(
    touched: &Touched,
    mut days: BTreeMap<EmployeeDay, Vec<Stretch>>,
    parts: &[Part],
) -> BTreeMap<EmployeeDay, Vec<Stretch>> {
    let mut of_employees: BTreeMap<EmployeeId, Vec<Stretch>> = BTreeMap::new();
    for Part { fact, counts } in parts {
        of_employees.entry(fact.employee_id).or_default().extend(Stretch::of(fact, *counts));
    }
    // The search below needs stretches in order of start. If every window counts in full, a later
    // price part of one window may start after the next window starts.
    of_employees.values_mut().for_each(|stretches| stretches.sort_by_key(|stretch| stretch.counts.start()));
    for place in touched.places() {
        let inside = of_employees.get(&place.employee).map_or(&[][..], Vec::as_slice);
        // The stretches are in order of start, and none is longer than a window can be. So only
        // those between `from` and `until` can reach into the touched time.
        let from = inside.partition_point(|stretch| stretch.counts.start() <= place.start - WINDOW_MOST);
        let until = inside.partition_point(|stretch| stretch.counts.start() < place.end);
        for day in place.days() {
            let Ok(range) = TimeRange::new(place.start, place.end) else { continue };
            let Some(range) = range.clip(TimeRange::of_utc_day(day.day)) else { continue };
            let of_day = days.entry(day).or_default();
            if !kit::is_mutant("bare_increments") {
                *of_day = of_day.iter().flat_map(|stretch| stretch.outside(range)).collect();
            }
            of_day.extend(inside.get(from..until).unwrap_or_default().iter().filter_map(|one| one.within(range)));
        }
    }
    days.into_iter().map(|(day, stretches)| (day, joined(stretches))).collect()
}

fn joined(mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    stretches.sort_by_key(|stretch| (stretch.counts.start(), stretch.counts.end()));
    let mut joined: Vec<Stretch> = Vec::with_capacity(stretches.len());
    for next in stretches {
        match joined.last_mut() {
            Some(last) if last.work == next.work && last.counts.end() == next.counts.start() => {
                last.counts = TimeRange::new(last.counts.start(), next.counts.end()).unwrap_or(last.counts);
            }
            _ => joined.push(next),
        }
    }
    joined
}
