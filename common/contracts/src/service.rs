use std::fmt;

use serde::{Deserialize, Serialize};

/// A service of this system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// The service with the HTTP API and the console.
    Gateway,
    /// The service for employees, passwords, sessions, API keys, teams and invitations.
    Directory,
    /// The service for projects, tasks, their members, and rates.
    Projects,
    /// The service for time windows, pay periods, corrections and settings.
    Timetrack,
    /// The service for reports of time and money.
    Analytics,
    /// The service that sends mails.
    Mailer,
    /// The service that keeps the audit trail.
    Audit,
}

impl Service {
    /// All services.
    pub const ALL: [Self; 7] =
        [Self::Gateway, Self::Directory, Self::Projects, Self::Timetrack, Self::Analytics, Self::Mailer, Self::Audit];

    /// The name of the service in subjects, durable consumers and databases.
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
