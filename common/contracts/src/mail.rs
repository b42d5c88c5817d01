//! Mails to employees, apart from invitations: links to set a password or to confirm an address,
//! and notices that a password or an address was changed.

use serde::{Deserialize, Serialize};

use crate::{Email, EmployeeId, Event, MailId, Millis, Name, Secret, Service, message::requests};

/// Published when a mail is to be sent. The event contains neither an address nor a token: the
/// mailer requests them with [`MintMail`] when it sends the mail.
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

/// Requests the recipient and the content of a mail. For a mail with a link, each such request
/// makes a new token, so that no message in a stream contains a token. The reply is none if the
/// mail need not be sent any more.
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
    /// The kind of the mail, and the values that its text needs.
    pub says: MailSays,
}

/// The kind of a mail, and the values that its text needs.
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
    /// A notice that the account has another e-mail address now. This mail goes to the former
    /// address.
    AddressChanged,
}

/// Requests the name and the e-mail address of an employee, for a mail whose content comes from
/// another service than directory. The reply is none if the account is not active or the address is
/// not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetMailAddress {
    /// The id of the employee.
    pub employee_id: EmployeeId,
}

/// The recipient of a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailAddress {
    /// The name of the recipient.
    pub name: Name,
    /// The e-mail address of the recipient.
    pub email: Email,
}

/// What a mailed link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkTo {
    /// The link is for setting a new password.
    Reset,
    /// The link is for confirming an e-mail address.
    Confirmation,
}

/// Requests the state of a mailed link. The link can still be used afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetLink {
    /// The token of the link.
    pub token: Secret,
    /// What the link must be for.
    pub to: LinkTo,
}

/// The state of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// The link can be used.
    Open {
        /// The name of the employee.
        name: Name,
        /// The address to log in with.
        email: Email,
    },
    /// The link has expired, was used already, or is invalid because of another change.
    Over,
    /// No mailed link for this purpose has this token.
    Unknown,
}

requests! {
    Directory: MintMail => Option<MintedMail>, "mails.mint";
    Directory: GetLink => Link, "mails.link", idempotent;
    Directory: GetMailAddress => Option<MailAddress>, "mails.address", idempotent;
}
