//! Which tokens are invalid before they expire: a copy of the KV bucket that directory writes.
//!
//! Each gateway also writes a heartbeat to the bucket. NATS delivers the entries of the bucket in
//! order, so a heartbeat that arrives back proves that this gateway has received every revocation
//! from before the heartbeat. When the last heartbeat that arrived back is too old, the gateway
//! cannot decide which tokens are valid, and refuses them. A heartbeat also contains the highest
//! revision of the bucket that the gateway has received. Before directory answers a deactivation,
//! it waits until the heartbeat of every gateway contains the revision of this deactivation or a
//! later one.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use anyhow::Context;
use async_nats::{
    HeaderMap,
    header::NATS_MESSAGE_TTL,
    jetstream::kv::{Entry, Operation, Store},
};
use contracts::{
    AccountChanged, ApiKeyChanged, BEAT_LATE, Beat, EmployeeId, EventId, Millis, Revocation, Role, SessionEnded, stream,
};
use futures::StreamExt;
use kit::{Bus, Shutdown};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use super::{entries::Entries, tokens::Claims};

/// The time between two heartbeats.
const BEAT: Duration = Duration::from_millis(500);
/// How long a heartbeat may take to arrive back before the watch counts as broken and is started
/// again: the first limit, and the largest. The limit is doubled each time that a new watch
/// delivers no heartbeat either, because restarts slow down a slow server further.
const LOST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(8));
/// The pause before a broken watch is started again.
const PAUSE: Duration = Duration::from_millis(100);
/// How long the last heartbeat of a gateway that crashed stays in the bucket, in the format of the
/// TTL header of NATS. Until then a deactivation waits for that gateway.
const BEAT_TTL: &str = "5s";
/// How long the message that deletes a stopped gateway's heartbeat stays in the bucket.
const STOPPED_TTL: &str = "1s";
/// The header that marks a message in a KV bucket as the deletion of its key.
const DELETE_HEADER: (&str, &str) = ("KV-Operation", "DEL");

/// The revocations that this gateway knows. All clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Revocations(Arc<Known>);

#[derive(Debug)]
struct Known {
    /// The epoch of each employee who was ever deactivated: tokens of earlier epochs are invalid.
    epochs: RwLock<HashMap<EmployeeId, i64>>,
    /// The state of API keys and accounts, and the ended sessions.
    entries: Entries,
    /// When the newest heartbeat that arrived back was written; `None` before the first.
    last_beat: watch::Sender<Option<Written>>,
}

/// A time on two clocks of the machine. The wall clock may be set back; the monotonic clock stops
/// while the machine sleeps.
#[derive(Clone, Copy, Debug)]
struct Written {
    at: Instant,
    clock: Millis,
}

impl Written {
    /// The age in milliseconds: the larger of the ages on the two clocks.
    fn age(self, now: Millis) -> i64 {
        (now - self.clock).max(self.at.elapsed().as_millis() as i64)
    }
}

/// Whether a token is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenState {
    /// The token is valid, and its holder has this role.
    Good(Role),
    /// The token was revoked.
    Revoked,
    /// The gateway cannot decide, because it may have missed revocations.
    Unknown,
}

impl Revocations {
    fn new() -> Self {
        Self(Arc::new(Known {
            epochs: RwLock::default(),
            entries: Entries::default(),
            last_beat: watch::Sender::new(None),
        }))
    }

