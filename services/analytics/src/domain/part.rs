use std::collections::BTreeMap;

use contracts::{EmployeeId, TimeRange, WindowFact, counted};

/// The rule for windows of one employee that overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overlaps {
    /// Every second of an employee counts once: of the windows that cover it, in the one that
    /// starts first or, of windows with the same start, has the smallest id.
    CountOnce,
    /// Every window counts in full.
    CountAll,
}

/// A window, and the part of it that counts.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) fact: WindowFact,
    pub(crate) counts: TimeRange,
}

/// The parts of these windows that count, computed for each employee separately. Voided windows do
/// not count.
///
/// The result is right in a range if all windows that reach into the range are given. Windows that
/// do not reach into the range cannot change what counts there.
pub(crate) fn parts(facts: impl IntoIterator<Item = WindowFact>, overlaps: Overlaps) -> Vec<Part> {
    let mut by_employee: BTreeMap<EmployeeId, Vec<(TimeRange, WindowFact)>> = BTreeMap::new();
    for fact in facts.into_iter().filter(|fact| !fact.voided) {
        if let Ok(range) = TimeRange::new(fact.start, fact.end) {
            by_employee.entry(fact.employee_id).or_default().push((range, fact));
        }
    }
    let part = |(range, fact), counts: Option<TimeRange>| match overlaps {
        Overlaps::CountOnce => counts.map(|counts| Part { fact, counts }),
        Overlaps::CountAll => Some(Part { fact, counts: range }),
    };
    by_employee
        .into_values()
        .flat_map(|facts| counted(facts, |(range, fact)| (*range, fact.id)))
        .filter_map(|counted| part(counted.window, counted.counts))
        .collect()
}
