use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Instant,
};

use anyhow::Context;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash};
use contracts::{Code, Failure, Secret};
use kit::Error;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::{
    domain::{AttemptKey, Trust, composed, spellings},
    fair_queue::{FairQueue, Turn},
    metrics::HashingMetrics,
};

/// The most passwords that wait in the queue. Each takes about 50 ms, so the last one waits three
/// seconds; callers wait five seconds for an answer.
const MOST_WAITING: usize = 64;
/// The niceness of the hashing thread. With 19, log-ins on a busy machine took longer than the five
/// seconds that callers wait.
const NICENESS: i32 = 5;

/// The stored hash of a password: Argon2id in PHC string form, with its salt and parameters.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct HashedPassword(String);

impl fmt::Debug for HashedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hashed password]")
    }
}

/// The result of verifying a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The password is right.
    Right,
    /// The password is right, but was hashed in another spelling or with weaker parameters than
    /// today's.
    RightButOutdated,
    /// The password is wrong, or the account has none.
    Wrong,
}

enum Job {
    Hash { password: Secret, reply: oneshot::Sender<anyhow::Result<HashedPassword>> },
    Verify { password: Secret, hashed: Option<HashedPassword>, reply: oneshot::Sender<Verdict> },
}

/// The source of a job in the queue. None for a password that is hashed after a valid token or
/// password was presented.
type Source = Option<AttemptKey>;
type Queue = FairQueue<Source, Job, { Trust::ALL.len() }>;

/// The only thread that hashes passwords. Argon2 occupies 19 MiB and a core for a while, and many
/// log-ins at once must not block all other work. They must not block other log-ins either. So jobs
/// wait in lanes by trust, and the sources of a lane take turns.
#[derive(Clone)]
pub(crate) struct Hasher {
    waiting: Arc<Mutex<Queue>>,
    /// Sends one message for each queued job. The thread ends when the last sender is dropped.
    more: mpsc::Sender<()>,
    metrics: HashingMetrics,
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

impl Hasher {
    /// Starts the hashing thread, which ends when the last `Hasher` is dropped.
    pub(crate) fn start(metrics: HashingMetrics) -> anyhow::Result<Self> {
        let (more, inbox) = mpsc::channel();
        let waiting = Arc::new(Mutex::new(Queue::new(MOST_WAITING)));
        let argon2 = owasp_minimum()?;
        // The hash of a random password, which is verified when an account has no stored hash.
        let nobody = hash(&argon2, &kit::random_bytes::<32>())?;
        let (jobs, seen) = (waiting.clone(), metrics.clone());
        let work = move || {
            // An error is harmless: the thread then has the default niceness. On Linux, the
            // niceness belongs to the thread and not to the process.
            let _ = rustix::process::nice(NICENESS);
            for () in inbox {
                // None if a job was dropped from the full queue: then there are more messages than
                // jobs.
                let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let Some(job) = next else { continue };
                seen.waiting.dec();
                let started = Instant::now();
                run(&argon2, &nobody, job);
                seen.took.observe(started.elapsed().as_secs_f64());
            }
        };
        thread::Builder::new().name("passwords".into()).spawn(work).context("cannot start the hashing thread")?;
        Ok(Self { waiting, more, metrics })
    }

    /// Hashes a password with a new salt. Only for callers that have presented a valid token or
    /// password, because such jobs come first.
    pub(crate) async fn hash(&self, password: Secret) -> Result<HashedPassword, Error> {
        let (reply, answer) = oneshot::channel();
        self.queue(Turn { lane: Trust::Known as usize, source: None }, Job::Hash { password, reply });
        Ok(answer.await.map_err(|_| busy())??)
    }

    /// Verifies a password in all its spellings. Without a stored hash, this takes the same time,
    /// and the result is `Wrong`.
    pub(crate) async fn verify(
        &self,
        turn: Turn<Source>,
        password: Secret,
        hashed: Option<HashedPassword>,
    ) -> Result<Verdict, Error> {
        let (reply, answer) = oneshot::channel();
        self.queue(turn, Job::Verify { password, hashed, reply });
        Ok(answer.await.map_err(|_| busy())?)
    }

