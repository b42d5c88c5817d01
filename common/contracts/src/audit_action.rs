use std::fmt;

use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// An action that the audit trail records. Its name has the form `<noun>.<past verb>`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$doc])* $name,)*
        }

        impl Action {
            /// All actions.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name of the action, which never changes.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

actions! {
    /// An employee was created.
    EmployeeCreated = "employee.created";
    /// An employee's name, address or title changed.
    EmployeeUpdated = "employee.updated";
    /// An employee was invited again.
    EmployeeInvited = "employee.invited";
    /// An employee activated the account.
    EmployeeActivated = "employee.activated";
    /// An employee was deactivated.
    EmployeeDeactivated = "employee.deactivated";
    /// A deactivated employee was reactivated.
    EmployeeReactivated = "employee.reactivated";
    /// An employee's role was changed.
    RoleSet = "role.set";
    /// An API key was created.
    KeyCreated = "key.created";
    /// An API key was used for the first time.
    KeyUsed = "key.used";
    /// An API key was revoked.
    KeyRevoked = "key.revoked";
    /// The permissions that a computer gives the desktop app were recorded.
    PermissionsSet = "permissions.set";
    /// Somebody tried to activate an account with an invalid token.
    ActivationFailed = "activation.failed";
    /// Somebody logged in.
    LoginSucceeded = "login.succeeded";
    /// A log-in failed.
    LoginFailed = "login.failed";
    /// An employee logged out, or ended another of their own sessions.
    SessionEnded = "session.ended";
    /// An employee ended all of their sessions but the current one.
    SessionsEnded = "sessions.ended";
    /// A refresh token was sent a second time, so its session was ended: somebody else may have the
    /// token.
    SessionReused = "session.reused";
    /// Somebody requested a link to set a new password.
    PasswordForgotten = "password.forgotten";
    /// An admin had a reset link mailed to an employee.
    ResetRequested = "reset.requested";
    /// An employee set a new password with a reset link.
    PasswordReset = "password.reset";
    /// Somebody tried to set a password with an invalid reset link.
    ResetFailed = "reset.failed";
    /// An employee changed their password.
    PasswordChanged = "password.changed";
    /// An employee sent a wrong password where a logged-in user must enter the password again.
    PasswordRefused = "password.refused";
    /// An employee confirmed their new address.
    EmailConfirmed = "email.confirmed";
    /// Somebody tried to confirm an address with an invalid link.
    ConfirmationFailed = "confirmation.failed";
    /// A team was created.
    TeamCreated = "team.created";
    /// A team's name, managers or employees changed.
    TeamUpdated = "team.updated";
    /// A team was deleted.
    TeamDeleted = "team.deleted";
    /// A project was created.
    ProjectCreated = "project.created";
    /// A project changed.
    ProjectUpdated = "project.updated";
    /// A project was archived.
    ProjectArchived = "project.archived";
    /// An archived project was reopened.
    ProjectReopened = "project.reopened";
    /// A project was deleted, with its tasks.
    ProjectDeleted = "project.deleted";
    /// A deactivated employee was removed from a project and its tasks.
    MemberRemoved = "member.removed";
    /// The list of an employee's projects was replaced.
    MembershipsSet = "memberships.set";
    /// A task was created.
    TaskCreated = "task.created";
    /// A task changed.
    TaskUpdated = "task.updated";
    /// A task was deleted.
    TaskDeleted = "task.deleted";
    /// A dated rate was set.
    RateSet = "rate.set";
    /// A dated rate was deleted before its first day.
    RateDeleted = "rate.deleted";
    /// A recorded window was corrected.
    WindowCorrected = "window.corrected";
    /// A recorded window was voided: it no longer counts.
    WindowVoided = "window.voided";
    /// An employee requested a correction of their hours.
    CorrectionAsked = "correction.asked";
    /// A requested correction was accepted and made.
    CorrectionAccepted = "correction.accepted";
    /// A requested correction was refused.
    CorrectionRefused = "correction.refused";
    /// All recorded windows that match a filter were changed.
    WindowsUpdated = "windows.updated";
    /// Somebody started a repricing job: it gives the recorded windows that match a filter their
    /// current rates.
    RepriceStarted = "reprice.started";
    /// A repricing job has finished.
    RepriceFinished = "reprice.finished";
    /// Somebody had a quarantined window tried again.
    QuarantineReplayed = "quarantine.replayed";
    /// Somebody admitted a quarantined window, which was then recorded.
    QuarantineAdmitted = "quarantine.admitted";
    /// Somebody discarded a quarantined window, which is then never recorded.
    QuarantineDiscarded = "quarantine.discarded";
    /// An employee submitted a pay period as complete.
    PeriodSubmitted = "period.submitted";
    /// A pay period was approved: nothing in it changes unless it is reopened.
    PeriodApproved = "period.approved";
    /// A pay period was sent back to its employee, who must submit it again.
    PeriodSentBack = "period.sent_back";
    /// An approved pay period was reopened.
    PeriodReopened = "period.reopened";
    /// A lock was set, or moved to a later moment.
    LockSet = "lock.set";
    /// A lock was moved to an earlier moment, or removed.
    LockReopened = "lock.reopened";
    /// A pay run was created.
    PayRunCreated = "pay_run.created";
    /// The settings of the organisation changed.
    SettingsChanged = "settings.changed";
    /// A message of the stream DEAD was published again on its original stream.
    DeadReplayed = "dead.replayed";
    /// A list was exported as a file.
    ExportMade = "export.made";
    /// The stream EVENTS deleted events before the audit service had read them, so entries may be
    /// missing.
    AuditGap = "audit.gap";
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The schema of an action's name in the description of the API: an enumeration of the known names.
pub(crate) fn schema() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Action::ALL.iter().map(|a| a.as_str()))).into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_action_is_a_noun_and_a_verb_and_no_two_are_the_same() {
        let words: BTreeSet<_> = Action::ALL.iter().map(|action| action.as_str()).collect();
        assert_eq!(words.len(), Action::ALL.len());
        assert!(words.iter().all(|word| word.split('.').filter(|part| !part.is_empty()).count() == 2));
    }
}
