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
    gate::{Aim, Gate},
    stage::Stage,
    tally::Tally,
};

/// Two sides that want what cannot both be, or not in any order.
pub(super) trait Race: 'static {
    /// By which it is asked for.
    const NAME: &'static str;
    /// What the two sides do.
    const SIDES: [&'static str; 2];
    /// Whom and what a round needs: used again and again.
    type Scene: Send;
    /// What both were told, and what is stored then.
    type Outcome: fmt::Debug + Send;

    /// Makes a scene.
    fn scene(stage: &Stage) -> impl Future<Output = Result<Self::Scene>> + Send;

    /// Sets the scene, lets both sides go, and waits until all is quiet.
    fn round(
        stage: &Stage,
        scene: &mut Self::Scene,
        gate: &Gate,
        rng: &mut StdRng,
    ) -> impl Future<Output = Result<Self::Outcome>> + Send;

    /// What the outcome says, by rules that hold whoever came first.
    fn judge(outcome: &Self::Outcome) -> Verdict;
}

/// What an outcome says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Which side came first, where that can be told.
    pub(super) first: Option<usize>,
    /// The rules that are broken.
    pub(super) faults: Vec<String>,
    /// What else is counted.
    pub(super) notes: Vec<&'static str>,
}

/// How often a scene is used: histories grow, and messages with them.
const USES: usize = 40;
/// So many rounds that could not be set, one after the other, end a race.
const MOST_UNSET: usize = 12;
/// How often is told how far it is.
const EVERY: Duration = Duration::from_secs(10);
/// So many violations of a race are kept with their history.
pub(super) const KEPT: usize = 20;

/// Runs the rounds of a race, so many at the same time.
pub(super) async fn run<R: Race>(stage: &Arc<Stage>, rounds: usize, lanes: usize, seed: u64) -> Tally {
    let (aim, started) = (Arc::new(Aim::default()), Instant::now());
    let tally = Arc::new(Mutex::new(Tally::of(R::NAME, R::SIDES)));
    let mut running = JoinSet::new();
    for lane in 0..lanes {
        let (stage, aim, tally) = (stage.clone(), aim.clone(), tally.clone());
        running.spawn(async move {
            let (mut scene, mut uses, mut unset) = (None, 0, 0);
            for n in (lane..rounds).step_by(lanes) {
                let mut rng = StdRng::seed_from_u64(seed_of(seed, R::NAME, n));
                let gate = aim.gate(&mut rng);
                let outcome = async {
                    if scene.is_none() || uses == USES {
                        (scene, uses) = (Some(R::scene(&stage).await?), 0);
                    }
                    uses += 1;
                    let Some(scene) = &mut scene else { anyhow::bail!("no scene") };
                    R::round(&stage, scene, &gate, &mut rng).await
                };
                let outcome = outcome.await;
                let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                match outcome {
                    Ok(outcome) => {
                        unset = 0;
                        let verdict = R::judge(&outcome);
                        if let Some(first) = verdict.first {
                            aim.learn(first);
                        }
                        if !verdict.faults.is_empty() {
                            // What is wrong once would be found again and again.
                            scene = None;
                        }
                        tally.count(n, verdict, &outcome);
                    }
                    Err(error) => {
                        (scene, unset) = (None, unset + 1);
                        tally.unset.push(format!("round {n}: {error:#}"));
                        if unset == MOST_UNSET {
                            break;
                        }
                    }
                }
                tally.tell_every(EVERY, rounds, started.elapsed(), aim.millis());
            }
        });
    }
    while let Some(ended) = running.join_next().await {
        if let Err(error) = ended {
            tally.lock().unwrap_or_else(PoisonError::into_inner).unset.push(format!("a lane has ended: {error}"));
        }
    }
    let mut tally = std::mem::take(&mut *tally.lock().unwrap_or_else(PoisonError::into_inner));
    tally.took = started.elapsed();
    tally.aim = aim.millis();
    tally
}

/// Each round has a seed of its own, so that it does not depend on how many run at the same time.
fn seed_of(seed: u64, name: &str, round: usize) -> u64 {
    // FNV-1a.
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