    /// Starts a task that watches the bucket until shutdown.
    pub(crate) fn watch(bus: &Bus, shutdown: &Shutdown) -> Self {
        let revocations = Self::new();
        let (known, mut beats, stop) = (revocations.clone(), Beats::new(bus), shutdown.clone());
        shutdown.spawn(async move {
            let (first, longest) = LOST;
            let mut lost = first;
            while let Err(error) = known.follow(&mut beats, lost, &stop).await {
                lost = if beats.came_back { first } else { (lost * 2).min(longest) };
                tracing::warn!(error = format!("{error:#}"), "watching revocations anew");
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    () = stop.stopping() => break,
                }
            }
            beats.delete_beat().await;
        });
        revocations
    }

    /// Watches the bucket until shutdown. The caller must call this again after an error. No
    /// revocation is missed, because a new watch begins with the last value of each key.
    async fn follow(&self, beats: &mut Beats, lost: Duration, shutdown: &Shutdown) -> anyhow::Result<()> {
        beats.begin();
        let store = beats.bus.jetstream.get_key_value(stream::REVOCATIONS).await?;
        // The watch delivers the last value of each key, then every change. It leaves out the
        // heartbeats of other gateways.
        let mut entries = store
            .watch_many_with_history([
                Revocation::KEYS,
                AccountChanged::KEYS,
                ApiKeyChanged::KEYS,
                SessionEnded::KEYS,
                &beats.key,
            ])
            .await?;
        let mut ticks = interval(BEAT);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                entry = entries.next() => {
                    let entry = entry.context("the watch has ended")??;
                    beats.seen = beats.seen.max(entry.revision);
                    if entry.key == beats.key {
                        if let Some(written) = beats.back(&entry) {
                            self.0.last_beat.send_replace(Some(written));
                        }
                    } else {
                        self.take(&entry, beats.bus.now());
                        // While entries from before the watch are delivered, no extra heartbeat is
                        // needed: the next regular one acknowledges them all.
                        beats.must_acknowledge |= entry.delta == 0;
                    }
                    beats.acknowledge(&store).await?;
                }
                _ = ticks.tick() => {
                    anyhow::ensure!(!beats.are_lost(lost), "our beats do not come back");
                    beats.write(&store).await?;
                }
                () = shutdown.stopping() => return Ok(()),
            }
        }
    }

    fn take(&self, entry: &Entry, now: Millis) {
        self.0.entries.take(entry, now);
        if let Some(employee) = Revocation::employee(&entry.key)
            && entry.operation == Operation::Put
        {
            self.revoke(employee, epoch_of(entry));
        }
    }

    /// Calls `read` with the entries. Also returns whether the known revocations are complete.
    ///
    /// The last heartbeat is read before the entries, and its age is computed after them. If the
    /// heartbeat were read later, it could be newer than the entries that `read` saw.
    pub(super) fn read<T>(&self, now: Millis, read: impl FnOnce(&Entries) -> T) -> (T, bool) {
        let last_beat = *self.0.last_beat.borrow();
        (read(&self.0.entries), is_fresh(last_beat, now))
    }

    fn revoke(&self, employee: EmployeeId, epoch: i64) {
        let mut epochs = self.0.epochs.write().unwrap_or_else(PoisonError::into_inner);
        let known = epochs.entry(employee).or_insert(epoch);
        *known = epoch.max(*known);
    }

    /// Whether a token is valid, judged by the known revocations.
    pub(super) fn token_state(&self, token: &Claims, now: Millis) -> TokenState {
        let ((is_over, role), is_fresh) = self.read(now, |entries| {
            let revoked = self.0.epochs.read().unwrap_or_else(PoisonError::into_inner).get(&token.sub).copied();
            let account = entries.account(token.sub);
            let is_over = revoked.is_some_and(|revoked| token.epoch < revoked)
                || account.is_some_and(|account| account.ends(token.generation, token.sid))
                || token.sid.is_some_and(|session| entries.has_ended(session));
            (is_over, account.map(|account| account.role).unwrap_or_default())
        });
        match (is_over, is_fresh) {
            (true, _) => TokenState::Revoked,
            (false, true) => TokenState::Good(role),
            (false, false) => TokenState::Unknown,
        }
    }

    /// Whether the known revocations are complete: a recent heartbeat has arrived back.
    pub(crate) fn is_fresh(&self, now: Millis) -> bool {
        is_fresh(*self.0.last_beat.borrow(), now)
    }

    /// Waits until the known revocations are complete for the first time.
    pub(crate) async fn until_fresh(&self) {
        // `wait_for` can fail only when the sender is dropped, and `self` holds the sender.
        let _ = self.0.last_beat.subscribe().wait_for(Option::is_some).await;
    }
}

fn is_fresh(last_beat: Option<Written>, now: Millis) -> bool {
    last_beat.is_some_and(|written| written.age(now) <= BEAT_LATE)
}

/// The state of this gateway's heartbeats.
#[derive(Debug)]
struct Beats {
    bus: Bus,
    key: String,
    number: u64,
    /// The highest revision that the current watch has delivered.
    seen: u64,
    /// The heartbeats that have not arrived back in the current watch, oldest first.
    out: VecDeque<(u64, Written)>,
    /// Whether the current watch has delivered one of this gateway's heartbeats, which proves that
    /// the watch works.
    came_back: bool,
    /// Whether a revocation has arrived that no heartbeat has acknowledged yet.
    must_acknowledge: bool,
}

impl Beats {
    fn new(bus: &Bus) -> Self {
        let key = Beat::key(kit::new_id::<EventId>());
        Self {
            bus: bus.clone(),
            key,
            number: 0,
            seen: 0,
            out: VecDeque::new(),
            came_back: false,
            must_acknowledge: false,
        }
    }

    fn begin(&mut self) {
        (self.seen, self.came_back, self.must_acknowledge) = (0, false, false);
        self.out.clear();
    }

    /// Writes a heartbeat. It does not wait for an acknowledgement of NATS, because the arrival of
    /// the heartbeat in the watch proves more.
    async fn write(&mut self, store: &Store) -> anyhow::Result<()> {
        self.number += 1;
        self.must_acknowledge = false;
        let written = Written { at: Instant::now(), clock: self.bus.now() };
        self.out.push_back((self.number, written));
        let beat = serde_json::to_vec(&Beat { number: self.number, seen: self.seen })?;
        let mut headers = HeaderMap::new();
        headers.insert(NATS_MESSAGE_TTL, BEAT_TTL);
        self.bus.client.publish_with_headers(format!("{}{}", store.prefix, self.key), headers, beat.into()).await?;
        Ok(())
    }

