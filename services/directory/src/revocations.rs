//! The bucket of those whose older tokens are over, which gateways watch.

use std::{collections::HashMap, time::Duration};

use anyhow::Context;
use async_nats::jetstream::kv::{CreateErrorKind, Operation, Store, UpdateErrorKind};
use bytes::Bytes;
use contracts::{BEAT_LATE, Beat, EmployeeId, Revocation};
use futures::StreamExt;
use kit::Error;
use tokio::time::{Instant, timeout_at};

/// How often a write is tried again that another replica was faster with.
const TRIES: u32 = 5;
/// The pause after such a try, times the number of tries so far.
const PAUSE: Duration = Duration::from_millis(10);
/// So long after a revocation was written no gateway takes the token any more: one that has not heard
/// of it refuses by itself. A little more than that, as no two clocks run at the same speed.
const ALL_REFUSE: Duration = Duration::from_millis(BEAT_LATE as u64 + 50);

/// The revocations, as directory writes them.
#[derive(Clone, Debug)]
pub(crate) struct Revocations(Store);

impl Revocations {
    pub(crate) fn new(bucket: Store) -> Self {
        Self(bucket)
    }

    /// Raises an employee's epoch, and gives the revision that says so. An older event that comes
    /// later never lowers it: a write counts only on top of the entry that was read.
    ///
    /// # Errors
    /// When the bucket is away, or others keep writing the same entry.
    pub(crate) async fn revoke(&self, employee: EmployeeId, epoch: i64) -> Result<u64, Error> {
        let key = Revocation::key(employee);
        let value: Bytes = serde_json::to_vec(&Revocation { epoch })?.into();
        for tried in 1..=TRIES {
            let entry = self.0.entry(&key).await.map_err(|e| Error::Nats(e.into()))?;
            match entry.filter(|entry| entry.operation == Operation::Put) {
                None => match self.0.create(&key, value.clone()).await {
                    Ok(revision) => return Ok(revision),
                    Err(error) if error.kind() == CreateErrorKind::AlreadyExists => {}
                    Err(error) => return Err(Error::Nats(error.into())),
                },
                Some(entry) => {
                    let known: Revocation = serde_json::from_slice(&entry.value).context("an entry in the bucket")?;
                    if known.epoch >= epoch {
                        return Ok(entry.revision);
                    }
                    match self.0.update(&key, value.clone(), entry.revision).await {
                        Ok(revision) => return Ok(revision),
                        Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {}
                        Err(error) => return Err(Error::Nats(error.into())),
                    }
                }
            }
            // Who answers the next look may be a follower that has not heard of the write yet.
            tokio::time::sleep(PAUSE * tried).await;
        }
        Err(anyhow::anyhow!("others kept writing this revocation").into())
    }

    /// Waits until no gateway takes a token any more that this revision has revoked: until each says
    /// that it knows the revision, or until those that have not heard of it refuse by themselves.
    pub(crate) async fn until_all_refuse(&self, employee: EmployeeId, revision: u64) {
        let deadline = Instant::now() + ALL_REFUSE;
        match timeout_at(deadline, self.until_all_know(employee, revision)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(error = format!("{error:#}"), "cannot see which gateways have heard");
                tokio::time::sleep_until(deadline).await;
            }
            Err(_) => tracing::info!("a gateway has not heard of a revocation: it refuses all tokens, or is gone"),
        }
    }

    /// A gateway whose first beat comes after the revision knows it. So those count whose beats come
    /// before it, and all of them are known once the watch has brought the revision itself.
    async fn until_all_know(&self, employee: EmployeeId, revision: u64) -> anyhow::Result<()> {
        let key = Revocation::key(employee);
        let mut entries = self.0.watch_many_with_history([key.as_str(), Beat::KEYS]).await?;
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
