//! API keys: their text form, and the requests to directory about them; also the request that sets
//! a role.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    Actor, EmployeeId, Event, KeyId, Millis, MomentSent, Name, Role, Scope, Scopes, Secret, Service, given::given,
    message::requests, present,
};

/// The prefix of every API key. Programs that scan texts for leaked secrets recognise a key by this
/// prefix.
pub const KEY_PREFIX: &str = "t3key_";

/// The SHA-256 of a key's text. Directory stores only this hash. SHA-256 is fast to compute, but
/// that does not help an attacker, because a key has 256 random bits.
pub type KeyHash = [u8; 32];

/// Makes the text of an API key: `t3key_<id>_<secret><checksum>`, with lower-case hexadecimal
/// digits. The id has 32 digits, the secret 64 (256 random bits), and the checksum 8: the CRC-32 of
/// all characters before it. The checksum lets a scanner for leaked secrets tell a key from a
/// random text.
pub fn key_text(id: KeyId, secret: [u8; 32]) -> Secret {
    let mut text = format!("{KEY_PREFIX}{}_", id.0.simple());
    secret.iter().for_each(|byte| text.push_str(&format!("{byte:02x}")));
    let checksum = crc32fast::hash(text.as_bytes());
    Secret::new(format!("{text}{checksum:08x}"))
}

/// Returns the id and the hash of an API key; none if the text is not the text form of a key.
pub fn read_key(text: &str) -> Option<(KeyId, KeyHash)> {
    let (id, secret) = text.strip_prefix(KEY_PREFIX)?.split_once('_')?;
    let is_hex = |text: &str| text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    if id.len() != 32 || secret.len() != 72 || !is_hex(id) || !is_hex(secret) {
        return None;
    }
    let (signed, checksum) = text.split_at(text.len() - 8);
    let fits = format!("{:08x}", crc32fast::hash(signed.as_bytes())) == checksum;
    let id = Uuid::try_parse(id).ok().filter(|_| fits)?;
    Some((KeyId(id), Sha256::digest(text).into()))
}

/// An API key without its text, as directory stores it. The API shows the name of its creator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// The key's id. It is also the part of the key's text that is not secret.
    pub id: KeyId,
    /// The name, which says what the key is for.
    pub name: Name,
    /// The role of the key, if it has one.
    #[schema(value_type = Option<Role>)]
    pub role: Option<Role>,
    /// The scopes that the key allows: its own, or those of its role.
    pub scopes: Scopes,
    /// When the key was made.
    pub created_at: Millis,
    /// When the key expires; `null` if it never expires.
    #[schema(value_type = Option<i64>)]
    pub expires_at: Option<Millis>,
    /// Who made the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub created_by: Option<Actor>,
    /// The UTC day on which the key was last used, as `YYYY-MM-DD`.
    #[schema(value_type = Option<String>, format = Date, example = "2026-11-26")]
    pub last_used_on: Option<String>,
}

/// Makes an API key with either a role or scopes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateApiKey {
    /// The name, which says what the key is for.
    #[serde(deserialize_with = "given")]
    pub name: Name,
    /// The role whose scopes the key gets. Not `manager`, because a key manages no team.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Role, required = false)]
    pub role: Option<Role>,
    /// The scopes of the key, if it has no role.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<Scope>, required = false, min_items = 1, example = json!(["r:projects", "rw:time"]))]
    pub scopes: Option<Scopes>,
    /// When the key expires. A key without this field never expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<MomentSent>)]
    pub expires_at: Option<Millis>,
}

/// A new API key with its text. No other reply contains the text of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewApiKey {
    /// The key without its text.
    #[serde(flatten)]
    pub about: ApiKey,
    /// The text of the key.
    pub key: Secret,
}

/// Requests all API keys that are not revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListApiKeys {}

/// Requests one API key that is not revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetApiKey {
    /// The id of the API key.
    pub id: KeyId,
}

/// Revokes an API key. This cannot be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeApiKey {
    /// The id of the API key.
    pub id: KeyId,
}

