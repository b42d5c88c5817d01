use contracts::{
    AccountChanged, AccountId, Code, CreateEmployee, Email, EmployeeChanged, EmployeeChanges, EmployeeId,
    EmployeeState, Failure, InvitationId, Label, LoggedIn, Millis, Name, ProjectId, Role, SessionId, StartedSession,
    SystemPermissions, TeamId, Term,
};

use super::{Delivery, Invitation};

/// The most computers of one employee whose permissions are stored.
const MOST_COMPUTERS: usize = 100;

/// An employee and their account: the main aggregate of this service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Employee {
    pub(crate) id: EmployeeId,
    /// The number of changes, the creation included. Changes of `projects` and `team` and the
    /// mailer's reports about a delivery do not count.
    pub(crate) version: i64,
    /// The number of deactivations. Tokens and memberships of an older epoch are invalid.
    pub(crate) epoch: i64,
    /// The number of changes that ended sessions but not memberships, such as a change of role.
    pub(crate) generation: i64,
    /// The session that the last increase of `generation` did not end.
    pub(crate) spared: Option<SessionId>,
    pub(crate) role: Role,
    pub(crate) account_id: AccountId,
    pub(crate) name: Name,
    pub(crate) email: Email,
    /// The normalised address, for comparison. It stays in the form of an earlier normalisation if
    /// another employee has the same address in today's form.
    pub(crate) email_key: String,
    /// Whether the employee must still confirm a changed address.
    pub(crate) email_unconfirmed: bool,
    pub(crate) title: Option<Label>,
    /// The team of the employee. The members of a team are stored only here.
    pub(crate) team: Option<TeamId>,
    /// The projects that the employee is a member of: a copy of the memberships, which the service
    /// `projects` owns.
    pub(crate) projects: Vec<ProjectId>,
    pub(crate) permissions: Vec<SystemPermissions>,
    /// The last invitation. All earlier invitations are invalid.
    pub(crate) invitation: InvitationId,
    pub(crate) invited_at: Millis,
    /// The delivery state of the last invitation. None if an earlier version of this service, which
    /// did not store the state, has made the invitation.
    pub(crate) delivery: Option<Delivery>,
    /// When the employee first set a password.
    pub(crate) activated_at: Option<Millis>,
    pub(crate) deactivated_at: Option<Millis>,
    /// The intervals in which the employee was not deactivated. Only the last interval can be
    /// without an end.
    pub(crate) active: Vec<Term>,
    pub(crate) created_at: Millis,
}

impl Employee {
    /// Makes an employee, and the invitation that must be mailed.
    pub(crate) fn create(
        id: EmployeeId,
        account_id: AccountId,
        invitation: InvitationId,
        request: CreateEmployee,
        now: Millis,
    ) -> (Self, Invitation) {
        let employee = Self {
            id,
            version: 1,
            epoch: 0,
            generation: 0,
            spared: None,
            role: Role::Employee,
            account_id,
            name: request.name,
            email_key: request.email.key(),
            email: request.email,
            email_unconfirmed: false,
            title: None,
            team: None,
            projects: Vec::new(),
            permissions: Vec::new(),
            invitation,
            invited_at: now,
            delivery: Some(Delivery::queued(now)),
            activated_at: None,
            deactivated_at: None,
            active: vec![Term::ALWAYS],
            created_at: now,
        };
        (employee, Invitation::new(invitation, id, now))
    }

    /// Whether the employee can log in.
    pub(crate) fn is_active(&self) -> bool {
        self.activated_at.is_some() && self.deactivated_at.is_none()
    }

    /// Whether the employee has not activated the account yet and still can.
    pub(crate) fn awaits_activation(&self) -> bool {
        self.activated_at.is_none() && self.deactivated_at.is_none()
    }

