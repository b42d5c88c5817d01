use std::collections::BTreeMap;

use contracts::{EmployeeId, TimeRange, WindowFact, counted};

/// What happens to time that several windows of an employee cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overlaps {
    /// Every second of an employee counts once.
    CountOnce,
    /// Every window counts whole.
    CountAll,
}

/// The part of a window that counts.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) fact: WindowFact,
    pub(crate) counts: TimeRange,
}

/// What counts of these windows, each employee's on their own; voided ones do not.
///
/// It is right inside a range for which all windows were loaded that reach into it. A window that
/// is not among them ends before the range, and takes nothing away inside.
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
