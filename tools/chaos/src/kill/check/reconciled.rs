use super::{Outcome, state::State};

/// Checks I6 by the services themselves: when they compare their copies with the owners, they find
/// no difference.
pub(crate) fn nothing_found(state: &State) -> Outcome {
    let mut outcome = Outcome::new("I6 the services' own comparison of copies finds nothing");
    for line in state.reconciled.lines() {
        // A line has the service and the numbers of entries compared, found different and repaired.
        // Any other line is an error.
        let [service, _, found, _] = line.split('\t').collect::<Vec<_>>()[..] else {
            outcome.check(false, "timetrack reconcile", || line.to_owned());
            continue;
        };
        outcome
            .check(found == "0", service, || format!("{found} entries of copies were not as their owner knows them"));
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kill::check::tests::only;

    #[test]
    fn what_is_found_and_what_cannot_be_compared_is_told_and_nothing_is_none() {
        let said = |lines: &str| nothing_found(&State { reconciled: lines.into(), ..State::default() });
        assert_eq!(said("projects\t12\t0\t0\ndirectory\t40\t0\t0\n").findings, []);
        assert!(only(&said("projects\t12\t0\t0\ndirectory\t40\t3\t3\n")).starts_with("3 entries"));
        assert!(only(&said("directory: The message bus is away.\n")).contains("away"));
    }
}
