//! Ids. Every one is a UUID of its own type, so that a task's id cannot stand where an
//! employee's is meant.

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
    /// An employee.
    EmployeeId;
    /// The account of an employee, an id of its own.
    AccountId;
    /// One invitation of an employee; a fresh one replaces it.
    InvitationId;
    /// A mail to an employee, other than an invitation.
    MailId;
    /// One log-in of an employee.
    SessionId;
    /// An API key.
    KeyId;
    /// A team.
    TeamId;
    /// A project.
    ProjectId;
    /// A task of a project.
    TaskId;
    /// A pay run.
    PayRunId;
    /// A rate that holds from a day on.
    RateId;
    /// A job that gives recorded windows their rates anew.
    RepriceId;
    /// A time window: the client's own id, or one that is made of what it says.
    WindowId;
    /// A correction that an employee asks for: the client's own id, or one that is made of what is asked.
    CorrectionId;
    /// An event; also its message id on the stream.
    EventId;
    /// What a window said when it was sent.
    ContentHash;
}
