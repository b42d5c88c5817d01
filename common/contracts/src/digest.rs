//! What waits for a manager to decide, and the mail that tells of it once a day.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{EmployeeId, Event, MailId, Millis, Service, message::requests};

/// Asks how much that belongs to these employees waits for somebody to decide: for services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountWaiting {
    /// Whose: of nobody where there are none.
    pub employees: Vec<EmployeeId>,
}

/// How much waits for somebody to decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Pay periods that are submitted.
    pub periods: u64,
    /// Corrections that are asked for.
    pub corrections: u64,
}

/// A manager is to be mailed what waits for them: once a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DigestRequested {
    /// Who.
    pub manager_id: EmployeeId,
    /// The organisation's day.
    pub day: Date,
    /// From this moment on another day's mail tells of what waits then.
    pub until: Millis,
}

impl DigestRequested {
    /// The mail: one for each manager and day.
    pub fn mail_id(&self) -> MailId {
        MailId(Uuid::new_v5(&self.manager_id.0, format!("digest of {}", self.day).as_bytes()))
    }
}

impl Event for DigestRequested {
    const SERVICE: Service = Service::Mailer;
    const NOUN: &'static str = "digest";
    const VERB: &'static str = "requested";
    const AWAITED: &'static [Service] = &[];

    fn aggregate(&self) -> String {
        self.manager_id.to_string()
    }
}

requests! {
    Timetrack: CountWaiting => Waiting, "waiting.count", idempotent;
}
