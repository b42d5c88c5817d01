use contracts::{Email, EmployeeId, HOUR, Link, LinkTo, MailId, Millis};
use serde::{Deserialize, Serialize};

use super::{Employee, MintedHash, TokenHash, add_token};

/// How long a link to set a password is valid, in milliseconds from the sending of its mail.
const RESET_VALIDITY: i64 = HOUR / 2;
/// How long a link to confirm an address is valid, in milliseconds from the sending of its mail.
const CONFIRMATION_VALIDITY: i64 = 72 * HOUR;
/// How long after its request a mail with a link to set a password may be sent, in milliseconds.
/// Later the mail is dropped.
const RESET_PATIENCE: i64 = HOUR;

/// The kind of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum About {
    /// A link to set a new password.
    Reset,
    /// A link to confirm an address.
    Confirmation,
    /// A notice that the password was changed.
    PasswordChanged,
    /// A notice to the former address that the employee has another address now.
    AddressChanged,
}

/// A mail to an employee; invitations are a type of their own. The text of the mail is made when it
/// is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) id: MailId,
    pub(crate) about: About,
    /// The recipient. None if the requested address is unknown: the mail is stored nevertheless, so
    /// that the answer takes as long as for a known address.
    pub(crate) to: Option<Recipient>,
    pub(crate) requested_at: Millis,
    /// The hashes of the tokens in the mail's links.
    pub(crate) tokens: Vec<MintedHash>,
    /// When a link of the mail was used, or when another change made its links invalid.
    pub(crate) closed_at: Option<Millis>,
}

/// The employee and the address that a mail goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recipient {
    pub(crate) employee: EmployeeId,
    pub(crate) email: Email,
}

impl Mail {
    /// A mail to the current address of an employee.
    pub(crate) fn new(about: About, employee: &Employee, now: Millis) -> Self {
        Self::to(about, employee, employee.email.clone(), now)
    }

    /// A mail to another address of an employee.
    pub(crate) fn to(about: About, employee: &Employee, email: Email, now: Millis) -> Self {
        let to = Some(Recipient { employee: employee.id, email });
        Self { to, ..Self::to_nobody(about, now) }
    }

    /// The mail for a forgotten password: a link to set a new password. An unconfirmed address may
    /// belong to a stranger, who must not be able to set the password. Such an address gets a link
    /// to confirm the address instead, and whoever uses this link must also enter the current
    /// password. An employee who does not know the password needs an admin. Without an employee,
    /// the mail has no recipient.
    pub(crate) fn for_forgotten(employee: Option<&Employee>, now: Millis) -> Self {
        match employee {
            Some(employee) if employee.email_unconfirmed => Self::new(About::Confirmation, employee, now),
            Some(employee) => Self::new(About::Reset, employee, now),
            None => Self::to_nobody(About::Reset, now),
        }
    }

    fn to_nobody(about: About, now: Millis) -> Self {
        Self { id: kit::new_id(), about, to: None, requested_at: now, tokens: Vec::new(), closed_at: None }
    }

    /// Whether the mail should still be sent.
    pub(crate) fn is_wanted(&self, employee: &Employee, now: Millis) -> bool {
        match self.about {
            About::Reset => self.is_open(employee) && now < self.requested_at + RESET_PATIENCE,
            About::Confirmation => self.is_open(employee),
            About::PasswordChanged | About::AddressChanged => true,
        }
    }

    /// Adds the token of a link, and returns the time at which the token expires.
    pub(crate) fn add_token(&mut self, hash: TokenHash, now: Millis) -> Millis {
        let validity = if self.about == About::Confirmation { CONFIRMATION_VALIDITY } else { RESET_VALIDITY };
        add_token(&mut self.tokens, hash, now + validity)
    }

    /// What a token of this mail can be used for now.
    pub(crate) fn look_at(&self, token: &TokenHash, to: LinkTo, employee: &Employee, now: Millis) -> Link {
        let about = match to {
            LinkTo::Reset => About::Reset,
            LinkTo::Confirmation => About::Confirmation,
        };
        let Some(token) = self.tokens.iter().find(|known| known.hash == *token && self.about == about) else {
            return Link::Unknown;
        };
        if self.is_open(employee) && now < token.expires_at {
            Link::Open { name: employee.name.clone(), email: employee.email.clone() }
        } else {
            Link::Over
        }
    }