    /// Queues a job. When a job is dropped because the queue is full, its reply channel closes.
    fn queue(&self, turn: Turn<Source>, job: Job) {
        // The job is counted before the push, because the thread may take it right after the push.
        self.metrics.waiting.inc();
        let displaced = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(turn, job);
        if displaced.is_some() {
            self.metrics.waiting.dec();
            self.metrics.refused.inc();
        }
        // An error is ignored: it means that the thread has ended, and then the reply channel is
        // closed too.
        let _ = self.more.send(());
    }
}

fn busy() -> Failure {
    Failure::new(Code::Unavailable, "Too many people log in at once. Try again in a moment.")
}

/// Runs a job, unless its caller has stopped waiting.
fn run(argon2: &Argon2<'_>, nobody: &HashedPassword, job: Job) {
    match job {
        Job::Hash { password, reply } if !reply.is_closed() => {
            let _ = reply.send(hash(argon2, composed(password.expose()).as_bytes()));
        }
        Job::Verify { password, hashed, reply } if !reply.is_closed() => {
            let stored = hashed.as_ref().unwrap_or(nobody);
            let spellings = spellings(password.expose());
            let right = spellings.iter().position(|spelling| verify(argon2, spelling.as_bytes(), stored));
            let _ = reply.send(match right.filter(|_| hashed.is_some()) {
                Some(0) if is_as_today(argon2, stored) => Verdict::Right,
                Some(_) => Verdict::RightButOutdated,
                None => Verdict::Wrong,
            });
        }
        Job::Hash { .. } | Job::Verify { .. } => {}
    }
}

/// Argon2id with 19 MiB, two passes and one lane: the minimum of OWASP's Password Storage Cheat
/// Sheet.
fn owasp_minimum() -> anyhow::Result<Argon2<'static>> {
    let params = Params::new(19_456, 2, 1, None).map_err(|e| anyhow::anyhow!("Argon2's parameters: {e}"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(argon2: &Argon2<'_>, password: &[u8]) -> anyhow::Result<HashedPassword> {
    let phc = argon2.hash_password(password).map_err(|e| anyhow::anyhow!("cannot hash: {e}"))?;
    Ok(HashedPassword(phc.to_string()))
}

fn verify(argon2: &Argon2<'_>, password: &[u8], hashed: &HashedPassword) -> bool {
    match PasswordHash::new(&hashed.0) {
        Ok(phc) => argon2.verify_password(password, &phc).is_ok(),
        Err(error) => {
            tracing::error!(%error, "a stored password that cannot be read");
            false
        }
    }
}

/// Whether a hash was made by today's algorithm, with parameters at least as strong as today's.
fn is_as_today(argon2: &Argon2<'_>, hashed: &HashedPassword) -> bool {
    let Ok(phc) = PasswordHash::new(&hashed.0) else { return false };
    let is_same_kind = phc.algorithm == Algorithm::Argon2id.ident() && phc.version == Some(Version::V0x13.into());
    let (today, then) = (argon2.params(), Params::try_from(&phc));
    is_same_kind
        && then.is_ok_and(|then| {
            then.m_cost() >= today.m_cost() && then.t_cost() >= today.t_cost() && then.p_cost() >= today.p_cost()
        })
}

#[cfg(test)]
mod tests {
    use contracts::Service;
    use kit::Metrics;

    use super::*;
    use crate::domain::Guess;

    fn turn(trust: Trust, address: u8) -> Turn<Source> {
        let keys = Guess::Password("ann@x.org").keys(Some([10, 0, 0, address].into()));
        Turn { lane: trust as usize, source: Some(keys.address) }
    }

    fn anybody() -> Turn<Source> {
        turn(Trust::Unknown, 1)
    }

    #[tokio::test]
    async fn a_password_is_stored_as_argon2id_with_owasps_parameters_and_a_salt_of_its_own() {
        let hasher = Hasher::start(HashingMetrics::new(&Metrics::new(Service::Directory))).unwrap();
        let password = Secret::new("three or four words");
        let (one, other) = (hasher.hash(password.clone()).await.unwrap(), hasher.hash(password.clone()).await.unwrap());
        assert!(one.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", one.0);
        assert_ne!(one.0, other.0);
        assert_eq!(hasher.verify(anybody(), password, Some(one.clone())).await.unwrap(), Verdict::Right);
        assert_eq!(
            hasher.verify(anybody(), Secret::new("three or four wordS"), Some(one)).await.unwrap(),
            Verdict::Wrong
        );
        assert_eq!(hasher.verify(anybody(), Secret::new("anything"), None).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_password_that_was_hashed_with_less_work_is_right_and_outdated() {
        let hasher = Hasher::start(HashingMetrics::new(&Metrics::new(Service::Directory))).unwrap();
        let password = "three or four words";
        let argon2 = |algorithm, m, t, p| Argon2::new(algorithm, Version::V0x13, Params::new(m, t, p, None).unwrap());
        for (hashed_by, expected) in [
            (argon2(Algorithm::Argon2id, 19_456, 2, 1), Verdict::Right),
            (argon2(Algorithm::Argon2id, 20_000, 3, 1), Verdict::Right),
            (argon2(Algorithm::Argon2id, 9_728, 2, 1), Verdict::RightButOutdated),
            (argon2(Algorithm::Argon2id, 19_456, 1, 1), Verdict::RightButOutdated),
            (argon2(Algorithm::Argon2i, 19_456, 2, 1), Verdict::RightButOutdated),
        ] {
            let stored = hash(&hashed_by, password.as_bytes()).unwrap();
            let shown = stored.0.clone();
            assert_eq!(
                hasher.verify(anybody(), Secret::new(password), Some(stored.clone())).await.unwrap(),
                expected,
                "{shown}"
            );
            assert_eq!(
                hasher.verify(anybody(), Secret::new("another"), Some(stored)).await.unwrap(),
                Verdict::Wrong,
                "{shown}"
            );
        }
    }

    #[tokio::test]
    async fn past_the_queue_people_are_told_to_come_again() {
        let hasher = Hasher::start(HashingMetrics::new(&Metrics::new(Service::Directory))).unwrap();
        let all = (0..100).map(|_| hasher.verify(anybody(), Secret::new("anything at all"), None));
        let answers = futures::future::join_all(all).await;
        let (served, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert!((MOST_WAITING..=80).contains(&served.len()), "{} served", served.len());
        let refusals = refused.len() as u64;
        for refusal in refused {
            assert_eq!(refusal.unwrap_err().to_failure().code, Code::Unavailable);
        }
        assert_eq!(hasher.metrics.refused.get(), refusals);
        assert_eq!(hasher.metrics.waiting.get(), 0);
        assert_eq!(hasher.verify(anybody(), Secret::new("anything at all"), None).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_storm_from_one_address_leaves_a_place_for_all_others() {
        let hasher = Hasher::start(HashingMetrics::new(&Metrics::new(Service::Directory))).unwrap();
        let try_once = |turn| hasher.verify(turn, Secret::new("anything at all"), None);
        let storm = (0..200).map(|_| try_once(turn(Trust::Suspect, 1)));
        let others = (0..8).map(|n| try_once(turn([Trust::Known, Trust::Suspect][n % 2], n as u8 + 2)));
        let (storm, others) =
            futures::future::join(futures::future::join_all(storm), futures::future::join_all(others)).await;
        assert!(storm.iter().any(Result::is_err));
        assert!(others.iter().all(Result::is_ok), "{others:?}");
    }

    #[tokio::test]
    async fn a_password_fits_from_every_keyboard_also_where_it_was_hashed_as_it_came() {
        let hasher = Hasher::start(HashingMetrics::new(&Metrics::new(Service::Directory))).unwrap();
        let keyboards = ["un \u{e9}t\u{e9} \u{e0} Orl\u{e9}ans", "un e\u{301}te\u{301} a\u{300} Orle\u{301}ans"];
        for hashed_from in keyboards {
            let today = hasher.hash(Secret::new(hashed_from)).await.unwrap();
            let before = hash(&owasp_minimum().unwrap(), hashed_from.as_bytes()).unwrap();
            for typed in keyboards {
                assert_eq!(
                    hasher.verify(anybody(), Secret::new(typed), Some(today.clone())).await.unwrap(),
                    Verdict::Right
                );
                assert_ne!(
                    hasher.verify(anybody(), Secret::new(typed), Some(before.clone())).await.unwrap(),
                    Verdict::Wrong
                );
            }
            let other = Secret::new("un ete a Orleans");
            assert_eq!(hasher.verify(anybody(), other, Some(before)).await.unwrap(), Verdict::Wrong);
        }
    }
}
