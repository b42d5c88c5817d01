//! The number of periods and corrections that wait for a manager's decision, and the daily mail
//! about them.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{EmployeeId, Event, MailId, Millis, Service, message::requests};

/// Requests how many pay periods and corrections of these employees wait for a decision. Only
/// services may send this request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountWaiting {
    /// The employees; an empty list means nobody.
    pub employees: Vec<EmployeeId>,
}

/// How many pay periods and corrections wait for a decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The number of submitted pay periods.
    pub periods: u64,
    /// The number of requested corrections.
    pub corrections: u64,
}

/// Published when a manager should get the daily mail about what waits for their decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DigestRequested {
    /// The id of the manager.
    pub manager_id: EmployeeId,
    /// The day that the mail is for, in the organisation's time zone.
    pub day: Date,
    /// When the mail of the next day replaces this one. After that moment, this mail is not sent
    /// any more.
    pub until: Millis,
}

impl DigestRequested {
    /// The id of the mail. Each manager has one such mail a day.
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
