use std::fmt;

use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// An action in the audit trail, named `<noun>.<past verb>`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$doc])* $name,)*
        }

        impl Action {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable name.
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
    /// A deactivation was taken back.
    EmployeeReactivated = "employee.reactivated";
    /// An employee's role was changed.
    RoleSet = "role.set";
    /// An API key was created.
    KeyCreated = "key.created";
    /// An API key was used for the first time.
    KeyUsed = "key.used";
    /// An API key was revoked.
    KeyRevoked = "key.revoked";
    /// The permissions of the desktop app on a computer were recorded.
    PermissionsSet = "permissions.set";
    /// Somebody tried to activate an account with an invalid token.
    ActivationFailed = "activation.failed";
    /// Somebody logged in.
    LoginSucceeded = "login.succeeded";
    /// A log-in failed.
    LoginFailed = "login.failed";
    /// Somebody logged out, or ended another of their sessions.
    SessionEnded = "session.ended";
    /// Somebody ended all of their other sessions.
    SessionsEnded = "sessions.ended";
    /// A used refresh token came again, so the session was ended: somebody else may have the token.
    SessionReused = "session.reused";
    /// Somebody asked for a link to set a new password.
    PasswordForgotten = "password.forgotten";
    /// An admin had a reset link mailed to an employee.
    ResetRequested = "reset.requested";
    /// An employee set a new password with a reset link.
    PasswordReset = "password.reset";
    /// Somebody tried to set a password with an invalid reset link.
    ResetFailed = "reset.failed";
    /// An employee changed their password.
    PasswordChanged = "password.changed";
    /// Somebody gave a wrong password where a logged-in user must repeat it.
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
    /// An archived project was opened again.
    ProjectReopened = "project.reopened";
    /// A project was deleted, with its tasks.
    ProjectDeleted = "project.deleted";
    /// A deactivated employee was removed from a project and its tasks.
    MemberRemoved = "member.removed";
    /// An employee's projects were replaced by a new list.
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
    /// An employee asked for a correction.
    CorrectionAsked = "correction.asked";
    /// A requested correction was made.
    CorrectionAccepted = "correction.accepted";
    /// A requested correction was refused.
    CorrectionRefused = "correction.refused";
    /// All windows of a filter were changed.
    WindowsUpdated = "windows.updated";
    /// Somebody started to give recorded windows of a filter their current rates.
    RepriceStarted = "reprice.started";
    /// Such a job has finished.
    RepriceFinished = "reprice.finished";
    /// A quarantined window was tried again.
    QuarantineReplayed = "quarantine.replayed";
    /// A quarantined window was admitted by somebody's decision.
    QuarantineAdmitted = "quarantine.admitted";
    /// A quarantined window was discarded.
    QuarantineDiscarded = "quarantine.discarded";
    /// An employee submitted a pay period as complete.
    PeriodSubmitted = "period.submitted";
    /// A pay period was approved, which settles it.
    PeriodApproved = "period.approved";
    /// A pay period was sent back to its employee.
    PeriodSentBack = "period.sent_back";
    /// An approved pay period was opened again.
    PeriodReopened = "period.reopened";
    /// A lock was moved forward.
    LockSet = "lock.set";
    /// A lock was moved back or removed.
    LockReopened = "lock.reopened";
    /// A pay run was created.
    PayRunCreated = "pay_run.created";
    /// The settings of the organisation changed.
    SettingsChanged = "settings.changed";
    /// A dead message was put on its stream again.
    DeadReplayed = "dead.replayed";
    /// A list was exported as a table.
    ExportMade = "export.made";
    /// The stream dropped events before the trail had read them, so entries may be missing.
    AuditGap = "audit.gap";
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The schema of an action in the API's description: an enumeration of the known ones.
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
