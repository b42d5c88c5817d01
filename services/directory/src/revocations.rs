//! The bucket that gateways watch: whose older tokens are over, who has which role, which keys there
//! are, which sessions have ended.

use std::{collections::HashMap, time::Duration};

use anyhow::Context;
use async_nats::jetstream::kv::{CreateErrorKind, Operation, Store, UpdateErrorKind};
use bytes::Bytes;
use contracts::{BEAT_LATE, Beat, EmployeeId, Millis, Revocation, SessionEnded};
use futures::StreamExt;
use kit::Error;
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{Instant, timeout_at};

/// How often a write is tried again that another replica was faster with.
const TRIES: u32 = 5;
/// The pause after such a try, times the number of tries so far.
const PAUSE: Duration = Duration::from_millis(10);
/// So long after a revocation was written no gateway takes the token any more: one that has not heard
/// of it refuses by itself. A little more than that, as no two clocks run at the same speed.
const ALL_REFUSE: Duration = Duration::from_millis(BEAT_LATE as u64 + 50);

/// The bucket, as directory writes it.
#[derive(Clone, Debug)]
pub(crate) struct Revocations(Store);

impl Revocations {
    pub(crate) fn new(bucket: Store) -> Self {
        Self(bucket)
    }

    /// What an entry says, if it is there.
    ///
    /// # Errors
    /// When the bucket is away.
    pub(crate) async fn find<V: DeserializeOwned>(&self, key: &str) -> Result<Option<V>, Error> {
        let entry = self.0.entry(key).await.map_err(|e| Error::Nats(e.into()))?;
        let entry = entry.filter(|entry| entry.operation == Operation::Put);
        Ok(entry.map(|entry| serde_json::from_slice(&entry.value)).transpose()?)
    }

    /// Raises an employee's epoch, and gives the revision that says so.
    ///
    /// # Errors
    /// As [`Revocations::keep`].
    pub(crate) async fn revoke(&self, employee: EmployeeId, epoch: i64) -> Result<u64, Error> {
        self.keep(&Revocation::key(employee), &Revocation { epoch }, |revocation| revocation.epoch).await
    }

    /// Puts an entry in place of an older one, and gives the revision that says so. An older event
    /// that comes later changes nothing: a write counts only on top of the entry that was read.
    ///
    /// # Errors
    /// When the bucket is away, or others keep writing the same entry.
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
            // Who answers the next look may be a follower that has not heard of the write yet.
            tokio::time::sleep(PAUSE * tried).await;
        }
        Err(anyhow::anyhow!("others kept writing this entry").into())
    }

    /// Writes down that a session has ended, and gives the revision that says so. Nothing is written
    /// where all its tokens are over by themselves, and the entry goes by itself once they are.
    ///
    /// # Errors
    /// When the bucket is away.
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

    /// Waits until no gateway goes by an older entry any more: until each says that it knows the
    /// revision, or until those that have not heard of it refuse everybody by themselves.
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

    /// A gateway whose first beat comes after the revision knows it. So those count whose beats come
    /// before it, and all of them are known once the watch has brought the revision itself.
    async fn follow_beats(&self, key: &str, revision: u64) -> anyhow::Result<()> {
        let mut entries = self.0.watch_many_with_history([key, Beat::KEYS]).await?;
        let (mut gateways, mut all_are_known) = (HashMap::new(), false);
        while !all_are_known || gateways.values().any(|seen| *seen < revision) {
            let entry = entries.next().await.context("the watch has ended")??;
            all_are_known |= entry.revision >= revision;
            if Beat::is_key(&entry.key) {
                if entry.operation == Operation::Put {
                    // One that cannot be read is of another version: it is waited for to the end.
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