/// Records that an API key was used on a day. Each gateway sends this request when it first sees
/// the key on that day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkKeyUsed {
    /// The id of the API key.
    pub id: KeyId,
    /// The UTC day, as `YYYY-MM-DD`.
    pub on: String,
}

/// Published when an API key was made or revoked. Directory also writes the event to the bucket
/// [`crate::stream::REVOCATIONS`], and gateways check keys against these entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyChanged {
    /// The id of the API key.
    pub id: KeyId,
    /// The version of the key: a later change has a higher one.
    pub version: i64,
    /// The SHA-256 of the key's text, in hexadecimal digits.
    pub hash: String,
    /// The role of the key, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The key's own scopes, if the key has no role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Scopes>,
    /// When the key expires; none if it never expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
    /// Whether the key is revoked.
    pub revoked: bool,
}

impl ApiKeyChanged {
    /// The pattern that matches the keys of the bucket's entries for all API keys.
    pub const KEYS: &'static str = "key.*";

    /// The key of an API key's entry in the bucket [`crate::stream::REVOCATIONS`].
    pub fn entry_key(id: KeyId) -> String {
        format!("key.{id}")
    }

    /// The API key whose entry has this key in the bucket; none if the key belongs to another kind
    /// of entry.
    pub fn of_entry(key: &str) -> Option<KeyId> {
        key.strip_prefix("key.")?.parse().ok()
    }

    /// The scopes that the key allows. A key with the role `manager` allows nothing, because a key
    /// manages no team.
    pub fn allows(&self) -> Scopes {
        match (self.role, &self.scopes) {
            (Some(Role::Manager), _) => Scopes::default(),
            (Some(role), _) => role.scopes(),
            (None, Some(scopes)) => scopes.clone(),
            (None, None) => Scopes::default(),
        }
    }
}

impl Event for ApiKeyChanged {
    const SERVICE: Service = Service::Directory;
    const NOUN: &'static str = "key";
    const VERB: &'static str = "changed";
    const AWAITED: &'static [Service] = &[Service::Directory];

    fn aggregate(&self) -> String {
        self.id.to_string()
    }
}

/// Gives an employee another role, and ends all their sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetRole {
    /// The id of the employee.
    pub id: EmployeeId,
    /// The new role.
    pub role: Role,
}

requests! {
    Directory: CreateApiKey => NewApiKey, "keys.create";
    Directory: ListApiKeys => Vec<ApiKey>, "keys.list", idempotent;
    Directory: GetApiKey => ApiKey, "keys.get", idempotent;
    Directory: RevokeApiKey => (), "keys.revoke";
    Directory: MarkKeyUsed => (), "keys.mark_used", idempotent;
    Directory: SetRole => crate::Employee, "employees.set_role";
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> String {
        key_text(KeyId(Uuid::from_u128(7)), [0xab; 32]).expose().to_owned()
    }

    #[test]
    fn the_text_of_a_key_is_frozen() {
        let (id, secret) = ("00000000000000000000000000000007", "ab".repeat(32));
        assert_eq!(key(), format!("t3key_{id}_{secret}1ae36cde"));
    }

    #[test]
    fn a_key_is_read_back_and_any_changed_letter_makes_it_none() {
        let key = key();
        let (id, hash) = read_key(&key).expect("a key");
        assert_eq!((id, hash), (KeyId(Uuid::from_u128(7)), Sha256::digest(&key).into()));
        for at in 0..key.len() {
            let other = if &key[at..=at] == "0" { "1" } else { "0" };
            let changed = format!("{}{other}{}", &key[..at], &key[at + 1..]);
            assert_eq!(read_key(&changed), None, "{at}");
        }
    }

    proptest! {
        #[test]
        fn any_id_and_secret_make_a_key(id: u128, secret: [u8; 32]) {
            let text = key_text(KeyId(Uuid::from_u128(id)), secret);
            prop_assert_eq!(read_key(text.expose()).map(|(id, _)| id), Some(KeyId(Uuid::from_u128(id))));
        }

        #[test]
        fn no_other_text_breaks_the_reader(text in "(t3key_)?[0-9a-fé_]{0,120}") {
            prop_assert_eq!(read_key(&text), None);
        }
    }
}
