//! How the mail of an invitation stands: told by the mailer, shown at the employee.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{EmployeeId, Event, InvitationId, Millis, Service};

/// What became of the mail of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is to be sent.
    Queued,
    /// A mail server has taken it.
    Sent,
    /// It could not be sent yet and is tried again by itself: `detail` says why.
    Retrying,
    /// It will never be sent: `detail` says why. Correct the address, or send a new invitation.
    Failed,
    /// A deactivation ended it. Send a new invitation.
    Withdrawn,
}

/// How the last invitation of an employee stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvitationDelivery {
    /// What became of the mail.
    pub state: DeliveryState,
    /// Why it is not sent, as a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "The mail server answered the recipient with 550 5.1.1: there is no such mailbox.")]
    pub detail: Option<String>,
    /// Since when it stands so.
    pub at: Millis,
}

/// The mail of an invitation stands otherwise than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryChanged {
    /// Of which invitation.
    pub invitation_id: InvitationId,
    /// Of whom.
    pub employee_id: EmployeeId,
    /// Counts the changes of this mail, from 1.
    pub version: i64,
    /// How it stands now.
    pub delivery: InvitationDelivery,
}

impl Event for DeliveryChanged {
    const SERVICE: Service = Service::Mailer;
    const NOUN: &'static str = "delivery";
    const VERB: &'static str = "changed";
    const AWAITED: &'static [Service] = &[];

    fn aggregate(&self) -> String {
        self.invitation_id.to_string()
    }
}
