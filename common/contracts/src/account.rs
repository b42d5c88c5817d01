//! Accounts: invitations, activation and login. Passwords and tokens are [`Secret`]s.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use utoipa::ToSchema;

use crate::{
    Email, Employee, EmployeeId, Event, InvitationId, Millis, Name, Role, SECOND, Service, SessionId, StartedSession,
    WantedSession, message::requests,
};

/// A text that is never shown: a password, a token, a key.
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

/// Whether a text may be a password: 12 to 128 characters, any of them (NIST SP 800-63B, 3.1.1.2,
/// asks for length, not for kinds of characters), counted in Unicode's NFC: a letter with its accent is
/// one, however a keyboard sends it. The sentence says what is wrong.
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

/// Activates the account that an invitation is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Activate {
    /// The token of the invitation's link.
    pub token: Secret,
    /// The password to log in with from now on: 12 to 128 characters.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 128)]
    pub password: Secret,
}

/// Asks whose invitation a token is for; uses nothing up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetInvitation {
    /// The token of the link.
    pub token: Secret,
}

/// What a token is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invitation {
    /// The account can be activated.
    Open {
        /// Whose.
        name: Name,
        /// The address to log in with.
        email: Email,
    },
    /// The account is activated already: log in.
    Used,
    /// Too late, or replaced by a fresh one: ask for another.
    Expired,
    /// No such token.
    Unknown,
}

/// Asks whether a password is right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckPassword {
    /// The login name, as typed.
    pub email: String,
    /// The password.
    pub password: Secret,
    /// The session that begins if it is right; earlier gateways ask for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<WantedSession>,
}

/// Who has logged in, and in which epoch: the token is over when the epoch is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedIn {
    /// Who.
    pub employee_id: EmployeeId,
    /// How often the employee was deactivated so far.
    pub epoch: i64,
    /// The present generation of their tokens ([`AccountChanged`]).
    #[serde(default)]
    pub generation: i64,
    /// Their session, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<StartedSession>,
}

/// Asks for a token to put into an invitation's mail, so that it never rests in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MintToken {
    /// Of which invitation.
    pub invitation_id: InvitationId,
    /// Of whom.
    pub employee_id: EmployeeId,
}

/// What the mail of an invitation says; nothing where it need not be sent any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MintedToken {
    /// To whom.
    pub name: Name,
    /// Where to.
    pub email: Email,
    /// The token of the link.
    pub token: Secret,
    /// Until when it can be used.
    pub expires_at: Millis,
}

/// A revoked employee's entry in the bucket [`crate::stream::REVOCATIONS`], under the key
/// `employee.<id>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Tokens of epochs before this one are over.
    pub epoch: i64,
}

impl Revocation {
    /// The keys of all employees.
    pub const KEYS: &'static str = "employee.*";

    /// The key of an employee.
    pub fn key(employee: EmployeeId) -> String {
        format!("employee.{employee}")
    }

    /// The employee of a key, if it is one's.
    pub fn employee(key: &str) -> Option<EmployeeId> {
        key.strip_prefix("employee.")?.parse().ok()
    }
}

/// How long after its last beat a gateway still trusts what it knows of revocations, in
/// milliseconds. After that it refuses every token with 503. So this long after a revocation is in
/// the bucket, no gateway takes the token any more, whatever has happened to that gateway.
pub const BEAT_LATE: i64 = 2 * SECOND;

/// What each gateway keeps writing into the bucket [`crate::stream::REVOCATIONS`], under a key
/// `beat.<gateway>` of its own. It sees its own beats come back as long as it sees revocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// Counts the beats of this gateway.
    pub number: u64,
    /// The gateway knows every entry of the bucket up to this revision.
    pub seen: u64,
}

impl Beat {
    /// The keys of all beats.
    pub const KEYS: &'static str = "beat.*";

    /// The key of a gateway.
    pub fn key(gateway: impl fmt::Display) -> String {
        format!("beat.{gateway}")
    }

    /// Whether a key is one of a beat.
    pub fn is_key(key: &str) -> bool {
        key.starts_with("beat.")
    }
}

/// What gateways need to know of an account beside deactivations. Directory also keeps it in the
/// bucket [`crate::stream::REVOCATIONS`], under the key `account.<employee>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountChanged {
    /// Whose account.
    pub employee_id: EmployeeId,
    /// The version of the employee that says so.
    pub version: i64,
    /// Tokens of generations before this one are over. A change of role begins a new one.
    pub generation: i64,
    /// The one session whose tokens of earlier generations are still good: all others were ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except: Option<SessionId>,
    /// What the employee may do beyond their own account.
    pub role: Role,
}

impl AccountChanged {
    /// The keys of all accounts in the bucket.
    pub const KEYS: &'static str = "account.*";

    /// Whether this ends what began in an earlier generation: a token, or a session.
    pub fn ends(&self, generation: i64, session: Option<SessionId>) -> bool {
        generation < self.generation && (session.is_none() || session != self.except)
    }

    /// The key of the entry in the bucket.
    pub fn entry_key(employee: EmployeeId) -> String {
        format!("account.{employee}")
    }

    /// The employee of an entry in the bucket, if it is an account's.
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
