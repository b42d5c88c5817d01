//! The names of employees on pages.

use contracts::{EmployeeId, Name};

use crate::names::KnownNames;

/// The name of an employee, or a replacement text if the name is not known.
pub(super) fn name(names: &KnownNames, id: EmployeeId) -> &str {
    names.employees.get(&id).map_or("somebody without a name", Name::as_str)
}

/// Sorts employees by name.
pub(super) fn sorted(names: &KnownNames, employees: &[EmployeeId]) -> Vec<EmployeeId> {
    let mut sorted = employees.to_vec();
    sorted.sort_by_cached_key(|id| (name(names, *id).to_lowercase(), *id));
    sorted
}
