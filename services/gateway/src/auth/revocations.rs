//! Which tokens are over before their time: what directory says in a bucket that we watch.
//!
//! Each gateway also keeps writing a beat of its own there. The server delivers the bucket in order,
//! so a beat that comes back shows that we know everything that was revoked before it was written.
//! When the last one that came back is too old, we cannot tell, and say so. Each beat also says up
//! to which revision we know the bucket: directory waits for that before it answers a deactivation.

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

/// How often a beat is written.
const BEAT: Duration = Duration::from_millis(500);
/// A beat that has not come back for so long means that the watch is dead: begin anew. Doubled each
/// time that did not help, as a slow server gets no faster by that.
const LOST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(8));
/// The pause before that.
const PAUSE: Duration = Duration::from_millis(100);
/// How long the last beat of a gateway that died stays, as NATS reads it. Until then a deactivation
/// waits for that gateway as long as it may be alive.
const LEFT_OVER: &str = "5s";
/// As long for the word that a gateway has stopped: nobody waits for it from then on.
const GOODBYE: &str = "1s";
/// Says that a key is gone, in the header by which NATS's clients know it.
const OPERATION: (&str, &str) = ("KV-Operation", "DEL");

/// What is known about revoked tokens.
#[derive(Clone, Debug)]
pub(crate) struct Revocations(Arc<Known>);

#[derive(Debug)]
struct Known {
    /// The epoch of each employee who was ever deactivated: tokens of earlier ones are over.
    epochs: RwLock<HashMap<EmployeeId, i64>>,
    /// What is said of API keys, accounts and sessions.
    entries: Entries,
    /// When the last beat that came back was written.
    last_beat: watch::Sender<Option<Written>>,
}

/// A moment, by both of the machine's clocks: one may be set, the other stands still while the
/// machine sleeps.
#[derive(Clone, Copy, Debug)]
struct Written {
    at: Instant,
    clock: Millis,
}

impl Written {
    /// The age in milliseconds: the longer of the two.
    fn age(self, now: Millis) -> i64 {
        (now - self.clock).max(self.at.elapsed().as_millis() as i64)
    }
}

/// How a token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is good, and its holder has this role.
    Good(Role),
    /// It is over.
    Revoked,
    /// We do not see what is revoked at the moment.
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
                lost = if beats.came_back { first } else { (lost * 2).min(longest) };
                tracing::warn!(error = format!("{error:#}"), "watching revocations anew");
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    () = stop.stopping() => break,
                }
            }
            beats.say_goodbye().await;
        });
        revocations
    }

    /// Watches until shutdown; an error means: begin anew, nothing is missed by that.
    async fn follow(&self, beats: &mut Beats, lost: Duration, shutdown: &Shutdown) -> anyhow::Result<()> {
        beats.begin();
        let store = beats.bus.jetstream.get_key_value(stream::REVOCATIONS).await?;
        // The last entry of every key first, then whatever is written. Not the beats of others.
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
                        // Of what was there before the watch directory has heard by the next beat.
                        beats.is_owed |= entry.delta == 0;
                    }
                    beats.write_owed(&store).await?;
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

    /// Looks at what is said, and tells whether that was all there was to say.
    ///
    /// The beat is from before the look, its age from after it: a beat that comes in between may tell
    /// of what the look has missed.
    pub(super) fn look<T>(&self, now: Millis, look: impl FnOnce(&Entries) -> T) -> (T, bool) {
        let last_beat = *self.0.last_beat.borrow();
        (look(&self.0.entries), is_fresh(last_beat, now))
    }

    fn revoke(&self, employee: EmployeeId, epoch: i64) {
        let mut epochs = self.0.epochs.write().unwrap_or_else(PoisonError::into_inner);
        let known = epochs.entry(employee).or_insert(epoch);
        *known = epoch.max(*known);
    }

    /// How a token stands.
    pub(super) fn standing(&self, token: &Claims, now: Millis) -> Standing {
        let ((is_over, role), is_fresh) = self.look(now, |entries| {
            let revoked = self.0.epochs.read().unwrap_or_else(PoisonError::into_inner).get(&token.sub).copied();
            let account = entries.account(token.sub);
            let is_over = revoked.is_some_and(|revoked| token.epoch < revoked)
                || account.is_some_and(|account| account.ends(token.generation, token.sid))
                || token.sid.is_some_and(|session| entries.has_ended(session));
            (is_over, account.map(|account| account.role).unwrap_or_default())
        });
        match (is_over, is_fresh) {
            (true, _) => Standing::Revoked,
            (false, true) => Standing::Good(role),
            (false, false) => Standing::Unknown,
        }
    }

    /// Whether we see what is revoked.
    pub(crate) fn is_fresh(&self, now: Millis) -> bool {
        is_fresh(*self.0.last_beat.borrow(), now)
    }

    /// Waits until we see what is revoked for the first time.
    pub(crate) async fn until_fresh(&self) {
        // The sender lives as long as we do.
        let _ = self.0.last_beat.subscribe().wait_for(Option::is_some).await;
    }
}

