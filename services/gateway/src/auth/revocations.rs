//! Which tokens are over before their time: what directory says in a bucket that we watch.
//!
//! Each gateway also writes a beat of its own there. While it sees its beats come back it sees
//! every revocation; when they do not, it cannot tell, and says so.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use anyhow::Context;
use async_nats::{
    HeaderMap,
    header::NATS_MESSAGE_TTL,
    jetstream::kv::{Entry, Operation},
};
use contracts::{EmployeeId, EventId, Millis, Revocation, SECOND, stream};
use futures::StreamExt;
use kit::{Bus, Shutdown};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

/// How often a beat is written.
const BEAT: Duration = Duration::from_secs(5);
/// A beat that is so late means that we do not see what is revoked.
const LATE: i64 = 30 * SECOND;
/// So many beats that did not come back mean that the watch is dead: begin anew.
const LOST_BEATS: u32 = 3;
/// How long the last beat of a gateway that is gone stays, as NATS reads it.
const LEFT_OVER: &str = "15s";

/// What is known about revoked tokens.
#[derive(Clone, Debug)]
pub(crate) struct Revocations(Arc<Known>);

#[derive(Debug)]
struct Known {
    /// The epoch of each employee who was ever deactivated: tokens of earlier ones are over.
    epochs: RwLock<HashMap<EmployeeId, i64>>,
    /// When the last beat that came back was written.
    last_beat: watch::Sender<Option<Millis>>,
}

/// How a token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is good.
    Good,
    /// It is over.
    Revoked,
    /// We do not see what is revoked at the moment.
    Unknown,
}

impl Revocations {
    fn new() -> Self {
        Self(Arc::new(Known { epochs: RwLock::default(), last_beat: watch::Sender::new(None) }))
    }

    /// Watches the bucket until shutdown.
    pub(crate) fn watch(bus: &Bus, shutdown: &Shutdown) -> Self {
        let revocations = Self::new();
        let (known, bus, stop) = (revocations.clone(), bus.clone(), shutdown.clone());
        shutdown.spawn(async move {
            let beat = format!("beat.{}", kit::new_id::<EventId>());
            while let Err(error) = known.follow(&bus, &beat, &stop).await {
                tracing::warn!(error = format!("{error:#}"), "watching revocations anew");
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(500)) => {}
                    () = stop.stopping() => break,
                }
            }
        });
        revocations
    }

    /// Watches until shutdown; an error means: begin anew, nothing is missed by that.
    async fn follow(&self, bus: &Bus, own: &str, shutdown: &Shutdown) -> anyhow::Result<()> {
        let store = bus.jetstream.get_key_value(stream::REVOCATIONS).await?;
        // The last entry of every key first, then whatever is written.
        let mut entries = store.watch_with_history(">").await?;
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut awaited = 0;
        loop {
            tokio::select! {
                entry = entries.next() => {
                    let entry = entry.context("the watch has ended")??;
                    if entry.key == own {
                        awaited = 0;
                    }
                    self.take(own, &entry);
                }
                _ = beats.tick() => {
                    anyhow::ensure!(awaited < LOST_BEATS, "our beats do not come back");
                    awaited += 1;
                    let mut headers = HeaderMap::new();
                    headers.insert(NATS_MESSAGE_TTL, LEFT_OVER);
                    let (subject, now) = (format!("{}{own}", store.prefix), bus.now().to_string());
                    bus.jetstream.publish_with_headers(subject, headers, now.into()).await?.await?;
                }
                () = shutdown.stopping() => return Ok(()),
            }
        }
    }

    fn take(&self, own: &str, entry: &Entry) {
        if let Some(employee) = Revocation::employee(&entry.key) {
            if entry.operation == Operation::Put {
                self.revoke(employee, epoch_of(entry));
            }
        } else if entry.key == own
            && let Some(written) = written_at(entry)
        {
            self.0.last_beat.send_replace(Some(written));
        }
    }

    fn revoke(&self, employee: EmployeeId, epoch: i64) {
        let mut epochs = self.0.epochs.write().unwrap_or_else(PoisonError::into_inner);
        let known = epochs.entry(employee).or_insert(epoch);
        *known = epoch.max(*known);
    }

    /// How a token of this employee and epoch stands.
    pub(crate) fn standing(&self, employee: EmployeeId, epoch: i64, now: Millis) -> Standing {
        let revoked = self.0.epochs.read().unwrap_or_else(PoisonError::into_inner).get(&employee).copied();
        if revoked.is_some_and(|revoked| epoch < revoked) {
            Standing::Revoked
        } else if self.is_fresh(now) {
            Standing::Good
        } else {
            Standing::Unknown
        }
    }

    /// Whether we see what is revoked.
    pub(crate) fn is_fresh(&self, now: Millis) -> bool {
        self.0.last_beat.borrow().is_some_and(|written| now - written <= LATE)
    }

    /// Waits until we see what is revoked for the first time.
    pub(crate) async fn until_fresh(&self) {
        // The sender lives as long as we do.
        let _ = self.0.last_beat.subscribe().wait_for(Option::is_some).await;
    }
}

/// The epoch that begins with a revocation; of one that cannot be read none does, so that all the
/// employee's tokens are over.
fn epoch_of(entry: &Entry) -> i64 {
    serde_json::from_slice::<Revocation>(&entry.value).map_or_else(
        |error| {
            tracing::error!(%error, key = entry.key, "a revocation that cannot be read");
            i64::MAX
        },
        |revocation| revocation.epoch,
    )
}

/// When a beat was written.
fn written_at(entry: &Entry) -> Option<Millis> {
    std::str::from_utf8(&entry.value).ok()?.parse().ok().map(Millis)
}

#[cfg(test)]
mod tests {
    use contracts::HOUR;

    use super::*;

    const NOW: Millis = Millis(1_760_000_000_000);

    #[test]
    fn a_token_is_over_when_its_epoch_is() {
        let revocations = Revocations::new();
        revocations.0.last_beat.send_replace(Some(NOW));
        let employee = kit::new_id();
        assert_eq!(revocations.standing(employee, 0, NOW), Standing::Good);
        revocations.revoke(employee, 1);
        assert_eq!(revocations.standing(employee, 0, NOW), Standing::Revoked);
        assert_eq!(revocations.standing(employee, 1, NOW), Standing::Good);
        assert_eq!(revocations.standing(kit::new_id(), 0, NOW), Standing::Good);
    }

    #[test]
    fn an_older_revocation_that_comes_late_changes_nothing() {
        let revocations = Revocations::new();
        let employee = kit::new_id();
        revocations.revoke(employee, 2);
        revocations.revoke(employee, 1);
        assert_eq!(revocations.standing(employee, 1, NOW), Standing::Revoked);
    }

    #[test]
    fn without_a_beat_for_half_a_minute_nothing_is_known_but_what_was_revoked_stays_so() {
        let revocations = Revocations::new();
        let (employee, revoked) = (kit::new_id(), kit::new_id());
        revocations.revoke(revoked, 1);
        assert_eq!(revocations.standing(employee, 0, NOW), Standing::Unknown);
        revocations.0.last_beat.send_replace(Some(NOW));
        assert_eq!(revocations.standing(employee, 0, NOW + 30 * SECOND), Standing::Good);
        assert_eq!(revocations.standing(employee, 0, NOW + 30 * SECOND + 1), Standing::Unknown);
        assert_eq!(revocations.standing(revoked, 0, NOW + HOUR), Standing::Revoked);
    }
}
