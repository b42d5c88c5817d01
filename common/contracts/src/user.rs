use std::fmt;

use crate::Service;

/// Who connects to NATS: each with a key, an inbox and rights of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum User {
    /// All replicas of a service.
    Service(Service),
    /// Whoever looks at dead messages and replays them.
    Operator,
    /// What creates streams and consumers, and changes them.
    Provision,
}

impl User {
    /// Everybody.
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

    /// The name of the key's file, and the end of the inbox.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Service(service) => service.name(),
            Self::Operator => "operator",
            Self::Provision => "provision",
        }
    }

    /// Where answers reach this user, and nobody else hears them: the start of its inboxes.
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
