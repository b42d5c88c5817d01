use std::fmt;

use crate::Service;

/// A user of NATS. Each user has its own key, its own inbox subjects and its own rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum User {
    /// A service. All replicas of a service are the same user.
    Service(Service),
    /// An operator, who replays messages of the stream DEAD, decides about quarantined windows,
    /// starts comparisons of copies, and backs up streams.
    Operator,
    /// The program `provision`, which creates and changes streams and consumers.
    Provision,
}

impl User {
    /// All users.
    pub const ALL: [Self; 9] = [
        Self::Service(Service::Gateway),
        Self::Service(Service::Directory),
        Self::Service(Service::Projects),
        Self::Service(Service::Timetrack),
        Self::Service(Service::Analytics),
        Self::Service(Service::Mailer),
        Self::Service(Service::Audit),
        Self::Operator,
        Self::Provision,
    ];

    /// The user's name. The file with the user's key has this name and the ending `.nk`, and
    /// [`User::inbox`] ends with it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Service(service) => service.name(),
            Self::Operator => "operator",
            Self::Provision => "provision",
        }
    }

    /// The prefix of the user's inbox subjects. No other user may subscribe to these subjects.
    pub fn inbox(self) -> String {
        format!("_INBOX_{}", self.name())
    }
}

impl From<Service> for User {
    fn from(service: Service) -> Self {
        Self::Service(service)
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
