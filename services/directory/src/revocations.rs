//! The KV bucket that gateways watch. Its entries say which tokens are invalid, which roles
//! employees have, what API keys allow, and which sessions have ended.

use std::{collections::HashMap, time::Duration};

use anyhow::Context;
use async_nats::jetstream::kv::{CreateErrorKind, Operation, Store, UpdateErrorKind};
use bytes::Bytes;
use contracts::{BEAT_LATE, Beat, EmployeeId, Millis, Revocation, SessionEnded};
use futures::StreamExt;
use kit::Error;
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{Instant, timeout_at};

/// How often a write is tried at most while it conflicts with writes of other replicas.
const TRIES: u32 = 5;
/// The pause after the first conflict. It is multiplied by the number of tries so far.
const PAUSE: Duration = Duration::from_millis(10);
/// How long after a write a gateway may still use the old entry. A gateway that has not received
/// the write by then refuses all tokens. 50 ms are added, because clocks run at different speeds.
const ALL_REFUSE: Duration = Duration::from_millis(BEAT_LATE as u64 + 50);

/// The bucket that gateways watch.
#[derive(Clone, Debug)]
pub(crate) struct Revocations(Store);

impl Revocations {
    pub(crate) fn new(bucket: Store) -> Self {
        Self(bucket)
    }

    /// The value of an entry, if it exists.
    ///
    /// # Errors
    /// When the bucket cannot be reached.
    pub(crate) async fn find<V: DeserializeOwned>(&self, key: &str) -> Result<Option<V>, Error> {
        let entry = self.0.entry(key).await.map_err(|e| Error::Nats(e.into()))?;
        let entry = entry.filter(|entry| entry.operation == Operation::Put);
        Ok(entry.map(|entry| serde_json::from_slice(&entry.value)).transpose()?)
    }

    /// Writes an employee's epoch. Returns the revision of the entry.
    ///
    /// # Errors
    /// As [`Revocations::keep`].
    pub(crate) async fn revoke(&self, employee: EmployeeId, epoch: i64) -> Result<u64, Error> {
        self.keep(&Revocation::key(employee), &Revocation { epoch }, |revocation| revocation.epoch).await
    }

    /// Writes an entry, unless the bucket has it in the same or a newer version. Returns the
    /// revision of the entry. The write succeeds only if the entry still has the revision that was
    /// read, so an event that arrives late never replaces a newer entry.
    ///
    /// # Errors
    /// When the bucket cannot be reached, or other writers keep changing the entry.
    pub(crate) async fn keep<V: Serialize + DeserializeOwned>(
        &self,
        key: &str,
        value: &V,
        version: impl Fn(&V) -> i64,
    ) -> Result<u64, Error> {
        let bytes: Bytes = serde_json::to_vec(value)?.into();
        for tried in 1..=TRIES {
            let entry = self.0.entry(key).await.map_err(|e| Error::Nats(e.into()))?;
            match entry.filter(|entry| entry.operation == Operation::Put) {
                None => match self.0.create(key, bytes.clone()).await {
                    Ok(revision) => return Ok(revision),
                    Err(error) if error.kind() == CreateErrorKind::AlreadyExists => {}
                    Err(error) => return Err(Error::Nats(error.into())),
                },
                Some(entry) => {
                    let known: V = serde_json::from_slice(&entry.value).context("an entry in the bucket")?;
                    if version(&known) >= version(value) {
                        return Ok(entry.revision);
                    }
                    match self.0.update(key, bytes.clone(), entry.revision).await {
                        Ok(revision) => return Ok(revision),
                        Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {}
                        Err(error) => return Err(Error::Nats(error.into())),
                    }
                }
            }
            // Without the pause, the next read could go to a follower that has not received the
            // other replica's write yet.
            tokio::time::sleep(PAUSE * tried).await;
        }
        Err(anyhow::anyhow!("others kept writing this entry").into())
    }

    /// Writes that a session has ended. Returns the revision of the entry. None when all tokens of
    /// the session have expired, because then no entry is needed. The entry expires with the last
    /// token.
    ///
    /// # Errors
    /// When the bucket cannot be reached.
    pub(crate) async fn end_session(&self, ended: &SessionEnded, now: Millis) -> Result<Option<u64>, Error> {
        let key = SessionEnded::entry_key(ended.session_id);
        let Ok(left @ 1..) = u64::try_from(ended.until - now) else { return Ok(None) };
        // NATS needs a TTL in whole seconds. One second is added, so that the entry does not expire
        // too early.
        let left = Duration::from_millis(left) + Duration::from_secs(1);
        match self.0.create_with_ttl(&key, serde_json::to_vec(ended)?.into(), left).await {
            Ok(revision) => Ok(Some(revision)),
            Err(error) if error.kind() == CreateErrorKind::AlreadyExists => {
                let known = self.0.entry(&key).await.map_err(|e| Error::Nats(e.into()))?;
                Ok(known.map(|known| known.revision))
            }
            Err(error) => Err(Error::Nats(error.into())),
        }
    }

    /// Waits until no gateway uses an older entry: until every gateway has acknowledged the
    /// revision, or until the gateways that have not received it refuse all tokens.
    pub(crate) async fn until_all_know(&self, key: &str, revision: u64) {
        let deadline = Instant::now() + ALL_REFUSE;
        match timeout_at(deadline, self.follow_beats(key, revision)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(error = format!("{error:#}"), "cannot see which gateways have heard");
                tokio::time::sleep_until(deadline).await;
            }
            Err(_) => tracing::info!("a gateway has not heard of an entry: it refuses all tokens and keys, or is gone"),
        }
    }

    /// Waits until the gateways have acknowledged the revision in their heartbeats. A gateway whose
    /// first heartbeat is newer than the revision has received the entry, so only gateways with an
    /// earlier heartbeat are waited for. All of these gateways are known once the watch has reached
    /// the revision.
    async fn follow_beats(&self, key: &str, revision: u64) -> anyhow::Result<()> {
        let mut entries = self.0.watch_many_with_history([key, Beat::KEYS]).await?;
        let (mut gateways, mut all_are_known) = (HashMap::new(), false);
        while !all_are_known || gateways.values().any(|seen| *seen < revision) {
            let entry = entries.next().await.context("the watch has ended")??;
            all_are_known |= entry.revision >= revision;
            if Beat::is_key(&entry.key) {
                if entry.operation == Operation::Put {
                    // The heartbeat of a gateway of another version may be unreadable. Such a
                    // gateway is waited for until the time limit.
                    let beat = serde_json::from_slice::<Beat>(&entry.value);
                    gateways.insert(entry.key, beat.map_or(0, |beat| beat.seen));
                } else {
                    gateways.remove(&entry.key);
                }
            }
        }
        Ok(())
    }
}
