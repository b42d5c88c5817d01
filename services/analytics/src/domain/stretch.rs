use std::collections::{BTreeMap, BTreeSet};

use contracts::{Money, ProjectId, Rate, TaskId, TimeRange, WindowFact};

use super::{EmployeeDay, Part, Place, Total};

/// What is worked on, and what an hour of it costs and earns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Work {
    pub(crate) project: ProjectId,
    pub(crate) task: TaskId,
    pub(crate) cost: Rate,
    pub(crate) income: Rate,
}

impl Work {
    /// The work of a window.
    fn of(fact: &WindowFact) -> Self {
        let (project, task) = (fact.project_id, fact.task_id);
        Self { project, task, cost: fact.cost_rate(), income: fact.income_rate() }
    }
}

/// Time that counts, of one day of an employee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) counts: TimeRange,
    pub(crate) work: Work,
}

impl Stretch {
    /// What it sums up to.
    pub(crate) fn total(self) -> Total {
        let time = self.counts.length();
        Total { time, costs: Money::of(self.work.cost, time), income: Money::of(self.work.income, time) }
    }

    /// The part of it inside a range.
    pub(crate) fn within(self, range: TimeRange) -> Option<Self> {
        Some(Self { counts: self.counts.clip(range)?, ..self })
    }
}

/// What counts on each of these days in the order of time, out of parts that hold all of it. Where
/// the same work goes on, it is one stretch, however many windows it was sent in.
pub(crate) fn stretches(days: &BTreeSet<EmployeeDay>, parts: &[Part]) -> BTreeMap<EmployeeDay, Vec<Stretch>> {
    let mut of_days: BTreeMap<EmployeeDay, Vec<Stretch>> = days.iter().map(|day| (*day, Vec::new())).collect();
    for Part { fact, counts } in parts {
        let whole = Stretch { counts: *counts, work: Work::of(fact) };
        let place = Place { employee: fact.employee_id, start: counts.start(), end: counts.end() };
        for day in place.days() {
            if let Some(of_day) = of_days.get_mut(&day) {
                of_day.extend(whole.within(TimeRange::of_utc_day(day.day)));
            }
        }
    }
    of_days.into_iter().map(|(day, stretches)| (day, joined(stretches))).collect()
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
