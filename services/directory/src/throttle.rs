//! Keeps guessing slow. Whatever somebody may guess at is asked for here first, and what came of it
//! is told here afterwards:
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
        PAIR, Standing, decide,
    },
    fair_queue::Turn,
    metrics::ThrottleMetrics,
    store::Attempts,
};

/// So often an attempt is tried to be counted while others are counted under the same keys.
const TRIES: u32 = 20;

/// Counts attempts before they are made, and refuses those that come too soon.
#[derive(Clone, Debug)]
pub(crate) struct Throttle {
    attempts: Attempts,
    clock: Clock,
    metrics: ThrottleMetrics,
    told: Arc<LogThrottle>,
}

/// An attempt that is counted as failed, until it is told what came of it.
#[derive(Debug)]
#[must_use = "an attempt counts as failed until it is settled"]
pub(crate) struct Attempt {
    throttle: Throttle,
    keys: AttemptKeys,
    counted: Vec<Counted>,
    is_password: bool,
    standing: Standing,
}

/// One record in which an attempt is counted.
#[derive(Debug)]
struct Counted {
    key: AttemptKey,
    bound: AttemptBound,
    before: Option<AttemptRecord>,
    after: AttemptRecord,
}

impl Throttle {
    pub(crate) fn new(attempts: Attempts, clock: Clock, metrics: ThrottleMetrics) -> Self {
        Self { attempts, clock, metrics, told: Arc::default() }
    }

    /// Counts an attempt by whoever asks now, known here or not.
    ///
    /// # Errors
    /// 429 `too_many_attempts` where there is a pause, with its rest; those of MongoDB.
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
                        // Another one has noted it already where this fails.
                        self.attempts.swap(&keys.pair, pair.as_ref(), &waiting).await?;
                    }
                    return Err(self.refused(of, until - now, address.as_deref()).into());
                }
                Decision::Go { counted, standing } => {
                    let mut attempt = Attempt {
                        throttle: self.clone(),
                        keys: keys.clone(),
                        counted: Vec::new(),
                        is_password: matches!(guess, Guess::Password(_)),
                        standing,
                    };
                    // Where many meet comes first: whoever loses there has written nothing yet.
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
                    // Longer each time, so that those who met do not meet again.
                    let [random] = kit::random_bytes::<1>();
                    tokio::time::sleep(Duration::from_millis(u64::from(random) % (4 << nth.min(4)))).await;
                }
            }
        }
        Err(self.refused(Of::Pair, SECOND, address.as_deref()).into())
    }

    /// Counts a refusal, and tells the log of it now and then.
    fn refused(&self, of: Of, wait: i64, address: Option<&str>) -> Failure {
        self.metrics.refused(of);
        if self.told.may_log(address) {
            tracing::warn!(address, ?of, "attempts to log in, or the like, are refused: too many have failed");
        }
        let seconds = u32::try_from((wait + SECOND - 1) / SECOND).unwrap_or(u32::MAX).max(1);
        Failure::new(Code::TooManyAttempts, "Too many attempts have failed. Wait a while, and try again.")
            .again_in(seconds)
    }

    /// What cannot be written now is worth no failure: an attempt too many is counted.
    fn told(outcome: Result<(), Error>) {
        if let Err(error) = outcome {
            tracing::warn!(%error, "an attempt stays counted");
        }
    }
}

impl Attempt {
    /// Its turn where passwords are hashed: people who are known wait for themselves alone, others for
    /// their address.
    pub(crate) fn turn(&self) -> Turn<Option<AttemptKey>> {
        let source = if self.standing == Standing::Known { &self.keys.pair } else { &self.keys.address };
        Turn { lane: self.standing as usize, source: Some(source.clone()) }
    }

    /// Counts in each record, as long as they are as they were seen.
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

    /// Says what came of it: what was refused as wrong stays counted, what was right or could not be
    /// tried does not.
    pub(crate) async fn settle<T>(self, outcome: &Result<T, Error>) {
        match outcome {
            Ok(_) => self.was_right().await,
            Err(Error::Failure(failure))
                if matches!(failure.code, Code::Unauthorized | Code::InvalidToken | Code::WrongPassword) => {}
            Err(_) => self.was_not_made().await,
        }
    }

    /// The pair begins anew; for the account and the address it never happened.
    async fn was_right(mut self) {
        let now = self.throttle.clock.now();
        let proven = if self.is_password { AttemptRecord::proven(now) } else { AttemptRecord::default() };
        self.counted.retain(|counted| counted.key != self.keys.pair);
        Throttle::told(self.throttle.attempts.put(&self.keys.pair, &proven).await);
        self.was_not_made().await;
    }

    /// Takes back what was counted.
    async fn was_not_made(self) {
        let (attempts, now) = (&self.throttle.attempts, self.throttle.clock.now());
        for Counted { key, bound, before, after } in &self.counted {
            let restored = match attempts.swap(key, Some(after), &before.unwrap_or_default()).await {
                Ok(true) => Ok(()),
                Ok(false) => attempts.take_back(key, bound.worth(), now).await,
                Err(error) => Err(error),
            };
            Throttle::told(restored);
        }
    }
}
