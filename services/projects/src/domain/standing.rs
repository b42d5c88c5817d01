use contracts::{Code, Failure, Standing};

/// Refuses to put the unknown and the deactivated on anything.
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
