use std::fmt;

use serde::{Deserialize, Serialize};

/// The services, by the name that they have in subjects, consumers and databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// The HTTP API and console.
    Gateway,
    /// Employees, passwords, invitations.
    Directory,
    /// Projects, tasks and their members.
    Projects,
    /// Time windows.
    Timetrack,
    /// Reports of time and money.
    Analytics,
    /// Mails.
    Mailer,
    /// The audit trail.
    Audit,
}

impl Service {
    /// All services.
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
