//! Mails to employees, other than invitations: links to set a password or to confirm an address, and
//! word of what was changed about an account.

use serde::{Deserialize, Serialize};

use crate::{Email, EmployeeId, Event, MailId, Millis, Name, Secret, Service, message::requests};

/// A mail is to be sent. Holds neither an address nor a token: the mailer asks for them when it sends
/// ([`MintMail`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailRequested {
    /// Which mail.
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

/// Asks to whom a mail goes and what it says. A mail with a link gets a token of its own each time, so
/// that none ever rests in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MintMail {
    /// Which mail.
    pub mail_id: MailId,
}

/// A mail as it is to be sent now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MintedMail {
    /// To whom.
    pub name: Name,
    /// Where to.
    pub email: Email,
    /// What it says.
    pub says: MailSays,
}

/// What a mail says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum MailSays {
    /// How to set a new password.
    Reset {
        /// The token of the link.
        token: Secret,
        /// Until when it can be used.
        expires_at: Millis,
    },
    /// How to confirm that this is the person's address now.
    Confirmation {
        /// The token of the link.
        token: Secret,
        /// Until when it can be used.
        expires_at: Millis,
    },
    /// That the password was changed.
    PasswordChanged,
    /// That the account has another address now; this goes to the one before.
    AddressChanged,
}

/// Asks where a mail to an employee goes, which somebody else than directory has something to say in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetMailAddress {
    /// To whom.
    pub employee_id: EmployeeId,
}

/// Who gets a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailAddress {
    /// The name.
    pub name: Name,
    /// Where to.
    pub email: Email,
}

/// What the link of a mail is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkTo {
    /// To set a new password.
    Reset,
    /// To confirm an address.
    Confirmation,
}

/// Asks whose a link is; uses nothing up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetLink {
    /// The token of the link.
    pub token: Secret,
    /// What it is meant for.
    pub to: LinkTo,
}

/// What a link is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// It can be used.
    Open {
        /// By whom.
        name: Name,
        /// The address to log in with.
        email: Email,
    },
    /// Too late, used already, or overtaken by another change.
    Over,
    /// No such link.
    Unknown,
}

requests! {
    Directory: MintMail => Option<MintedMail>, "mails.mint";
    Directory: GetLink => Link, "mails.link", idempotent;
    Directory: GetMailAddress => Option<MailAddress>, "mails.address", idempotent;
}
