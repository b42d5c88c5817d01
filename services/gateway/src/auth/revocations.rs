//! Which tokens are invalid before they expire: a copy of the KV bucket that directory writes.
//!
//! Each gateway also writes a heartbeat to the bucket. The server delivers entries in order, so a heartbeat that comes
//! back proves that this gateway has received everything revoked before it was written. When the last one is too
//! old, the gateway cannot tell which tokens are valid, and refuses them. A heartbeat also contains the revision that
//! the gateway has received: directory waits for that before it answers a deactivation.

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

/// How often a heartbeat is written.
const BEAT: Duration = Duration::from_millis(500);
/// How long a heartbeat may take to come back before the watch counts as dead and is started again. Doubled each
/// time that this did not help, up to the second value: a slow server must not be slowed down further.
const LOST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(8));
/// How long JetStream may take to answer while the watch is started: while another leader is elected nobody answers, and
/// the new one has not heard what was asked before.
const ANSWER: Duration = Duration::from_millis(500);
/// The pause before the watch is started again.
const PAUSE: Duration = Duration::from_millis(100);
/// How long the last heartbeat of a gateway that has died stays in the bucket, in the format of NATS. Until then a
/// deactivation waits for that gateway.
const BEAT_TTL: &str = "5s";
/// How long the notice that a gateway has stopped stays in the bucket.
const STOPPED_TTL: &str = "1s";
/// The header by which NATS clients recognise the deletion of a key.
const DELETE_HEADER: (&str, &str) = ("KV-Operation", "DEL");

/// The known revocations.
#[derive(Clone, Debug)]
pub(crate) struct Revocations(Arc<Known>);

#[derive(Debug)]
struct Known {
    /// The epoch of each employee who was ever deactivated: tokens of earlier epochs are invalid.
    epochs: RwLock<HashMap<EmployeeId, i64>>,
    /// The state of API keys, accounts and sessions.
    entries: Entries,
    /// When the last heartbeat that came back was written.
    last_beat: watch::Sender<Option<Written>>,
}

/// A time on both clocks of the machine. The wall clock may be set back; the monotonic clock stops while the machine
/// sleeps.
#[derive(Clone, Copy, Debug)]
struct Written {
    at: Instant,
    clock: Millis,
}

impl Written {
    /// The age in milliseconds: the larger of both.
    fn age(self, now: Millis) -> i64 {
        (now - self.clock).max(self.at.elapsed().as_millis() as i64)
    }
}

/// The validity of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenState {
    /// It is valid, and its holder has this role.
    Good(Role),
    /// It is invalid.
    Revoked,
    /// It cannot be decided, because revocations may be missing.
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

    /// Watches the bucket until shutdown.
    pub(crate) fn watch(bus: &Bus, shutdown: &Shutdown) -> Self {
        let revocations = Self::new();
        let (known, mut beats, stop) = (revocations.clone(), Beats::new(bus), shutdown.clone());
        shutdown.spawn(async move {
            let (first, longest) = LOST;
            let mut lost = first;
            while let Err(error) = known.follow(&mut beats, lost, &stop).await {
                lost = match (beats.came_back, beats.has_watch) {
                    (true, _) => first,
                    (false, true) => (lost * 2).min(longest),
                    // Nobody answered: a longer patience with beats would only delay the return of one that does.
                    (false, false) => lost,
                };
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

    /// Watches until shutdown. After an error it must be called again, which misses nothing.
    async fn follow(&self, beats: &mut Beats, lost: Duration, shutdown: &Shutdown) -> anyhow::Result<()> {
        beats.begin();
        let mut jetstream = beats.bus.jetstream.clone();
        jetstream.set_timeout(ANSWER);
        let store = jetstream.get_key_value(stream::REVOCATIONS).await?;
        // Delivers the last value of each key, then every change. Other gateways' heartbeats are excluded.
        let mut entries = store
            .watch_many_with_history([
                Revocation::KEYS,
                AccountChanged::KEYS,
                ApiKeyChanged::KEYS,
                SessionEnded::KEYS,
                &beats.key,
            ])
            .await?;
        beats.has_watch = true;
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
                        // Entries from before the watch are covered by the next regular heartbeat.
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

    /// Reads the entries, and says whether they were complete.
    ///
    /// The heartbeat is read before the entries, its age after them: a heartbeat that arrives in between could cover
    /// entries that were not read.
    pub(super) fn read<T>(&self, now: Millis, read: impl FnOnce(&Entries) -> T) -> (T, bool) {
        let last_beat = *self.0.last_beat.borrow();
        (read(&self.0.entries), is_fresh(last_beat, now))
    }

    fn revoke(&self, employee: EmployeeId, epoch: i64) {
        let mut epochs = self.0.epochs.write().unwrap_or_else(PoisonError::into_inner);
        let known = epochs.entry(employee).or_insert(epoch);
        *known = epoch.max(*known);
    }

    /// The validity of a token.
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

    /// Whether the known revocations are complete.
    pub(crate) fn is_fresh(&self, now: Millis) -> bool {
        is_fresh(*self.0.last_beat.borrow(), now)
    }

    /// Waits until the known revocations are complete for the first time.
    pub(crate) async fn until_fresh(&self) {
        // The sender lives as long as we do.
        let _ = self.0.last_beat.subscribe().wait_for(Option::is_some).await;
    }
}

fn is_fresh(last_beat: Option<Written>, now: Millis) -> bool {
    last_beat.is_some_and(|written| written.age(now) <= BEAT_LATE)
}

/// The heartbeats of this gateway.
#[derive(Debug)]
struct Beats {
    bus: Bus,
    key: String,
    number: u64,
    /// The highest revision of the present watch.
    seen: u64,
    /// The heartbeats that have not come back to the present watch, oldest first.
    out: VecDeque<(u64, Written)>,
    /// Whether the present watch has begun.
    has_watch: bool,
    /// Whether one has come back to the present watch.
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
            has_watch: false,
            came_back: false,
            must_acknowledge: false,
        }
    }

    fn begin(&mut self) {
        self.seen = 0;
        (self.has_watch, self.came_back, self.must_acknowledge) = (false, false, false);
        self.out.clear();
    }

    /// Writes a heartbeat, without waiting for the acknowledgement: its return proves more.
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

    /// Acknowledges a revocation at once; while a heartbeat is on its way, after its return. So many revocations
    /// together need few heartbeats.
    async fn acknowledge(&mut self, store: &Store) -> anyhow::Result<()> {
        if self.must_acknowledge && self.out.is_empty() { self.write(store).await } else { Ok(()) }
    }

    /// When the heartbeat of an entry was written; nothing when it belongs to an earlier watch.
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

    /// Deletes the heartbeat: this gateway has finished all requests, so nobody need wait for it.
    async fn delete_beat(&self) {
        let mut headers = HeaderMap::new();
        headers.insert(DELETE_HEADER.0, DELETE_HEADER.1);
        headers.insert(NATS_MESSAGE_TTL, STOPPED_TTL);
        let subject = format!("$KV.{}.{}", stream::REVOCATIONS, self.key);
        // When this is lost, the last heartbeat expires.
        let _ = self.bus.client.publish_with_headers(subject, headers, Default::default()).await;
    }
}

/// The epoch of a revocation; an unreadable one gives the largest, which makes all tokens of the employee invalid.
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
