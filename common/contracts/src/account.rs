//! Accounts of employees: the requests and replies of invitations, activation and log-in, and the
//! entries of the bucket by which gateways learn of revoked tokens. Passwords and tokens are
//! [`Secret`]s.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use utoipa::ToSchema;

use crate::{
    Email, Employee, EmployeeId, Event, InvitationId, Millis, Name, Role, SECOND, Service, SessionId, StartedSession,
    WantedSession, message::requests,
};

/// A password, a token or a key. Its `Debug` form is `[secret]`, so a log entry with a secret does
/// not contain its text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = Password)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text as a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the secret text. Do not write the result to a log.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::new(text))
    }
}

/// The minimum length of a password, in characters.
pub const PASSWORD_LEAST: usize = 12;
/// The maximum length of a password, in characters.
pub const PASSWORD_MOST: usize = 128;

/// Checks the length of a password: 12 to 128 characters of any kind (NIST SP 800-63B, 3.1.1.2,
/// requires a minimum length and forbids rules about kinds of characters). The text is converted to
/// Unicode's form NFC before its characters are counted, so that an accented letter is one
/// character, whether the keyboard sends it as one code point or as two.
///
/// # Errors
/// A sentence that says which limit the password breaks.
pub fn check_password(password: &Secret) -> Result<(), &'static str> {
    match password.expose().nfc().count() {
        0..PASSWORD_LEAST => Err("must have at least 12 characters: three or four words do well"),
        PASSWORD_LEAST..=PASSWORD_MOST => Ok(()),
        _ => Err("must have at most 128 characters"),
    }
}

/// Activates the account of an invited employee and sets its password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Activate {
    /// The token of the invitation's link.
    pub token: Secret,
    /// The password to log in with from now on: 12 to 128 characters.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 128)]
    pub password: Secret,
}

/// Requests the state of the invitation that a token belongs to. The token can still be used
/// afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetInvitation {
    /// The token in the invitation's link.
    pub token: Secret,
}

/// The state of the invitation that a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invitation {
    /// The account can be activated.
    Open {
        /// The name of the employee.
        name: Name,
        /// The address to log in with.
        email: Email,
    },
    /// The account is activated already. The employee can log in.
    Used,
    /// The token has expired, a newer invitation has replaced this one, or the employee was
    /// deactivated. The employee needs a new invitation.
    Expired,
    /// No invitation has this token.
    Unknown,
}

/// Checks the password of an employee, as part of a log-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckPassword {
    /// The e-mail address with which the employee logs in, as typed.
    pub email: String,
    /// The password to check.
    pub password: Secret,
    /// The session to start when the password is right. Gateways of earlier versions send no
    /// session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<WantedSession>,
}

/// An employee who has logged in. The access token contains the epoch and the generation. Gateways
/// compare them with the employee's present ones to find out whether the token is revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedIn {
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// How many times the employee has been deactivated so far.
    pub epoch: i64,
    /// The current generation of the employee's tokens (see [`AccountChanged::generation`]).
    #[serde(default)]
    pub generation: i64,
    /// The session that was started, if the request contained one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<StartedSession>,
}

/// Requests a new token for the mail of an invitation. The mailer sends this request just before it
/// sends the mail, so that no message in a stream contains a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MintToken {
    /// The id of the invitation.
    pub invitation_id: InvitationId,
    /// The id of the employee.
    pub employee_id: EmployeeId,
}

/// The content of an invitation's mail. The reply is none when the mail need not be sent any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MintedToken {
    /// The name of the employee.
    pub name: Name,
    /// The address that the mail goes to.
    pub email: Email,
    /// The token for the invitation's link.
    pub token: Secret,
    /// When the token expires.
    pub expires_at: Millis,
}

/// The entry of an employee who was deactivated at least once, in the bucket
/// [`crate::stream::REVOCATIONS`]. Its key is `employee.<id>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// The employee's current epoch. Tokens of earlier epochs are revoked.
    pub epoch: i64,
}

impl Revocation {
    /// The pattern that matches the keys of these entries for all employees.
    pub const KEYS: &'static str = "employee.*";

    /// The key of the entry of an employee.
    pub fn key(employee: EmployeeId) -> String {
        format!("employee.{employee}")
    }

