//! The names of employees on pages.

use contracts::{EmployeeId, Name};

use crate::names::Told;

/// The name of an employee.
pub(super) fn name(told: &Told, id: EmployeeId) -> &str {
    told.employees.get(&id).map_or("somebody without a name", Name::as_str)
}

/// These employees, sorted by name.
pub(super) fn sorted(told: &Told, employees: &[EmployeeId]) -> Vec<EmployeeId> {
    let mut sorted = employees.to_vec();
    sorted.sort_by_cached_key(|id| (name(told, *id).to_lowercase(), *id));
    sorted
}
