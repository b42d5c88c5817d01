use contracts::{Code, Failure, Millis, Standing};

/// Refuses employees who do not exist or are deactivated.
///
/// # Errors
/// 400.
pub(crate) fn require_active(wanted: usize, standings: &[Standing]) -> Result<(), Failure> {
    if standings.len() < wanted {
        return Err(Failure::new(Code::UnknownEmployee, "One of the employees does not exist. Create them first."));
    }
    if standings.iter().any(|standing| standing.deactivated_at.is_some()) {
        let detail = "One of the employees is deactivated. Reactivate them first, or leave them out.";
        return Err(Failure::new(Code::EmployeeDeactivated, detail));
    }
    Ok(())
}

/// When the epoch ended: the time of the deactivation after it.
pub(crate) fn ended_at(standing: &Standing, epoch: i64) -> Option<Millis> {
    let since = usize::try_from(standing.epoch - epoch - 1).ok()?;
    let deactivations = standing.active.iter().flatten().filter_map(|term| term.until);
    deactivations.rev().nth(since).or(standing.deactivated_at)
}

#[cfg(test)]
mod tests {
    use contracts::{EmployeeId, Term};
    use uuid::Uuid;

    use super::*;

    fn standing(epoch: i64, active: &[(i64, Option<i64>)]) -> Standing {
        let term = |(from, until): &(i64, Option<i64>)| Term { from: Some(Millis(*from)), until: until.map(Millis) };
        Standing {
            id: EmployeeId(Uuid::nil()),
            version: 1,
            epoch,
            deactivated_at: None,
            active: Some(active.iter().map(term).collect()),
        }
    }

    #[test]
    fn what_was_bound_in_an_epoch_ended_with_the_deactivation_after_it() {
        let twice = standing(2, &[(0, Some(10)), (20, Some(30)), (40, None)]);
        assert_eq!(ended_at(&twice, 0), Some(Millis(10)));
        assert_eq!(ended_at(&twice, 1), Some(Millis(30)));
        assert_eq!(ended_at(&twice, 2), None, "it has not ended");
    }

    #[test]
    fn where_directory_does_not_say_when_it_is_the_present_deactivation_that_counts() {
        let standing = Standing { deactivated_at: Some(Millis(10)), active: None, ..standing(3, &[]) };
        assert_eq!(ended_at(&standing, 0), Some(Millis(10)));
        assert_eq!(ended_at(&Standing { deactivated_at: None, ..standing }, 0), None);
    }
}
