//! Limits guessing. Each attempt is counted here before it is made, and its outcome is reported
//! afterwards:
//!
//! ```text
//! let attempt = app.throttle.may_try(Guess::Password(&email)).await?;
//! let outcome = check(&app, &request).await;
//! attempt.settle(&outcome).await;
//! ```

use std::{sync::Arc, time::Duration};

use contracts::{Code, Failure, SECOND};
use kit::{Clock, Error, LogThrottle, Origin};

use crate::{
    domain::{
        ACCOUNT, ADDRESS, AttemptBound, AttemptKey, AttemptKeys, AttemptRecord, AttemptRecords, Decision, Guess, Of,
        PAIR, Trust, decide,
    },
    fair_queue::Turn,
    metrics::ThrottleMetrics,
    store::Attempts,
};

/// How often counting an attempt is tried at most while concurrent attempts change the same
/// records.
const TRIES: u32 = 20;

/// Counts attempts before they are made, and refuses attempts during a pause.
#[derive(Clone, Debug)]
pub(crate) struct Throttle {
    attempts: Attempts,
    clock: Clock,
    metrics: ThrottleMetrics,
    log_throttle: Arc<LogThrottle>,
}

/// An attempt, which counts as a failure until its outcome is reported.
#[derive(Debug)]
#[must_use = "an attempt counts as failed until it is settled"]
pub(crate) struct Attempt {
    throttle: Throttle,
    keys: AttemptKeys,
    counted: Vec<Counted>,
    is_password: bool,
    trust: Trust,
}

/// A record in which an attempt was counted, with its content before and after.
#[derive(Debug)]
struct Counted {
    key: AttemptKey,
    bound: AttemptBound,
    before: Option<AttemptRecord>,
    after: AttemptRecord,
}

impl Throttle {
    pub(crate) fn new(attempts: Attempts, clock: Clock, metrics: ThrottleMetrics) -> Self {
        Self { attempts, clock, metrics, log_throttle: Arc::default() }
    }

    /// Counts an attempt of the current client.
    ///
    /// # Errors
    /// 429 `too_many_attempts` during a pause, with the time until the pause ends; the same with
    /// one second when too many concurrent attempts change the records; those of MongoDB.
    pub(crate) async fn may_try(&self, guess: Guess<'_>) -> Result<Attempt, Error> {
        let address = Origin::current().address;
        let keys = guess.keys(address.as_deref().and_then(|address| address.parse().ok()));
        for nth in 0..TRIES {
            let [pair, account, of_address] = self.attempts.get([&keys.pair, &keys.account, &keys.address]).await?;
            let records = AttemptRecords {
                pair: pair.unwrap_or_default(),
                account: account.unwrap_or_default(),
                address: of_address.unwrap_or_default(),
            };
            let now = self.clock.now();
            match decide(now, records) {
                Decision::Wait { until, of, pair: waiting } => {
                    if waiting != records.pair {
                        // `swap` returns false if a concurrent attempt has written the record
                        // already, which is harmless.
                        self.attempts.swap(&keys.pair, pair.as_ref(), &waiting).await?;
                    }
                    return Err(self.refused(of, until - now, address.as_deref()).into());
                }
                Decision::Go { counted, trust } => {
                    let mut attempt = Attempt {
                        throttle: self.clone(),
                        keys: keys.clone(),
                        counted: Vec::new(),
                        is_password: matches!(guess, Guess::Password(_)),
                        trust,
                    };
                    // The record that most attempts share comes first: if it has changed since it
                    // was read, nothing was written yet.
                    let all = [
                        (&keys.account, ACCOUNT, account, counted.account),
                        (&keys.address, ADDRESS, of_address, counted.address),
                        (&keys.pair, PAIR, pair, counted.pair),
                    ];
                    let concerned = if guess.concerns_others() { &all[..] } else { &all[2..] };
                    if attempt.count(concerned).await? {
                        return Ok(attempt);
                    }
                    attempt.was_not_made().await;
                    // A random pause, longer after each try, so that attempts that conflicted do
                    // not conflict again.
                    let [random] = kit::random_bytes::<1>();
                    tokio::time::sleep(Duration::from_millis(u64::from(random) % (4 << nth.min(4)))).await;
                }
            }
        }
        Err(self.refused(Of::Pair, SECOND, address.as_deref()).into())
    }

