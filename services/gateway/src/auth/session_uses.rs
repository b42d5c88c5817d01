use std::{
    collections::HashSet,
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use contracts::{Caller, HOUR, MarkSessionsSeen, Millis, SessionId};
use kit::{Bus, Shutdown};
use tokio::sync::Notify;

/// The length of a period in milliseconds: five minutes. A session is reported at most once in each
/// period, and the reported time is the beginning of the period.
const PERIOD: i64 = HOUR / 12;
/// How long uses are collected after the first one, before they are reported together.
const REPORT_AFTER: Duration = Duration::from_secs(1);
/// The largest number of sessions in one report.
const MOST: usize = 5_000;

/// Reports to directory which sessions are in use. A session is reported once in each period,
/// together with many others in one message. A background task sends the reports, so that requests
/// do not wait.
#[derive(Clone, Debug, Default)]
pub(crate) struct SessionUses(Arc<Uses>);

#[derive(Debug, Default)]
struct Uses {
    seen: Mutex<Seen>,
    added: Notify,
}

#[derive(Debug, Default)]
struct Seen {
    /// When the current period began.
    since: Millis,
    /// The sessions that were used in this period.
    sessions: HashSet<SessionId>,
    /// The sessions that have not been reported yet.
    unreported: Vec<SessionId>,
}

impl Seen {
    /// Records a use. Returns whether it is the session's first use in this period, which must be
    /// reported.
    fn add(&mut self, session: SessionId, now: Millis) -> bool {
        let since = Millis(now.0 - now.0.rem_euclid(PERIOD));
        if self.since != since {
            self.since = since;
            self.sessions.clear();
        }
        let is_new = self.sessions.insert(session);
        if is_new {
            self.unreported.push(session);
        }
        is_new
    }
}

impl SessionUses {
    /// Starts a task that reports uses until shutdown.
    pub(crate) fn start(bus: &Bus, shutdown: &Shutdown) -> Self {
        let uses = Self::default();
        let (reporter, bus, stop) = (uses.clone(), bus.clone(), shutdown.clone());
        shutdown.spawn(async move {
            loop {
                tokio::select! {
                    () = reporter.0.added.notified() => {}
                    () = stop.stopping() => break,
                }
                tokio::select! {
                    () = tokio::time::sleep(REPORT_AFTER) => {}
                    () = stop.stopping() => {}
                }
                reporter.report(&bus).await;
            }
        });
        uses
    }

    /// Records a use of a session.
    pub(super) fn note(&self, session: SessionId, now: Millis) {
        if self.0.seen.lock().unwrap_or_else(PoisonError::into_inner).add(session, now) {
            self.0.added.notify_one();
        }
    }

    async fn report(&self, bus: &Bus) {
        let (at, unreported) = {
            let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
            (seen.since, mem::take(&mut seen.unreported))
        };
        for ids in unreported.chunks(MOST) {
            let seen = MarkSessionsSeen { ids: ids.to_vec(), at };
            if let Err(failure) = bus.ask(Caller::Service, &seen).await {
                // A failed report is not repeated: a use in the next period reports the session
                // again.
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
        assert_eq!((seen.since, seen.sessions.len(), seen.unreported.len()), (begin + PERIOD, 1, 3));
    }
}