    /// Applies changes. Returns whether the employee has another address now (another spelling is
    /// the same address).
    pub(crate) fn update(&mut self, changes: EmployeeChanges) -> Result<bool, Failure> {
        let EmployeeChanges { name, email, title } = changes;
        if name.is_none() && email.is_none() && title.is_none() {
            return Err(Failure::new(Code::NothingToChange, "Nothing to change: send name, email or title."));
        }
        let has_moved = email.as_ref().is_some_and(|email| email.key() != self.email.key());
        self.name = name.unwrap_or_else(|| self.name.clone());
        if let Some(email) = email.filter(|email| *email != self.email) {
            self.email_key = email.key();
            self.email = email;
        }
        self.title = title.unwrap_or_else(|| self.title.clone());
        // An employee without a password need not confirm: the link in the new invitation confirms
        // the address.
        self.email_unconfirmed |= has_moved && self.activated_at.is_some();
        self.version += 1;
        Ok(has_moved)
    }

    /// Deactivates the employee. The new epoch makes older tokens and memberships invalid.
    pub(crate) fn deactivate(&mut self, now: Millis) -> Result<(), Failure> {
        if self.deactivated_at.is_some() {
            return Err(Failure::new(Code::AlreadyDeactivated, "This employee is deactivated already."));
        }
        if let Some(last) = self.active.last_mut() {
            last.end(now);
        }
        self.deactivated_at = Some(now);
        self.delivery = Some(Delivery::withdrawn(now));
        self.epoch += 1;
        self.version += 1;
        Ok(())
    }

    /// Undoes the deactivation. The epoch stays the same, so older tokens and memberships stay
    /// invalid.
    pub(crate) fn reactivate(&mut self, now: Millis) -> Result<(), Failure> {
        if self.deactivated_at.is_none() {
            return Err(Failure::new(Code::NotDeactivated, "This employee is not deactivated."));
        }
        self.active.push(Term::after(self.active.last().copied(), now));
        self.deactivated_at = None;
        self.version += 1;
        Ok(())
    }

    /// Replaces the invitation at an admin's request.
    pub(crate) fn invite(&mut self, id: InvitationId, now: Millis) -> Result<Invitation, Failure> {
        if self.deactivated_at.is_some() {
            return Err(Failure::new(Code::EmployeeDeactivated, "This employee is deactivated: reactivate first."));
        }
        if self.activated_at.is_some() {
            return Err(Failure::new(Code::AlreadyActive, "This employee has activated the account already."));
        }
        self.version += 1;
        Ok(self.put_invitation(id, now))
    }

    /// Replaces the invitation as part of another change, such as a change of the address.
    pub(crate) fn put_invitation(&mut self, id: InvitationId, now: Millis) -> Invitation {
        self.invitation = id;
        self.invited_at = now;
        self.delivery = Some(Delivery::queued(now));
        Invitation::new(id, self.id, now)
    }

    /// Sets the role.
    pub(crate) fn set_role(&mut self, role: Role) {
        self.role = role;
        self.version += 1;
    }

    /// Ends all sessions except one, and all tokens without a session.
    pub(crate) fn end_sessions(&mut self, except: Option<SessionId>) {
        self.generation += 1;
        self.spared = except;
        self.version += 1;
    }

    /// Records that the employee has set the first password.
    pub(crate) fn activate(&mut self, now: Millis) {
        self.activated_at = Some(now);
        self.version += 1;
    }

    /// Records that the employee has confirmed the current address.
    pub(crate) fn confirm_email(&mut self) {
        self.email_unconfirmed = false;
        self.version += 1;
    }

    /// Stores the permissions of one computer, and replaces those that were stored for it.
    pub(crate) fn set_permissions(&mut self, mut entry: SystemPermissions, now: Millis) -> Result<(), Failure> {
        entry.updated_at = entry.updated_at.or(Some(now));
        let is_full = self.permissions.len() >= MOST_COMPUTERS;
        match self.permissions.iter_mut().find(|known| known.computer == entry.computer) {
            Some(known) => {
                entry.created_at = entry.created_at.or(known.created_at);
                *known = entry;
            }
            None if is_full => {
                let sentence = format!("must be one of the {MOST_COMPUTERS} computers that are known: no more fit");
                return Err(Failure::field("computer", sentence));
            }
            None => {
                entry.created_at = entry.created_at.or(Some(now));
                self.permissions.push(entry);
            }
        }
        self.version += 1;
        Ok(())
    }

    /// The state that other services need.
    pub(crate) fn state(&self) -> EmployeeState {
        EmployeeState {
            id: self.id,
            version: self.version,
            epoch: self.epoch,
            deactivated_at: self.deactivated_at,
            active: Some(self.active.clone()),
        }
    }

