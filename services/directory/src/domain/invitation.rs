use contracts::{EmployeeId, HOUR, InvitationId, Millis};

use super::{Employee, MintedHash, TokenHash, add_token};

/// How long a token is valid, in milliseconds. The token is made when the mail is sent, so that a
/// delay of the mail does not shorten this time.
const VALIDITY: i64 = 72 * HOUR;

/// An invitation of an employee. It is never deleted, so that the service can tell why an old link
/// does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invitation {
    pub(crate) id: InvitationId,
    pub(crate) employee: EmployeeId,
    pub(crate) requested_at: Millis,
    pub(crate) tokens: Vec<MintedHash>,
    pub(crate) used_at: Option<Millis>,
    /// When a deactivation ended the invitation. A replaced invitation needs no such time:
    /// `Employee::invitation` names the last one.
    pub(crate) closed_at: Option<Millis>,
}

impl Invitation {
    /// A new invitation, without tokens.
    pub(crate) fn new(id: InvitationId, employee: EmployeeId, now: Millis) -> Self {
        Self { id, employee, requested_at: now, tokens: Vec::new(), used_at: None, closed_at: None }
    }

    /// Whether the invitation can still be used. If not, its mail need not be sent.
    pub(crate) fn is_open(&self, employee: &Employee) -> bool {
        self.id == employee.invitation
            && self.used_at.is_none()
            && self.closed_at.is_none()
            && employee.awaits_activation()
    }

    /// Adds a token, and returns the time at which the token expires.
    pub(crate) fn add_token(&mut self, hash: TokenHash, now: Millis) -> Millis {
        add_token(&mut self.tokens, hash, now + VALIDITY)
    }

    /// What a token of this invitation can be used for now.
    pub(crate) fn look_at(&self, token: &TokenHash, employee: &Employee, now: Millis) -> contracts::Invitation {
        let Some(token) = self.tokens.iter().find(|known| known.hash == *token) else {
            return contracts::Invitation::Unknown;
        };
        // The answer is `Used` even if another invitation was used: an active employee is told to
        // log in.
        if employee.is_active() {
            contracts::Invitation::Used
        } else if self.is_open(employee) && now < token.expires_at {
            contracts::Invitation::Open { name: employee.name.clone(), email: employee.email.clone() }
        } else {
            contracts::Invitation::Expired
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::{Invitation as Good, Secret};

    use super::*;
    use crate::domain::employee::tests::ann;

    const NOW: Millis = Millis(1_000_000);

    fn hash(token: &str) -> TokenHash {
        TokenHash::of(&Secret::new(token))
    }

    fn invited() -> (Employee, Invitation) {
        let ann = ann();
        let mut invitation = Invitation::new(ann.invitation, ann.id, NOW);
        invitation.add_token(hash("first"), NOW);
        (ann, invitation)
    }

    #[test]
    fn a_token_is_good_for_72_hours_to_the_millisecond() {
        let (ann, invitation) = invited();
        let look = |now| invitation.look_at(&hash("first"), &ann, now);
        assert!(matches!(look(NOW + (72 * HOUR - 1)), Good::Open { .. }));
        assert_eq!(look(NOW + 72 * HOUR), Good::Expired);
        assert_eq!(invitation.look_at(&hash("other"), &ann, NOW), Good::Unknown);
    }

    #[test]
    fn of_many_tokens_the_last_five_are_good() {
        let (ann, mut invitation) = invited();
        for token in ["2", "3", "4", "5", "6"] {
            invitation.add_token(hash(token), NOW);
        }
        assert_eq!(invitation.look_at(&hash("first"), &ann, NOW), Good::Unknown);
        for token in ["2", "6"] {
            assert!(matches!(invitation.look_at(&hash(token), &ann, NOW), Good::Open { .. }));
        }
    }

    #[test]
    fn a_fresh_invitation_ends_the_older_one() {
        let (mut ann, invitation) = invited();
        ann.invite(kit::new_id(), NOW).unwrap();
        assert_eq!(invitation.look_at(&hash("first"), &ann, NOW), Good::Expired);
        assert!(!invitation.is_open(&ann));
    }

    #[test]
    fn whoever_is_active_is_told_to_log_in_and_whoever_is_deactivated_is_not() {
        let (mut ann, mut invitation) = invited();
        ann.activate(NOW);
        invitation.used_at = Some(NOW);
        assert_eq!(invitation.look_at(&hash("first"), &ann, NOW), Good::Used);
        ann.deactivate(NOW).unwrap();
        assert_eq!(invitation.look_at(&hash("first"), &ann, NOW), Good::Expired);
        ann.reactivate(Millis(2_000)).unwrap();
        assert_eq!(invitation.look_at(&hash("first"), &ann, NOW), Good::Used);
    }
}
