use std::fmt;

use serde::{Deserialize, Serialize};

/// The processes of the system, by the name that stands in subjects, consumers and databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// The edge: HTTP in, messages out.
    Gateway,
    /// Employees, credentials, invitations.
    Directory,
    /// Projects, tasks and who is on them.
    Projects,
    /// Time windows.
    Timetrack,
    /// Where the time and the money went.
    Analytics,
    /// Invitations by e-mail.
    Mailer,
    /// The audit trail.
    Audit,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Gateway, Self::Directory, Self::Projects, Self::Timetrack, Self::Analytics, Self::Mailer, Self::Audit];

    /// The name in subjects, durable consumers and databases.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Directory => "directory",
            Self::Projects => "projects",
            Self::Timetrack => "timetrack",
            Self::Analytics => "analytics",
            Self::Mailer => "mailer",
            Self::Audit => "audit",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