    /// The event about the last change.
    pub(crate) fn changed(&self) -> EmployeeChanged {
        EmployeeChanged(self.state())
    }

    /// The answer to a log-in, with which the gateway signs a token.
    pub(crate) fn logged_in(&self, session: Option<StartedSession>) -> LoggedIn {
        LoggedIn { employee_id: self.id, epoch: self.epoch, generation: self.generation, session }
    }

    /// The event that tells gateways the employee's role, and which tokens are invalid.
    pub(crate) fn account_changed(&self) -> AccountChanged {
        AccountChanged {
            employee_id: self.id,
            version: self.version,
            generation: self.generation,
            except: self.spared,
            role: self.role,
        }
    }

    /// The employee as the API shows it.
    pub(crate) fn shown(self) -> contracts::Employee {
        contracts::Employee {
            is_active: self.is_active(),
            invitation: self.delivery.clone().filter(|_| self.awaits_activation()).map(|delivery| delivery.shown),
            id: self.id,
            name: self.name,
            email_unconfirmed: self.email_unconfirmed,
            identifier: self.email.clone(),
            email: self.email,
            account_id: self.account_id,
            organization_id: contracts::ORGANIZATION.to_owned(),
            kind: "personal".to_owned(),
            title: self.title,
            role: self.role,
            team_id: self.team,
            projects: self.projects,
            system_permissions: self.permissions,
            created_at: self.created_at,
            invited: self.invited_at,
            deactivated_at: self.deactivated_at,
            deactivated: self.deactivated_at.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use contracts::{Permission, Permissions};

    use super::*;

    pub(crate) fn ann() -> Employee {
        let request = CreateEmployee { name: Name::parse("Ann").unwrap(), email: Email::parse("ann@x.org").unwrap() };
        Employee::create(kit::new_id(), kit::new_id(), kit::new_id(), request, Millis(1_000)).0
    }

    fn entry(computer: &str) -> SystemPermissions {
        SystemPermissions {
            computer: Label::parse(computer).unwrap(),
            permissions: Permissions {
                accessibility: Permission::Authorized,
                screen_and_system_audio_recording: Permission::Denied,
            },
            created_at: None,
            updated_at: None,
        }
    }

    #[test]
    fn whoever_is_new_cannot_log_in_yet() {
        let shown = ann().shown();
        assert!(!shown.is_active);
        assert_eq!((shown.invited, shown.deactivated_at, shown.deactivated), (Millis(1_000), None, Millis(0)));
    }

    #[test]
    fn an_update_needs_something_to_change() {
        let mut ann = ann();
        assert_eq!(ann.update(EmployeeChanges::default()).unwrap_err().code, Code::NothingToChange);
        assert_eq!(ann.version, 1);
    }

    #[test]
    fn another_spelling_of_the_address_is_the_same_address() {
        let mut ann = ann();
        let to = |text| EmployeeChanges { email: Some(Email::parse(text).unwrap()), ..Default::default() };
        assert_eq!(ann.update(to("Ann@X.org")), Ok(false));
        assert_eq!(ann.email.as_str(), "Ann@X.org");
        assert_eq!(ann.update(to("ann@y.org")), Ok(true));
        assert_eq!(ann.email_key, "ann@y.org");
    }

    #[test]
    fn a_former_form_of_the_address_stays_until_the_address_changes() {
        let mut ann = ann();
        let to = |text| EmployeeChanges { email: Some(Email::parse(text).unwrap()), ..Default::default() };
        ann.update(to("ü@ü.de")).unwrap();
        ann.email_key = "ü@ü.de".into();
        assert_eq!(ann.update(to("ü@ü.de")), Ok(false));
        assert_eq!(ann.email_key, "ü@ü.de");
        assert_eq!(ann.update(to("ü@xn--tda.de")), Ok(false), "it is the same address");
        assert_eq!(ann.email_key, "ü@xn--tda.de");
    }

    #[test]
    fn an_address_that_changes_is_to_be_confirmed_once_there_is_a_password() {
        let mut ann = ann();
        let to = |text| EmployeeChanges { email: Some(Email::parse(text).unwrap()), ..Default::default() };
        ann.update(to("ann@y.org")).unwrap();
        assert!(!ann.email_unconfirmed, "the invitation's link shows that the address is theirs");
        ann.activate(Millis(2_000));
        ann.update(to("ANN@y.org")).unwrap();
        assert!(!ann.email_unconfirmed, "another spelling is the same address");
        ann.update(to("ann@z.org")).unwrap();
        ann.update(EmployeeChanges { title: Some(None), ..Default::default() }).unwrap();
        assert!(ann.clone().shown().email_unconfirmed);
        ann.confirm_email();
        assert!(!ann.shown().email_unconfirmed);
    }

    #[test]
    fn null_clears_the_title_and_leaving_it_out_does_not() {
        let mut ann = ann();
        let engineer = Label::parse("Engineer").unwrap();
        ann.update(EmployeeChanges { title: Some(Some(engineer.clone())), ..Default::default() }).unwrap();
        ann.update(EmployeeChanges { name: Some(Name::parse("Anna").unwrap()), ..Default::default() }).unwrap();
        assert_eq!(ann.title, Some(engineer));
        ann.update(EmployeeChanges { title: Some(None), ..Default::default() }).unwrap();
        assert_eq!(ann.title, None);
    }

    #[test]
    fn each_deactivation_raises_the_epoch_and_reactivation_keeps_it() {
        let mut ann = ann();
        ann.activate(Millis(2_000));
        assert!(ann.is_active());
        ann.deactivate(Millis(3_000)).unwrap();
        assert!(!ann.is_active());
        assert_eq!(ann.deactivate(Millis(4_000)).unwrap_err().code, Code::AlreadyDeactivated);
        ann.reactivate(Millis(5_000)).unwrap();
        assert!(ann.is_active());
        assert_eq!(ann.reactivate(Millis(6_000)).unwrap_err().code, Code::NotDeactivated);
        assert_eq!((ann.epoch, ann.version), (1, 4));
    }

    #[test]
    fn the_time_between_deactivation_and_reactivation_is_remembered() {
        let mut ann = ann();
        ann.deactivate(Millis(3_000)).unwrap();
        ann.reactivate(Millis(5_000)).unwrap();
        let before = Term { from: None, until: Some(Millis(3_000)) };
        let after = Term { from: Some(Millis(5_000)), until: None };
        assert_eq!(ann.state().active, Some(vec![before, after]));
    }

    #[test]
    fn only_whoever_awaits_activation_is_invited_again() {
        let mut ann = ann();
        assert!(ann.invite(kit::new_id(), Millis(2_000)).is_ok());
        ann.activate(Millis(3_000));
        assert_eq!(ann.invite(kit::new_id(), Millis(4_000)).unwrap_err().code, Code::AlreadyActive);
        ann.deactivate(Millis(5_000)).unwrap();
        assert_eq!(ann.invite(kit::new_id(), Millis(6_000)).unwrap_err().code, Code::EmployeeDeactivated);
        assert_eq!(ann.invited_at, Millis(2_000));
    }

    #[test]
    fn a_computer_has_one_entry_that_keeps_when_it_was_made() {
        let mut ann = ann();
        ann.set_permissions(entry("mac"), Millis(10)).unwrap();
        ann.set_permissions(entry("pc"), Millis(20)).unwrap();
        ann.set_permissions(entry("mac"), Millis(30)).unwrap();
        let times: Vec<_> = ann.permissions.iter().map(|e| (e.computer.as_str(), e.created_at, e.updated_at)).collect();
        let at = |millis| Some(Millis(millis));
        assert_eq!(times, [("mac", at(10), at(30)), ("pc", at(20), at(20))]);
    }

    #[test]
    fn more_than_a_hundred_computers_do_not_fit() {
        let mut ann = ann();
        for n in 0..MOST_COMPUTERS {
            ann.set_permissions(entry(&n.to_string()), Millis(10)).unwrap();
        }
        assert_eq!(ann.set_permissions(entry("one more"), Millis(10)).unwrap_err().code, Code::Invalid);
        assert!(ann.set_permissions(entry("7"), Millis(20)).is_ok());
    }
}
