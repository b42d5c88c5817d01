use std::{
    collections::HashSet,
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use contracts::{Caller, HOUR, MarkSessionsSeen, Millis, SessionId};
use kit::{Bus, Shutdown};
use tokio::sync::Notify;

/// When a session was last used is told to this many milliseconds.
const PERIOD: i64 = HOUR / 12;
/// For how long uses are gathered before they are told.
const GATHERED: Duration = Duration::from_secs(1);
/// The most sessions of one message.
const MOST: usize = 5_000;

/// Tells directory which sessions are used: once a session and period, many of them in one message,
/// and not while a caller waits.
#[derive(Clone, Debug, Default)]
pub(crate) struct SessionUses(Arc<Uses>);

#[derive(Debug, Default)]
struct Uses {
    seen: Mutex<Seen>,
    are_new: Notify,
}

#[derive(Debug, Default)]
struct Seen {
    /// When the present period began.
    since: Millis,
    /// Those that were used in it.
    sessions: HashSet<SessionId>,
    /// Those of them that directory has not heard of.
    untold: Vec<SessionId>,
}

impl Seen {
    /// Whether it is to be told.
    fn add(&mut self, session: SessionId, now: Millis) -> bool {
        let since = Millis(now.0 - now.0.rem_euclid(PERIOD));
        if self.since != since {
            self.since = since;
            self.sessions.clear();
        }
        let is_new = self.sessions.insert(session);
        if is_new {
            self.untold.push(session);
        }
        is_new
    }
}

impl SessionUses {
    /// Tells directory of them until shutdown.
    pub(crate) fn start(bus: &Bus, shutdown: &Shutdown) -> Self {
        let uses = Self::default();
        let (told, bus, stop) = (uses.clone(), bus.clone(), shutdown.clone());
        shutdown.spawn(async move {
            loop {
                tokio::select! {
                    () = told.0.are_new.notified() => {}
                    () = stop.stopping() => break,
                }
                tokio::select! {
                    () = tokio::time::sleep(GATHERED) => {}
                    () = stop.stopping() => {}
                }
                told.tell(&bus).await;
            }
        });
        uses
    }

    /// A session is used now.
    pub(super) fn note(&self, session: SessionId, now: Millis) {
        if self.0.seen.lock().unwrap_or_else(PoisonError::into_inner).add(session, now) {
            self.0.are_new.notify_one();
        }
    }

    async fn tell(&self, bus: &Bus) {
        let (at, untold) = {
            let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
            (seen.since, mem::take(&mut seen.untold))
        };
        for ids in untold.chunks(MOST) {
            let seen = MarkSessionsSeen { ids: ids.to_vec(), at };
            if let Err(failure) = bus.ask(Caller::Service, &seen).await {
                // The next period tells it.
                tracing::debug!(%failure, "cannot tell which sessions are used");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_told_of_once_a_period() {
        let (mut seen, session) = (Seen::default(), kit::new_id());
        let begin = Millis(PERIOD * 5_866_666);
        assert!(seen.add(session, begin));
        assert!(!seen.add(session, begin + PERIOD - 1));
        assert!(seen.add(kit::new_id(), begin + 1));
        assert!(seen.add(session, begin + PERIOD));
        assert_eq!((seen.since, seen.sessions.len(), seen.untold.len()), (begin + PERIOD, 1, 3));
    }
}
