//! The KV bucket that gateways watch: invalid tokens, roles, API keys and ended sessions.

use std::{collections::HashMap, time::Duration};

use anyhow::Context;
use async_nats::jetstream::kv::{CreateErrorKind, Operation, Store, UpdateErrorKind};
use bytes::Bytes;
use contracts::{BEAT_LATE, Beat, EmployeeId, Millis, Revocation, SessionEnded};
use futures::StreamExt;
use kit::Error;
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{Instant, timeout_at};

/// How often a write is repeated that conflicts with another replica's.
const TRIES: u32 = 5;
/// The pause after a conflict, times the number of tries so far.
const PAUSE: Duration = Duration::from_millis(10);
/// How long after a write a gateway may still go by the old entry. One that has not received the write by then
/// refuses all tokens. A little longer than that time, because clocks run at different speeds.
const ALL_REFUSE: Duration = Duration::from_millis(BEAT_LATE as u64 + 50);

/// The bucket.
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

    /// Sets an employee's epoch, and gives the revision of the entry.
    ///
    /// # Errors
    /// As [`Revocations::keep`].
    pub(crate) async fn revoke(&self, employee: EmployeeId, epoch: i64) -> Result<u64, Error> {
        self.keep(&Revocation::key(employee), &Revocation { epoch }, |revocation| revocation.epoch).await
    }

    /// Replaces an older entry, and gives the revision. An older event that comes late changes nothing, because
    /// the write succeeds only on top of the revision that was read.
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
            // The next read may go to a follower that has not received the write yet.
            tokio::time::sleep(PAUSE * tried).await;
        }
        Err(anyhow::anyhow!("others kept writing this entry").into())
    }

    /// Records the end of a session, and gives the revision. Nothing is written when all its tokens have expired,
    /// and the entry itself expires with them.
    ///
    /// # Errors
    /// When the bucket cannot be reached.
    pub(crate) async fn end_session(&self, ended: &SessionEnded, now: Millis) -> Result<Option<u64>, Error> {
        let key = SessionEnded::entry_key(ended.session_id);
        let Ok(left @ 1..) = u64::try_from(ended.until - now) else { return Ok(None) };
        // NATS counts whole seconds.
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

    /// Waits until no gateway uses an older entry: until each has acknowledged the revision, or until those that
    /// have not received it refuse all tokens.
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

    /// Waits for acknowledgements. A gateway whose first heartbeat comes after the revision has received it, so only
    /// gateways with an earlier heartbeat are waited for. All of those are known once the watch reaches the revision.
    async fn follow_beats(&self, key: &str, revision: u64) -> anyhow::Result<()> {
        let mut entries = self.0.watch_many_with_history([key, Beat::KEYS]).await?;
        let (mut gateways, mut all_are_known) = (HashMap::new(), false);
        while !all_are_known || gateways.values().any(|seen| *seen < revision) {
            let entry = entries.next().await.context("the watch has ended")??;
            all_are_known |= entry.revision >= revision;
            if Beat::is_key(&entry.key) {
                if entry.operation == Operation::Put {
                    // A heartbeat of another version: its gateway is waited for until the time limit.
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
