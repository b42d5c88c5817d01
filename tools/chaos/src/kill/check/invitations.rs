use std::collections::BTreeMap;

use super::{Outcome, state::State};
use crate::kill::ledger::Book;

/// Checks I7: an invitation is used at most once, and every invited employee got a mail.
pub(crate) fn used_once(book: &Book, state: &State) -> Outcome {
    let mut outcome = Outcome::new("I7 invitations");
    for (employee, invited) in &book.invited {
        for times in invited.used.values() {
            outcome.check(*times < 2, employee, || format!("an invitation was used {times} times"));
        }
        let exists = state.edges.employees.contains_key(employee);
        outcome.check(exists, employee, || format!("{} was invited and does not exist", invited.email));
    }
    // This includes employees whose creation was never answered.
    for employee in state.edges.employees.values() {
        let is_mailed = state.mailed.contains(&employee.email.to_lowercase());
        outcome.check(is_mailed, employee.id, || format!("{} got no mail", employee.email));
    }
    let mut used: BTreeMap<_, usize> = BTreeMap::new();
    for invitation in state.invitations.iter().filter(|invitation| invitation.used_at.is_some()) {
        *used.entry(invitation.employee).or_default() += 1;
    }
    for (employee, times) in used {
        outcome.check(times < 2, employee, || format!("{times} invitations are used"));
    }
    outcome
}

#[cfg(test)]
mod tests {
    use contracts::Millis;

    use super::*;
    use crate::kill::{
        check::{
            state::InvitationRow,
            tests::{ANN, only, settled},
        },
        ledger::Invited,
    };

    #[test]
    fn an_invitation_that_is_used_twice_is_found_whoever_tells() {
        let used = |times| Book {
            invited: [(ANN, Invited { email: "ann@x.org".into(), used: [("t".to_owned(), times)].into() })].into(),
            ..Book::default()
        };
        assert_eq!(used_once(&used(1), &settled()).findings, []);
        assert!(only(&used_once(&used(2), &settled())).contains("used 2 times"));
        let invitation = InvitationRow { employee: ANN, used_at: Some(Millis(1)) };
        let state = State { invitations: vec![invitation.clone(), invitation], ..settled() };
        assert!(only(&used_once(&used(1), &state)).contains("2 invitations"));
    }

    #[test]
    fn somebody_who_got_no_mail_is_found() {
        let state = State { mailed: Default::default(), ..settled() };
        assert!(only(&used_once(&Book::default(), &state)).contains("no mail"));
    }
}
