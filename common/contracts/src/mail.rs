//! Mails to employees besides invitations: links to set a password or confirm an address, and notices of changed
//! accounts.

use serde::{Deserialize, Serialize};

use crate::{Email, EmployeeId, Event, MailId, Millis, Name, Secret, Service, message::requests};

/// A mail is to be sent. The event contains no address and no token: the mailer asks for them when it sends
/// ([`MintMail`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailRequested {
    /// The id of the mail.
    pub mail_id: MailId,
}

impl Event for MailRequested {
    const SERVICE: Service = Service::Directory;
    const NOUN: &'static str = "mail";
    const VERB: &'static str = "requested";
    const AWAITED: &'static [Service] = &[];

    fn aggregate(&self) -> String {
        self.mail_id.to_string()
    }
}

/// Asks for the recipient and content of a mail. A mail with a link gets a new token each time, so that no stream
/// ever holds one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MintMail {
    /// The id of the mail.
    pub mail_id: MailId,
}

/// A mail, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MintedMail {
    /// The name of the recipient.
    pub name: Name,
    /// The address of the recipient.
    pub email: Email,
    /// What the mail is about.
    pub says: MailSays,
}

/// What a mail is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum MailSays {
    /// A link to set a new password.
    Reset {
        /// The token of the link.
        token: Secret,
        /// When the link expires.
        expires_at: Millis,
    },
    /// A link to confirm that the address is the employee's.
    Confirmation {
        /// The token of the link.
        token: Secret,
        /// When the link expires.
        expires_at: Millis,
    },
    /// A notice that the password was changed.
    PasswordChanged,
    /// A notice that the account has another address now. It goes to the former address.
    AddressChanged,
}

/// Asks for the address of an employee, for a mail whose content another service provides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetMailAddress {
    /// The id of the employee.
    pub employee_id: EmployeeId,
}

/// The recipient of a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailAddress {
    /// The name.
    pub name: Name,
    /// The address.
    pub email: Email,
}

/// The purpose of a mailed link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkTo {
    /// Setting a new password.
    Reset,
    /// Confirming an address.
    Confirmation,
}

/// Asks whose a link is. The link stays usable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetLink {
    /// The token of the link.
    pub token: Secret,
    /// The purpose that it must have.
    pub to: LinkTo,
}

/// The state of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// It can be used.
    Open {
        /// The name of the employee.
        name: Name,
        /// The address to log in with.
        email: Email,
    },
    /// It has expired, was used already, or another change made it invalid.
    Over,
    /// There is no such link.
    Unknown,
}

requests! {
    Directory: MintMail => Option<MintedMail>, "mails.mint";
    Directory: GetLink => Link, "mails.link", idempotent;
    Directory: GetMailAddress => Option<MailAddress>, "mails.address", idempotent;
}
