//! The state of an invitation's mail: reported by the mailer, shown with the employee.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{EmployeeId, Event, InvitationId, Millis, Service};

/// The state of an invitation's mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It waits to be sent.
    Queued,
    /// A mail server has accepted it.
    Sent,
    /// It could not be sent yet and will be tried again: `detail` says why.
    Retrying,
    /// It will never be sent: `detail` says why. Correct the address, or send a new invitation.
    Failed,
    /// The employee was deactivated. Send a new invitation after a reactivation.
    Withdrawn,
}

/// The delivery of an employee's last invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvitationDelivery {
    /// The state of the mail.
    pub state: DeliveryState,
    /// Why it is not sent, as a sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "The mail server answered the recipient with 550 5.1.1: there is no such mailbox.")]
    pub detail: Option<String>,
    /// When this state began.
    pub at: Millis,
}

/// The delivery of an invitation has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryChanged {
    /// The id of the invitation.
    pub invitation_id: InvitationId,
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The number of changes of this delivery, from 1.
    pub version: i64,
    /// The delivery now.
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