    /// Acknowledges a new revocation by a heartbeat, unless an earlier heartbeat is still on its
    /// way. In that case the revocation is acknowledged when the earlier heartbeat has arrived, so
    /// many revocations together need few heartbeats.
    async fn acknowledge(&mut self, store: &Store) -> anyhow::Result<()> {
        if self.must_acknowledge && self.out.is_empty() { self.write(store).await } else { Ok(()) }
    }

    /// Removes the heartbeat in an entry, and all before it, from `out`. Returns when it was
    /// written; `None` when it was written during an earlier watch.
    fn back(&mut self, entry: &Entry) -> Option<Written> {
        let number = serde_json::from_slice::<Beat>(&entry.value).ok()?.number;
        let mut written = None;
        while let Some(&(oldest, at)) = self.out.front()
            && oldest <= number
        {
            self.out.pop_front();
            written = Some(at);
        }
        self.came_back |= written.is_some();
        written
    }

    fn are_lost(&self, lost: Duration) -> bool {
        self.out.front().is_some_and(|(_, written)| written.at.elapsed() > lost)
    }

    /// Deletes this gateway's heartbeat from the bucket. The gateway handles no more requests, so
    /// directory need not wait for it.
    async fn delete_beat(&self) {
        let mut headers = HeaderMap::new();
        headers.insert(DELETE_HEADER.0, DELETE_HEADER.1);
        headers.insert(NATS_MESSAGE_TTL, STOPPED_TTL);
        let subject = format!("$KV.{}.{}", stream::REVOCATIONS, self.key);
        // If this message is lost, the last heartbeat still expires after `BEAT_TTL`.
        let _ = self.bus.client.publish_with_headers(subject, headers, Default::default()).await;
    }
}

/// The epoch in a revocation. A revocation that cannot be deserialized gives the largest epoch,
/// which makes all tokens of the employee invalid.
fn epoch_of(entry: &Entry) -> i64 {
    serde_json::from_slice::<Revocation>(&entry.value).map_or_else(
        |error| {
            tracing::error!(%error, key = entry.key, "a revocation that cannot be read");
            i64::MAX
        },
        |revocation| revocation.epoch,
    )
}

#[cfg(test)]
mod tests {
    use contracts::HOUR;

    use super::*;

    const NOW: Millis = Millis(1_760_000_000_000);
    const GOOD: TokenState = TokenState::Good(Role::Employee);

    fn beat(revocations: &Revocations) {
        revocations.0.last_beat.send_replace(Some(Written { at: Instant::now(), clock: NOW }));
    }

    #[test]
    fn a_token_is_over_when_its_epoch_is() {
        let revocations = Revocations::new();
        beat(&revocations);
        let employee = kit::new_id();
        assert_eq!(revocations.token_state(&Claims::of(employee, 0), NOW), GOOD);
        revocations.revoke(employee, 1);
        assert_eq!(revocations.token_state(&Claims::of(employee, 0), NOW), TokenState::Revoked);
        assert_eq!(revocations.token_state(&Claims::of(employee, 1), NOW), GOOD);
        assert_eq!(revocations.token_state(&Claims::of(kit::new_id(), 0), NOW), GOOD);
    }

    #[test]
    fn an_older_revocation_that_comes_late_changes_nothing() {
        let revocations = Revocations::new();
        let employee = kit::new_id();
        revocations.revoke(employee, 2);
        revocations.revoke(employee, 1);
        assert_eq!(revocations.token_state(&Claims::of(employee, 1), NOW), TokenState::Revoked);
    }

    #[test]
    fn without_a_beat_for_two_seconds_nothing_is_known_but_what_was_revoked_stays_so() {
        let revocations = Revocations::new();
        let (employee, revoked) = (kit::new_id(), kit::new_id());
        revocations.revoke(revoked, 1);
        assert_eq!(revocations.token_state(&Claims::of(employee, 0), NOW), TokenState::Unknown);
        beat(&revocations);
        assert_eq!(revocations.token_state(&Claims::of(employee, 0), NOW + BEAT_LATE), GOOD);
        assert_eq!(revocations.token_state(&Claims::of(employee, 0), NOW + BEAT_LATE + 1), TokenState::Unknown);
        assert_eq!(revocations.token_state(&Claims::of(revoked, 0), NOW + HOUR), TokenState::Revoked);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_beat_younger() {
        let revocations = Revocations::new();
        let long_ago = Instant::now().checked_sub(Duration::from_secs(3)).expect("the machine runs for longer");
        revocations.0.last_beat.send_replace(Some(Written { at: long_ago, clock: NOW }));
        assert_eq!(revocations.token_state(&Claims::of(kit::new_id(), 0), NOW + -HOUR), TokenState::Unknown);
    }
}
