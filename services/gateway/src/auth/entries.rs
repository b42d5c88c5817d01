use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use async_nats::jetstream::kv::{Entry, Operation};
use contracts::{
    AccountChanged, ApiKeyChanged, EmployeeId, HOUR, KeyHash, KeyId, Millis, Scopes, SessionEnded, SessionId,
};
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;

/// The state of API keys, accounts and ended sessions, copied from the KV bucket that directory
/// writes.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    keys: RwLock<HashMap<KeyId, ApiKeyChanged>>,
    accounts: RwLock<HashMap<EmployeeId, AccountChanged>>,
    ended: RwLock<Ended>,
}

/// The sessions that ended before they expired.
#[derive(Debug, Default)]
struct Ended {
    /// When the last token of each session expires. The session is kept at least until then.
    sessions: HashMap<SessionId, Millis>,
    /// When expired sessions were last removed from the map.
    tidied_at: Millis,
}

impl Ended {
    fn add(&mut self, session: SessionId, until: Millis, now: Millis) {
        if now >= self.tidied_at + HOUR {
            self.tidied_at = now;
            self.sessions.retain(|_, until| *until > now);
        }
        self.sessions.insert(session, until);
    }
}

impl Entries {
    /// Applies an entry of the bucket. Deletions, and entries about anything but API keys, accounts
    /// and ended sessions, are ignored.
    pub(super) fn take(&self, entry: &Entry, now: Millis) {
        if entry.operation != Operation::Put {
            return;
        }
        if let Some(id) = ApiKeyChanged::of_entry(&entry.key) {
            put(&self.keys, id, read(entry));
        } else if let Some(id) = AccountChanged::of_entry(&entry.key) {
            // If the state of an account cannot be deserialized, revoked tokens must not stay
            // valid. The account gets the default role, and a generation that makes all its tokens
            // invalid.
            let unreadable = AccountChanged {
                employee_id: id,
                version: 0,
                generation: i64::MAX,
                except: None,
                role: Default::default(),
            };
            put(&self.accounts, id, Some(read(entry).unwrap_or(unreadable)));
        } else if let Some(id) = SessionEnded::of_entry(&entry.key) {
            // If the end of a session cannot be deserialized, it is unknown when its last token
            // expires. The session then stays ended for as long as the gateway runs.
            let until = read(entry).map_or(Millis(i64::MAX), |ended: SessionEnded| ended.until);
            self.ended.write().unwrap_or_else(PoisonError::into_inner).add(id, until, now);
        }
    }

    /// The scopes of an API key; `None` when the key is unknown, revoked or expired, or when `hash`
    /// is not the hash of its text.
    pub(super) fn allowed_by(&self, id: KeyId, hash: &KeyHash, now: Millis) -> Option<Scopes> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.get(&id).filter(|key| !key.revoked && key.expires_at.is_none_or(|at| now < at))?;
        let given: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let is_same: bool = key.hash.as_bytes().ct_eq(given.as_bytes()).into();
        is_same.then(|| key.allows())
    }

    /// Whether a session was ended early.
    pub(super) fn has_ended(&self, session: SessionId) -> bool {
        self.ended.read().unwrap_or_else(PoisonError::into_inner).sessions.contains_key(&session)
    }

    /// The state of an account; `None` when the bucket has no entry for the account.
    pub(super) fn account(&self, id: EmployeeId) -> Option<AccountChanged> {
        self.accounts.read().unwrap_or_else(PoisonError::into_inner).get(&id).copied()
    }
}

/// Stores a value under the key; removes the key when the value is `None`.
fn put<K: std::hash::Hash + Eq, V>(map: &RwLock<HashMap<K, V>>, key: K, value: Option<V>) {
    let mut map = map.write().unwrap_or_else(PoisonError::into_inner);
    match value {
        Some(value) => drop(map.insert(key, value)),
        None => drop(map.remove(&key)),
    }
}

fn read<V: DeserializeOwned>(entry: &Entry) -> Option<V> {
    let value = serde_json::from_slice(&entry.value);
    value.inspect_err(|error| tracing::error!(%error, key = entry.key, "an entry that cannot be read")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_session_is_forgotten_once_its_last_token_is_over() {
        let (mut ended, now) = (Ended::default(), Millis(1_760_000_000_000));
        let sessions: [SessionId; 3] = std::array::from_fn(|_| kit::new_id());
        ended.add(sessions[0], now + HOUR, now);
        ended.add(sessions[1], now + 3 * HOUR, now);
        assert_eq!(ended.sessions.len(), 2);
        ended.add(sessions[2], now + 5 * HOUR, now + 2 * HOUR);
        assert!(!ended.sessions.contains_key(&sessions[0]));
        assert!(ended.sessions.contains_key(&sessions[1]) && ended.sessions.contains_key(&sessions[2]));
    }
}
