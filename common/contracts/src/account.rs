//! Accounts: invitations, activation and login. Passwords and tokens are [`Secret`]s.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use utoipa::ToSchema;

use crate::{
    Email, Employee, EmployeeId, Event, InvitationId, Millis, Name, Role, SECOND, Service, SessionId, StartedSession,
    WantedSession, message::requests,
};

/// A text that is never logged or printed: a password, a token or a key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = Password)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself; not for logs.
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

/// The fewest characters of a password.
pub const PASSWORD_LEAST: usize = 12;
/// The most characters of a password.
pub const PASSWORD_MOST: usize = 128;

/// Checks that a text may be a password: 12 to 128 characters of any kind (NIST SP 800-63B, 3.1.1.2, asks for
/// length, not for kinds of characters). Characters are counted in Unicode's form NFC, so that a letter with its
/// accent is one, whatever the keyboard sends.
///
/// # Errors
/// A sentence that says what the password must be.
pub fn check_password(password: &Secret) -> Result<(), &'static str> {
    match password.expose().nfc().count() {
        0..PASSWORD_LEAST => Err("must have at least 12 characters: three or four words do well"),
        PASSWORD_LEAST..=PASSWORD_MOST => Ok(()),
        _ => Err("must have at most 128 characters"),
    }
}

/// Activates the account of an invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Activate {
    /// The token of the invitation's link.
    pub token: Secret,
    /// The password to log in with from now on: 12 to 128 characters.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 128)]
    pub password: Secret,
}

/// Asks whose invitation a token belongs to. The token stays usable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetInvitation {
    /// The token of the link.
    pub token: Secret,
}

/// What a token can be used for.
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
    /// The account is activated already: the employee can log in.
    Used,
    /// The token has expired, or a newer invitation replaced it: ask for another.
    Expired,
    /// There is no such token.
    Unknown,
}

/// Asks whether a password is right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckPassword {
    /// The login name, as typed.
    pub email: String,
    /// The password.
    pub password: Secret,
    /// The session to start when the password is right. Earlier gateways send none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<WantedSession>,
}

/// Who has logged in. A token ends with the epoch and the generation that it was made in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedIn {
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The number of times that the employee was deactivated.
    pub epoch: i64,
    /// The current generation of the employee's tokens ([`AccountChanged`]).
    #[serde(default)]
    pub generation: i64,
    /// The session that was started, if the request asked for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<StartedSession>,
}

/// Asks for a token for the mail of an invitation. The mailer asks when it sends, so that no stream ever holds a
/// token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MintToken {
    /// The id of the invitation.
    pub invitation_id: InvitationId,
    /// The id of the employee.
    pub employee_id: EmployeeId,
}

/// The content of an invitation's mail. The reply has none when the mail need not be sent any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MintedToken {
    /// The name of the employee.
    pub name: Name,
    /// The address that the mail goes to.
    pub email: Email,
    /// The token of the link.
    pub token: Secret,
    /// When the token expires.
    pub expires_at: Millis,
}

/// The entry of a deactivated employee in the bucket [`crate::stream::REVOCATIONS`], under the key
/// `employee.<id>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Tokens of earlier epochs are revoked.
    pub epoch: i64,
}

impl Revocation {
    /// The pattern of the keys of all employees.
    pub const KEYS: &'static str = "employee.*";

    /// The key of an employee.
    pub fn key(employee: EmployeeId) -> String {
        format!("employee.{employee}")
    }

    /// The employee that a key belongs to, or none for other keys.
    pub fn employee(key: &str) -> Option<EmployeeId> {
        key.strip_prefix("employee.")?.parse().ok()
    }
}

/// How long a gateway still trusts its copy of the revocations after its last heartbeat, in milliseconds. After
/// that it answers 503 to every token. So this long after a revocation is in the bucket, no gateway accepts the
/// token, whatever has happened to that gateway.
pub const BEAT_LATE: i64 = 2 * SECOND;

/// The heartbeat that each gateway writes into the bucket [`crate::stream::REVOCATIONS`], under a key
/// `beat.<gateway>` of its own. As long as a gateway reads its own heartbeats back, it also reads revocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// The number of this heartbeat, counted by the gateway.
    pub number: u64,
    /// The revision of the bucket up to which the gateway has read every entry.
    pub seen: u64,
}

impl Beat {
    /// The pattern of the keys of all heartbeats.
    pub const KEYS: &'static str = "beat.*";

    /// The key of a gateway.
    pub fn key(gateway: impl fmt::Display) -> String {
        format!("beat.{gateway}")
    }

    /// Whether a key belongs to a heartbeat.
    pub fn is_key(key: &str) -> bool {
        key.starts_with("beat.")
    }
}

/// What gateways need to know about an account besides deactivations. Directory also writes it into the bucket
/// [`crate::stream::REVOCATIONS`], under the key `account.<employee>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountChanged {
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The version of the employee that this state belongs to.
    pub version: i64,
    /// Tokens of earlier generations are revoked. A change of role starts a new generation.
    pub generation: i64,
    /// The one session whose tokens of earlier generations stay valid; all other sessions were ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except: Option<SessionId>,
    /// The role: what the employee may do beyond their own account.
    pub role: Role,
}

impl AccountChanged {
    /// The pattern of the keys of all accounts in the bucket.
    pub const KEYS: &'static str = "account.*";

    /// Whether this revokes a token or session that began in this generation.
    pub fn ends(&self, generation: i64, session: Option<SessionId>) -> bool {
        generation < self.generation && (session.is_none() || session != self.except)
    }

    /// The key of the entry in the bucket.
    pub fn entry_key(employee: EmployeeId) -> String {
        format!("account.{employee}")
    }

    /// The employee that an entry of the bucket belongs to, or none for other entries.
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
