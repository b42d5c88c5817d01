//! The number of things that wait for a manager's decision, and the daily mail about them.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{EmployeeId, Event, MailId, Millis, Service, message::requests};

/// Asks how many periods and corrections of these employees wait for a decision. Only services ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountWaiting {
    /// The employees; an empty list means nobody.
    pub employees: Vec<EmployeeId>,
}

/// How many things wait for a decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The number of submitted pay periods.
    pub periods: u64,
    /// The number of requested corrections.
    pub corrections: u64,
}

/// A manager is to get the daily mail about what waits for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DigestRequested {
    /// The id of the employee.
    pub manager_id: EmployeeId,
    /// The day, in the organisation's time zone.
    pub day: Date,
    /// When the next day's mail replaces this one: it is not sent after that.
    pub until: Millis,
}

impl DigestRequested {
    /// The id of the mail: one for each manager and day.
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
