//! Ids. Each kind has its own type, so that a task's id cannot be used where an employee's is expected.

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
    /// The account of an employee, which has its own id.
    AccountId;
    /// An invitation of an employee; a new one replaces it.
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
    /// A job that gives recorded windows their current rates.
    RepriceId;
    /// A window: the client's own id, or one computed from the window.
    WindowId;
    /// A requested correction: the client's own id, or one computed from the request.
    CorrectionId;
    /// An event; also the id of its message on the stream.
    EventId;
    /// A hash of a window as it was sent.
    ContentHash;
}
