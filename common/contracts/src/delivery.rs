//! The state of an invitation's mail. The mailer reports it, and the API shows it with the
//! employee.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{EmployeeId, Event, InvitationId, Millis, Service};

/// The state of an invitation's mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// The mail waits to be sent.
    Queued,
    /// A mail server has accepted the mail.
    Sent,
    /// The last attempt to send the mail failed, and the mailer tries again. `detail` says why it
    /// failed.
    Retrying,
    /// The mail will never be sent. `detail` says why. Correct the e-mail address, or send a new
    /// invitation.
    Failed,
    /// The employee was deactivated, so the mail is not sent. Reactivate the employee and send a
    /// new invitation.
    Withdrawn,
}

/// The delivery of an employee's last invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvitationDelivery {
    /// The state of the mail.
    pub state: DeliveryState,
    /// Why the mail is not sent, as a sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "The mail server answered the recipient with 550 5.1.1: there is no such mailbox.")]
    pub detail: Option<String>,
    /// When this state began.
    pub at: Millis,
}

/// Published when the state of an invitation's mail has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryChanged {
    /// The id of the invitation.
    pub invitation_id: InvitationId,
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The number of this change: 1 for the first change of this delivery.
    pub version: i64,
    /// The state after the change.
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