fn is_fresh(last_beat: Option<Written>, now: Millis) -> bool {
    last_beat.is_some_and(|written| written.age(now) <= BEAT_LATE)
}

/// The beats of this gateway.
#[derive(Debug)]
struct Beats {
    bus: Bus,
    key: String,
    number: u64,
    /// The highest revision that the present watch has brought.
    seen: u64,
    /// Those that have not come back to the present watch yet, oldest first.
    out: VecDeque<(u64, Written)>,
    /// Whether one has come back to the present watch.
    came_back: bool,
    /// A revocation has come that no beat has told of.
    is_owed: bool,
}

impl Beats {
    fn new(bus: &Bus) -> Self {
        let key = Beat::key(kit::new_id::<EventId>());
        Self { bus: bus.clone(), key, number: 0, seen: 0, out: VecDeque::new(), came_back: false, is_owed: false }
    }

    fn begin(&mut self) {
        (self.seen, self.came_back, self.is_owed) = (0, false, false);
        self.out.clear();
    }

    /// Writes one, and does not wait for the stream's acknowledgement: that it comes back says more.
    async fn write(&mut self, store: &Store) -> anyhow::Result<()> {
        self.number += 1;
        self.is_owed = false;
        let written = Written { at: Instant::now(), clock: self.bus.now() };
        self.out.push_back((self.number, written));
        let beat = serde_json::to_vec(&Beat { number: self.number, seen: self.seen })?;
        let mut headers = HeaderMap::new();
        headers.insert(NATS_MESSAGE_TTL, LEFT_OVER);
        self.bus.client.publish_with_headers(format!("{}{}", store.prefix, self.key), headers, beat.into()).await?;
        Ok(())
    }

    /// Tells of a revocation at once. While another beat is on its way this waits for that to come
    /// back: many revocations together cost few beats.
    async fn write_owed(&mut self, store: &Store) -> anyhow::Result<()> {
        if self.is_owed && self.out.is_empty() { self.write(store).await } else { Ok(()) }
    }

    /// When the beat of an entry was written; nothing of one that belongs to an earlier watch.
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

    /// Says that nobody need wait for us any more: we have let go of all requests.
    async fn say_goodbye(&self) {
        let mut headers = HeaderMap::new();
        headers.insert(OPERATION.0, OPERATION.1);
        headers.insert(NATS_MESSAGE_TTL, GOODBYE);
        let subject = format!("$KV.{}.{}", stream::REVOCATIONS, self.key);
        // Where that does not arrive, the last beat goes by itself.
        let _ = self.bus.client.publish_with_headers(subject, headers, Default::default()).await;
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

#[cfg(test)]
mod tests {
    use contracts::HOUR;

    use super::*;

    const NOW: Millis = Millis(1_760_000_000_000);
    const GOOD: Standing = Standing::Good(Role::Employee);

    fn beat(revocations: &Revocations) {
        revocations.0.last_beat.send_replace(Some(Written { at: Instant::now(), clock: NOW }));
    }

    #[test]
    fn a_token_is_over_when_its_epoch_is() {
        let revocations = Revocations::new();
        beat(&revocations);
        let employee = kit::new_id();
        assert_eq!(revocations.standing(&Claims::of(employee, 0), NOW), GOOD);
        revocations.revoke(employee, 1);
        assert_eq!(revocations.standing(&Claims::of(employee, 0), NOW), Standing::Revoked);
        assert_eq!(revocations.standing(&Claims::of(employee, 1), NOW), GOOD);
        assert_eq!(revocations.standing(&Claims::of(kit::new_id(), 0), NOW), GOOD);
    }

    #[test]
    fn an_older_revocation_that_comes_late_changes_nothing() {
        let revocations = Revocations::new();
        let employee = kit::new_id();
        revocations.revoke(employee, 2);
        revocations.revoke(employee, 1);
        assert_eq!(revocations.standing(&Claims::of(employee, 1), NOW), Standing::Revoked);
    }

    #[test]
    fn without_a_beat_for_two_seconds_nothing_is_known_but_what_was_revoked_stays_so() {
        let revocations = Revocations::new();
        let (employee, revoked) = (kit::new_id(), kit::new_id());
        revocations.revoke(revoked, 1);
        assert_eq!(revocations.standing(&Claims::of(employee, 0), NOW), Standing::Unknown);
        beat(&revocations);
        assert_eq!(revocations.standing(&Claims::of(employee, 0), NOW + BEAT_LATE), GOOD);
        assert_eq!(revocations.standing(&Claims::of(employee, 0), NOW + BEAT_LATE + 1), Standing::Unknown);
        assert_eq!(revocations.standing(&Claims::of(revoked, 0), NOW + HOUR), Standing::Revoked);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_beat_younger() {
        let revocations = Revocations::new();
        let long_ago = Instant::now().checked_sub(Duration::from_secs(3)).expect("the machine runs for longer");
        revocations.0.last_beat.send_replace(Some(Written { at: long_ago, clock: NOW }));
        assert_eq!(revocations.standing(&Claims::of(kit::new_id(), 0), NOW + -HOUR), Standing::Unknown);
    }
}
