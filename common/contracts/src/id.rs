//! The ids of employees, projects and so on. Each kind of id has its own type, so that the compiler
//! refuses the id of a task where the id of an employee is expected.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String, format = Uuid, example = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071")]
        pub struct $name(pub Uuid);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::from_str(text).map(Self)
            }
        }
    )*};
}

ids! {
    /// The id of an employee.
    EmployeeId;
    /// The id of an employee's account, which is not the id of the employee.
    AccountId;
    /// The id of an invitation of an employee. Each new invitation has a new id.
    InvitationId;
    /// The id of a mail to an employee, for mails other than invitations.
    MailId;
    /// The id of a session, which a log-in starts.
    SessionId;
    /// The id of an API key.
    KeyId;
    /// The id of a team.
    TeamId;
    /// The id of a project.
    ProjectId;
    /// The id of a task.
    TaskId;
    /// The id of a pay run.
    PayRunId;
    /// The id of a rate that is valid from a given day on.
    RateId;
    /// The id of a repricing job, which gives recorded windows their current rates.
    RepriceId;
    /// The id of a window: sent by the client, or computed from the window.
    WindowId;
    /// The id of a requested correction: sent by the client, or computed from the request.
    CorrectionId;
    /// The id of an event, which is also the id of its message in the stream.
    EventId;
    /// A hash of a window as it was sent, in the form of a UUID.
    ContentHash;
}