    /// Counts a refusal, logs it at most once a minute for each network address, and returns the
    /// failure to answer.
    fn refused(&self, of: Of, wait: i64, address: Option<&str>) -> Failure {
        self.metrics.refused(of);
        if self.log_throttle.may_log(address) {
            tracing::warn!(address, ?of, "attempts to log in, or the like, are refused: too many have failed");
        }
        let seconds = u32::try_from((wait + SECOND - 1) / SECOND).unwrap_or(u32::MAX).max(1);
        Failure::new(Code::TooManyAttempts, "Too many attempts have failed. Wait a while, and try again.")
            .again_in(seconds)
    }

    /// Logs a failed write. The request need not fail because of it: at worst, one failure too many
    /// stays counted.
    fn log_failure(outcome: Result<(), Error>) {
        if let Err(error) = outcome {
            tracing::warn!(%error, "an attempt stays counted");
        }
    }
}

impl Attempt {
    /// Where this attempt waits in the queue for hashing. The source is the pair of account and
    /// network address for a client that has logged in from there before, and the network address
    /// for any other client.
    pub(crate) fn turn(&self) -> Turn<Option<AttemptKey>> {
        let source = if self.trust == Trust::Known { &self.keys.pair } else { &self.keys.address };
        Turn { lane: self.trust as usize, source: Some(source.clone()) }
    }

    /// Counts the attempt in each record that still is as it was read. Returns false at the first
    /// record that has changed.
    async fn count(
        &mut self,
        all: &[(&AttemptKey, AttemptBound, Option<AttemptRecord>, AttemptRecord)],
    ) -> Result<bool, Error> {
        for (key, bound, before, after) in all {
            if before.unwrap_or_default() == *after {
                continue;
            }
            if !self.throttle.attempts.swap(key, before.as_ref(), after).await? {
                return Ok(false);
            }
            self.counted.push(Counted { key: (*key).clone(), bound: *bound, before: *before, after: *after });
        }
        Ok(true)
    }

    /// Reports the outcome. A wrong attempt stays counted. An attempt that was right, or that could
    /// not be made, does not.
    pub(crate) async fn settle<T>(self, outcome: &Result<T, Error>) {
        match outcome {
            Ok(_) => self.was_right().await,
            Err(Error::Failure(failure))
                if matches!(failure.code, Code::Unauthorized | Code::InvalidToken | Code::WrongPassword) => {}
            Err(_) => self.was_not_made().await,
        }
    }

    /// Resets the record of the pair, and removes the attempt from the records of the account and
    /// the network address.
    async fn was_right(mut self) {
        let now = self.throttle.clock.now();
        let proven = if self.is_password { AttemptRecord::proven(now) } else { AttemptRecord::default() };
        self.counted.retain(|counted| counted.key != self.keys.pair);
        Throttle::log_failure(self.throttle.attempts.put(&self.keys.pair, &proven).await);
        self.was_not_made().await;
    }

    /// Removes the attempt from all records in which it was counted.
    async fn was_not_made(self) {
        let (attempts, now) = (&self.throttle.attempts, self.throttle.clock.now());
        for Counted { key, bound, before, after } in &self.counted {
            let restored = match attempts.swap(key, Some(after), &before.unwrap_or_default()).await {
                Ok(true) => Ok(()),
                Ok(false) => attempts.take_back(key, bound.worth(), now).await,
                Err(error) => Err(error),
            };
            Throttle::log_failure(restored);
        }
    }
}
