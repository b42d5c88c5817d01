use contracts::{Code, EmployeeState, Failure, Millis};

/// Refuses employees who do not exist or are deactivated.
///
/// # Errors
/// 400.
pub(crate) fn require_active(wanted: usize, employee_states: &[EmployeeState]) -> Result<(), Failure> {
    if employee_states.len() < wanted {
        return Err(Failure::new(Code::UnknownEmployee, "One of the employees does not exist. Create them first."));
    }
    if employee_states.iter().any(|employee_state| employee_state.deactivated_at.is_some()) {
        let detail = "One of the employees is deactivated. Reactivate them first, or leave them out.";
        return Err(Failure::new(Code::EmployeeDeactivated, detail));
    }
    Ok(())
}

/// When this epoch ended: the time of the deactivation that began the next epoch, or of the present
/// deactivation if the other one is not known. None if the epoch has not ended, or if neither time
/// is known.
pub(crate) fn ended_at(employee_state: &EmployeeState, epoch: i64) -> Option<Millis> {
    let since = usize::try_from(employee_state.epoch - epoch - 1).ok()?;
    let deactivations = employee_state.active.iter().flatten().filter_map(|term| term.until);
    deactivations.rev().nth(since).or(employee_state.deactivated_at)
}

#[cfg(test)]
mod tests {
    use contracts::{EmployeeId, Term};
    use uuid::Uuid;

    use super::*;

    fn employee_state(epoch: i64, active: &[(i64, Option<i64>)]) -> EmployeeState {
        let term = |(from, until): &(i64, Option<i64>)| Term { from: Some(Millis(*from)), until: until.map(Millis) };
        EmployeeState {
            id: EmployeeId(Uuid::nil()),
            version: 1,
            epoch,
            deactivated_at: None,
            active: Some(active.iter().map(term).collect()),
        }
    }

    #[test]
    fn what_was_bound_in_an_epoch_ended_with_the_deactivation_after_it() {
        let twice = employee_state(2, &[(0, Some(10)), (20, Some(30)), (40, None)]);
        assert_eq!(ended_at(&twice, 0), Some(Millis(10)));
        assert_eq!(ended_at(&twice, 1), Some(Millis(30)));
        assert_eq!(ended_at(&twice, 2), None, "it has not ended");
    }

    #[test]
    fn where_directory_does_not_say_when_it_is_the_present_deactivation_that_counts() {
        let employee_state = EmployeeState { deactivated_at: Some(Millis(10)), active: None, ..employee_state(3, &[]) };
        assert_eq!(ended_at(&employee_state, 0), Some(Millis(10)));
        assert_eq!(ended_at(&EmployeeState { deactivated_at: None, ..employee_state }, 0), None);
    }
}
