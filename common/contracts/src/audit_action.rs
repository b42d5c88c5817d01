use std::fmt;

use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// What the audit trail tells of: `<noun>.<past verb>`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$doc])* $name,)*
        }

        impl Action {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

actions! {
    /// An employee is new.
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
    /// An employee got another role.
    RoleSet = "role.set";
    /// An API key is new.
    KeyCreated = "key.created";
    /// An API key was used for the first time.
    KeyUsed = "key.used";
    /// An API key was ended.
    KeyRevoked = "key.revoked";
    /// What a computer allows the desktop app was noted.
    PermissionsSet = "permissions.set";
    /// Somebody tried to activate an account with a token that is no good.
    ActivationFailed = "activation.failed";
    /// Somebody logged in.
    LoginSucceeded = "login.succeeded";
    /// Somebody tried to.
    LoginFailed = "login.failed";
    /// Somebody logged out, or ended another of their sessions.
    SessionEnded = "session.ended";
    /// Somebody ended all of their sessions but the one that they did it in.
    SessionsEnded = "sessions.ended";
    /// A refresh token that was used up came again: somebody else may have it, so the session was ended.
    SessionReused = "session.reused";
    /// Somebody asked for a link to set a new password.
    PasswordForgotten = "password.forgotten";
    /// An admin had such a link mailed to an employee.
    ResetRequested = "reset.requested";
    /// An employee set a new password by such a link.
    PasswordReset = "password.reset";
    /// Somebody tried to with a token that is no good.
    ResetFailed = "reset.failed";
    /// An employee changed their password.
    PasswordChanged = "password.changed";
    /// Somebody gave a wrong password where the account's own is asked for once more.
    PasswordRefused = "password.refused";
    /// An employee confirmed their new address.
    EmailConfirmed = "email.confirmed";
    /// Somebody tried to confirm an address with a token that is no good.
    ConfirmationFailed = "confirmation.failed";
    /// A team is new.
    TeamCreated = "team.created";
    /// A team's name, managers or employees changed.
    TeamUpdated = "team.updated";
    /// A team was deleted.
    TeamDeleted = "team.deleted";
    /// A project is new.
    ProjectCreated = "project.created";
    /// A project changed.
    ProjectUpdated = "project.updated";
    /// A project was archived.
    ProjectArchived = "project.archived";
    /// An archived project was opened again.
    ProjectReopened = "project.reopened";
    /// A project was deleted, with its tasks.
    ProjectDeleted = "project.deleted";
    /// Somebody who was deactivated was taken off a project and its tasks.
    MemberRemoved = "member.removed";
    /// Somebody was put on some projects and taken off all others.
    MembershipsSet = "memberships.set";
    /// A task is new.
    TaskCreated = "task.created";
    /// A task changed.
    TaskUpdated = "task.updated";
    /// A task was deleted.
    TaskDeleted = "task.deleted";
    /// A rate was set from a day on.
    RateSet = "rate.set";
    /// A rate that had not begun was deleted.
    RateDeleted = "rate.deleted";
    /// A recorded window was corrected.
    WindowCorrected = "window.corrected";
    /// A recorded window counts no longer.
    WindowVoided = "window.voided";
    /// An employee asked for a correction.
    CorrectionAsked = "correction.asked";
    /// A correction was made as an employee asked for it.
    CorrectionAccepted = "correction.accepted";
    /// A correction that an employee asked for was refused.
    CorrectionRefused = "correction.refused";
    /// All windows of a filter changed.
    WindowsUpdated = "windows.updated";
    /// Somebody had windows of a filter priced anew.
    RepriceStarted = "reprice.started";
    /// All of them have been.
    RepriceFinished = "reprice.finished";
    /// A window in quarantine was tried again.
    QuarantineReplayed = "quarantine.replayed";
    /// A window in quarantine was recorded on somebody's word.
    QuarantineAdmitted = "quarantine.admitted";
    /// A window in quarantine was discarded.
    QuarantineDiscarded = "quarantine.discarded";
    /// An employee said that a pay period is complete.
    PeriodSubmitted = "period.submitted";
    /// A pay period was approved: it is settled.
    PeriodApproved = "period.approved";
    /// A pay period was given back to its employee.
    PeriodSentBack = "period.sent_back";
    /// An approved pay period was opened again.
    PeriodReopened = "period.reopened";
    /// A lock was moved forward.
    LockSet = "lock.set";
    /// A lock was moved back, or taken off.
    LockReopened = "lock.reopened";
    /// A pay run was made.
    PayRunCreated = "pay_run.created";
    /// The settings of the organisation changed.
    SettingsChanged = "settings.changed";
    /// A message that no consumer could take was put on its stream again.
    DeadReplayed = "dead.replayed";
    /// A list was taken away as a table.
    ExportMade = "export.made";
    /// The stream dropped events before the trail had read them: entries may be missing.
    AuditGap = "audit.gap";
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An action in the API's description. An enumeration, although a newer service may tell of more.
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
