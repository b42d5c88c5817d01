use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use async_nats::jetstream::kv::{Entry, Operation};
use contracts::{AccountChanged, ApiKeyChanged, EmployeeId, KeyHash, KeyId, Millis, Scopes};
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;

/// What the bucket says of API keys and of accounts, as the watch brings it.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    keys: RwLock<HashMap<KeyId, ApiKeyChanged>>,
    accounts: RwLock<HashMap<EmployeeId, AccountChanged>>,
}

impl Entries {
    /// Takes an entry, if it is one of these.
    pub(super) fn take(&self, entry: &Entry) {
        if entry.operation != Operation::Put {
            return;
        }
        if let Some(id) = ApiKeyChanged::of_entry(&entry.key) {
            put(&self.keys, id, read(entry));
        } else if let Some(id) = AccountChanged::of_entry(&entry.key) {
            // Of an account that cannot be read, all tokens are over and no role is left.
            let unreadable =
                AccountChanged { employee_id: id, version: 0, generation: i64::MAX, role: Default::default() };
            put(&self.accounts, id, Some(read(entry).unwrap_or(unreadable)));
        }
    }

    /// What a key allows at this moment; nothing is known of one that was revoked, has ended or
    /// whose text differs.
    pub(super) fn allowed_by(&self, id: KeyId, hash: &KeyHash, now: Millis) -> Option<Scopes> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.get(&id).filter(|key| !key.revoked && key.expires_at.is_none_or(|at| now < at))?;
        let given: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let is_same: bool = key.hash.as_bytes().ct_eq(given.as_bytes()).into();
        is_same.then(|| key.allows())
    }

    /// An employee's role, and which of their tokens are over; nothing where nothing was changed.
    pub(super) fn account(&self, id: EmployeeId) -> Option<AccountChanged> {
        self.accounts.read().unwrap_or_else(PoisonError::into_inner).get(&id).copied()
    }
}

/// Keeps a value; without one, what was known is forgotten.
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