    /// The employee whose entry has this key; none if the key belongs to another kind of entry.
    pub fn employee(key: &str) -> Option<EmployeeId> {
        key.strip_prefix("employee.")?.parse().ok()
    }
}

/// For how long a gateway may rely on its copy of the revocations, in milliseconds, counted from
/// when it wrote the last heartbeat that it has read back. After that time the gateway answers 503
/// to every token. So no gateway accepts a token once this time has passed since the revocation of
/// the token was written to the bucket, even if that gateway has lost its connection.
pub const BEAT_LATE: i64 = 2 * SECOND;

/// The heartbeat of a gateway in the bucket [`crate::stream::REVOCATIONS`]. Each gateway writes its
/// own under the key `beat.<gateway>`. NATS delivers entries in order, so a gateway that reads its
/// own heartbeat back has read every revocation that was written before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// The number of this heartbeat. Each gateway counts its own heartbeats.
    pub number: u64,
    /// The revision of the bucket up to which this gateway has read all entries.
    pub seen: u64,
}

impl Beat {
    /// The pattern that matches the keys of the heartbeats of all gateways.
    pub const KEYS: &'static str = "beat.*";

    /// The key of the heartbeat of a gateway.
    pub fn key(gateway: impl fmt::Display) -> String {
        format!("beat.{gateway}")
    }

    /// Whether this key belongs to a heartbeat.
    pub fn is_key(key: &str) -> bool {
        key.starts_with("beat.")
    }
}

/// The state of an account that gateways check tokens against, apart from deactivations
/// ([`Revocation`]). Directory publishes it as an event, and also writes it to the bucket
/// [`crate::stream::REVOCATIONS`] under the key `account.<employee>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountChanged {
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The version of the employee's document that this state belongs to.
    pub version: i64,
    /// The current generation of the employee's tokens. Tokens of earlier generations are revoked.
    /// A change of the role, for example, starts a new generation.
    pub generation: i64,
    /// A session that was not ended with the others: its tokens of earlier generations stay valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except: Option<SessionId>,
    /// The role of the employee: what they may do apart from using their own account.
    pub role: Role,
}

impl AccountChanged {
    /// The pattern that matches the keys of these entries for all accounts.
    pub const KEYS: &'static str = "account.*";

    /// Whether this state revokes a token of this generation and session.
    pub fn ends(&self, generation: i64, session: Option<SessionId>) -> bool {
        generation < self.generation && (session.is_none() || session != self.except)
    }

    /// The key of the entry of an employee's account in the bucket.
    pub fn entry_key(employee: EmployeeId) -> String {
        format!("account.{employee}")
    }

    /// The employee whose account has this key in the bucket; none if the key belongs to another
    /// kind of entry.
    pub fn of_entry(key: &str) -> Option<EmployeeId> {
        key.strip_prefix("account.")?.parse().ok()
    }
}

impl Event for AccountChanged {
    const SERVICE: Service = Service::Directory;
    const NOUN: &'static str = "account";
    const VERB: &'static str = "changed";
    const AWAITED: &'static [Service] = &[Service::Directory];

    fn aggregate(&self) -> String {
        self.employee_id.to_string()
    }
}

requests! {
    Directory: Activate => Employee, "accounts.activate";
    Directory: GetInvitation => Invitation, "accounts.invitation", idempotent;
    Directory: CheckPassword => LoggedIn, "accounts.check_password";
    Directory: MintToken => Option<MintedToken>, "accounts.mint_token";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_generation_ends_all_sessions_but_the_one_that_is_named() {
        let [own, other]: [SessionId; 2] = [1, 2].map(|n| uuid::Uuid::from_u128(n).into());
        let account = |except| AccountChanged {
            employee_id: uuid::Uuid::nil().into(),
            version: 7,
            generation: 3,
            except,
            role: Role::Employee,
        };
        for except in [None, Some(own)] {
            assert!(account(except).ends(2, Some(other)) && account(except).ends(2, None), "{except:?}");
            assert!(!account(except).ends(3, Some(other)) && !account(except).ends(3, None), "{except:?}");
        }
        assert!(account(None).ends(2, Some(own)) && !account(Some(own)).ends(2, Some(own)));
    }
}