    /// Whether the mail's links can still be used. A link is valid only while the employee has the
    /// address that it was mailed to.
    fn is_open(&self, employee: &Employee) -> bool {
        let is_theirs =
            self.to.as_ref().is_some_and(|to| to.employee == employee.id && to.email.key() == employee.email.key());
        let has_use = self.about == About::Reset || employee.email_unconfirmed;
        self.closed_at.is_none() && is_theirs && has_use && employee.is_active()
    }
}

#[cfg(test)]
mod tests {
    use contracts::{EmployeeChanges, Secret};

    use super::*;
    use crate::domain::employee::tests::ann;

    const NOW: Millis = Millis(1_000_000);

    fn hash(token: &str) -> TokenHash {
        TokenHash::of(&Secret::new(token))
    }

    fn active() -> Employee {
        let mut ann = ann();
        ann.activate(NOW);
        ann
    }

    fn moved(employee: &mut Employee) {
        let email = Some(Email::parse("ann@y.org").unwrap());
        employee.update(EmployeeChanges { email, ..Default::default() }).unwrap();
    }

    fn mailed(about: About, employee: &Employee) -> Mail {
        let mut mail = Mail::new(about, employee, NOW);
        mail.add_token(hash("token"), NOW);
        mail
    }

    fn is_open(link: &Link) -> bool {
        matches!(link, Link::Open { .. })
    }

    #[test]
    fn a_link_to_set_a_password_is_good_for_30_minutes_to_the_millisecond() {
        let ann = active();
        let mail = mailed(About::Reset, &ann);
        let look = |now| mail.look_at(&hash("token"), LinkTo::Reset, &ann, now);
        assert!(is_open(&look(NOW + (HOUR / 2 - 1))));
        assert_eq!(look(NOW + HOUR / 2), Link::Over);
        assert_eq!(mail.look_at(&hash("other"), LinkTo::Reset, &ann, NOW), Link::Unknown);
    }

    #[test]
    fn a_link_is_good_for_what_it_was_mailed_for_and_for_nothing_else() {
        let mut ann = active();
        let reset = mailed(About::Reset, &ann);
        assert_eq!(reset.look_at(&hash("token"), LinkTo::Confirmation, &ann, NOW), Link::Unknown);
        moved(&mut ann);
        let confirmation = mailed(About::Confirmation, &ann);
        assert_eq!(confirmation.look_at(&hash("token"), LinkTo::Reset, &ann, NOW), Link::Unknown);
        assert!(is_open(&confirmation.look_at(&hash("token"), LinkTo::Confirmation, &ann, NOW)));
    }

    #[test]
    fn a_link_does_not_follow_somebody_to_another_address() {
        let mut ann = active();
        let mail = mailed(About::Reset, &ann);
        moved(&mut ann);
        assert_eq!(mail.look_at(&hash("token"), LinkTo::Reset, &ann, NOW), Link::Over);
        assert!(!mail.is_wanted(&ann, NOW));
    }

    #[test]
    fn nobody_sets_a_password_before_the_account_is_active_or_once_it_is_deactivated() {
        let mut ann = ann();
        assert!(!Mail::new(About::Reset, &ann, NOW).is_wanted(&ann, NOW));
        ann.activate(NOW);
        let mail = mailed(About::Reset, &ann);
        ann.deactivate(NOW).unwrap();
        assert_eq!(mail.look_at(&hash("token"), LinkTo::Reset, &ann, NOW), Link::Over);
    }

    #[test]
    fn a_link_that_waited_for_an_hour_is_not_mailed_and_word_of_a_change_always_is() {
        let ann = active();
        let later = NOW + HOUR;
        assert!(Mail::new(About::Reset, &ann, NOW).is_wanted(&ann, later - 1));
        assert!(!Mail::new(About::Reset, &ann, NOW).is_wanted(&ann, later));
        assert!(Mail::new(About::PasswordChanged, &ann, NOW).is_wanted(&ann, later));
    }

    #[test]
    fn whoever_forgets_the_password_at_an_address_that_may_be_a_strangers_is_to_confirm_it_first() {
        let mut ann = active();
        assert_eq!(Mail::for_forgotten(Some(&ann), NOW).about, About::Reset);
        moved(&mut ann);
        assert_eq!(Mail::for_forgotten(Some(&ann), NOW).about, About::Confirmation);
        ann.confirm_email();
        assert_eq!(Mail::for_forgotten(Some(&ann), NOW).about, About::Reset);
        assert_eq!(Mail::for_forgotten(None, NOW).to, None);
    }
}
