use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Result;
use rand::{SeedableRng, rngs::StdRng};
use tokio::{task::JoinSet, time::Instant};

use super::{
    start_barrier::{StartBarrier, StartDelay},
    tally::Tally,
    testbed::Testbed,
    verdict::Verdict,
};

/// Two requests that conflict, or that must not interleave.
pub(super) trait Race: 'static {
    /// The name of the race on the command line.
    const NAME: &'static str;
    /// The names of the two requests.
    const SIDES: [&'static str; 2];
    /// The employees and projects with which several rounds work.
    type Setup: Send;
    /// The answers to both requests, and the data that is stored after them.
    type Outcome: fmt::Debug + Send;

    /// Creates the employees and projects for several rounds.
    fn setup(testbed: &Testbed) -> impl Future<Output = Result<Self::Setup>> + Send;

    /// Prepares one round, sends both requests, and waits until nothing is in progress.
    fn round(
        testbed: &Testbed,
        setup: &mut Self::Setup,
        barrier: &StartBarrier,
        rng: &mut StdRng,
    ) -> impl Future<Output = Result<Self::Outcome>> + Send;

    /// Judges an outcome by rules that hold whichever request came first.
    fn judge(outcome: &Self::Outcome) -> Verdict;
}

/// The number of rounds with one setup. With more rounds, documents and events would have long
/// lists of terms.
const USES: usize = 40;
/// A lane ends after this many rounds in a row that could not be prepared.
const MOST_UNSET: usize = 12;
/// The interval of progress messages.
const EVERY: Duration = Duration::from_secs(10);

/// Runs the rounds of a race, in `lanes` concurrent lanes.
pub(super) async fn run<R: Race>(testbed: &Arc<Testbed>, rounds: usize, lanes: usize, seed: u64) -> Tally {
    let (delay, started) = (Arc::new(StartDelay::default()), Instant::now());
    let tally = Arc::new(Mutex::new(Tally::of(R::NAME, R::SIDES)));
    let mut running = JoinSet::new();
    for lane in 0..lanes {
        let (testbed, delay, tally) = (testbed.clone(), delay.clone(), tally.clone());
        running.spawn(async move {
            let (mut setup, mut uses, mut unset) = (None, 0, 0);
            for n in (lane..rounds).step_by(lanes) {
                let mut rng = StdRng::seed_from_u64(seed_of(seed, R::NAME, n));
                let barrier = delay.barrier(&mut rng);
                let outcome = async {
                    if setup.is_none() || uses == USES {
                        (setup, uses) = (Some(R::setup(&testbed).await?), 0);
                    }
                    uses += 1;
                    let Some(setup) = &mut setup else { anyhow::bail!("no scene") };
                    R::round(&testbed, setup, &barrier, &mut rng).await
                };
                let outcome = outcome.await;
                let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                match outcome {
                    Ok(outcome) => {
                        unset = 0;
                        let verdict = R::judge(&outcome);
                        if let Some(first) = verdict.first {
                            delay.learn(first);
                        }
                        if !verdict.faults.is_empty() {
                            // The next round gets a new setup, because it would find the same
                            // violation again in this one.
                            setup = None;
                        }
                        tally.count(n, verdict, &outcome);
                    }
                    Err(error) => {
                        (setup, unset) = (None, unset + 1);
                        tally.unset.push(format!("round {n}: {error:#}"));
                        if unset == MOST_UNSET {
                            break;
                        }
                    }
                }
                tally.tell_every(EVERY, rounds, started.elapsed(), delay.millis());
            }
        });
    }
    while let Some(ended) = running.join_next().await {
        if let Err(error) = ended {
            tally.lock().unwrap_or_else(PoisonError::into_inner).unset.push(format!("a lane has ended: {error}"));
        }
    }
    let mut tally = std::mem::take(&mut *tally.lock().unwrap_or_else(PoisonError::into_inner));
    match testbed.untold().await {
        Ok(untold) => tally.untold(&untold),
        Err(error) => tally.unset.push(format!("the outboxes cannot be read: {error:#}")),
    }
    tally.took = started.elapsed();
    tally.delay = delay.millis();
    tally
}

/// Returns the seed of a round. It does not depend on the number of concurrent lanes.
fn seed_of(seed: u64, name: &str, round: usize) -> u64 {
    // This is the hash FNV-1a.
    let bytes = seed.to_le_bytes().into_iter().chain(name.bytes()).chain((round as u64).to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_round_of_each_race_has_a_seed_of_its_own() {
        let seeds = [seed_of(1, "a", 0), seed_of(1, "a", 1), seed_of(1, "b", 0), seed_of(2, "a", 0)];
        let distinct: std::collections::BTreeSet<_> = seeds.into_iter().collect();
        assert_eq!(distinct.len(), seeds.len());
        assert_eq!(seed_of(1, "a", 0), seeds[0]);
    }
}
