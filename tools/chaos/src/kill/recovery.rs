use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use contracts::{EmployeeId, ProjectId};
use reqwest::Method;
use serde_json::json;
use tokio::{
    task::JoinHandle,
    time::{Instant, interval},
};

use super::{
    door::{As, Door},
    ledger::now,
    people::Person,
};

/// The number of calls in a row that must be answered before a service counts as recovered.
const CALM: u32 = 3;
/// The pause between the beginnings of two calls to a service. A call does not wait for the one before it, which may hang
/// for seconds: what comes back meanwhile would be noticed that much later.
const PAUSE: Duration = Duration::from_millis(200);
/// The most calls to a service at a time: more would keep a busy system busy.
const AT_ONCE: usize = 4;
/// The time limit of a recovery.
const BOUND: Duration = Duration::from_secs(90);
/// What is asked.
const PARTS: [&str; 5] = ["directory", "projects", "timetrack", "analytics", "ingest"];

/// Sends one request to each service, again and again, until all are answered.
#[derive(Clone)]
pub(crate) struct Probe {
    pub(crate) door: Door,
    pub(crate) employee: EmployeeId,
    pub(crate) project: ProjectId,
    /// The employee of the probe's window, which no report contains.
    pub(crate) person: Arc<Person>,
    pub(crate) window: serde_json::Value,
}

/// How long requests were not answered, since the start and since the end of a fault: until the first answer after the
/// last call without one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recovered {
    pub(crate) in_all: Duration,
    pub(crate) after_healing: Duration,
    /// Whether the system recovered within the time limit.
    pub(crate) is_back: bool,
    /// How long each service did not answer, since the start and since the end.
    pub(crate) parts: BTreeMap<&'static str, (Duration, Duration)>,
}

/// How a service has answered so far, call by call in the order in which they were sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Answers {
    /// How many in a row were answered, of those that count.
    calm: u32,
    /// Whether any call was not answered.
    has_failed: bool,
    /// When the first answer came after the last call without one.
    back: Option<Instant>,
}

impl Answers {
    /// Takes in how the next call ended, and when. Nothing counts as calm before the fault is over.
    fn add(&mut self, is_answered: bool, at: Instant, is_over: bool) {
        if is_answered {
            self.back = self.back.or(self.has_failed.then_some(at));
            self.calm += u32::from(is_over);
        } else {
            *self = Self { calm: 0, has_failed: true, back: None };
        }
    }
}

/// When a fault ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Healed(Arc<(AtomicBool, std::sync::Mutex<Option<Instant>>)>);

impl Healed {
    pub(crate) fn now(&self) {
        *self.0.1.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Instant::now());
        self.0.0.store(true, Ordering::SeqCst);
    }

    /// How long ago that was.
    pub(crate) fn since(&self) -> Duration {
        self.at().map_or(Duration::ZERO, |at| at.elapsed())
    }

    fn at(&self) -> Option<Instant> {
        *self.0.1.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Probe {
    /// Waits until all requests are answered, for a fault that begins now.
    pub(crate) async fn until_recovered(self, healed: Healed) -> Recovered {
        let began = Instant::now();
        let (mut answers, mut waiting) = ([Answers::default(); PARTS.len()], Rounds::new());
        let mut ticks = interval(PAUSE);
        loop {
            ticks.tick().await;
            let round = std::array::from_fn(|part| {
                let open = waiting.iter().filter(|round: &&Round| round[part].is_some()).count();
                let probe = self.clone();
                let call = async move { (probe.answers(PARTS[part]).await, Instant::now()) };
                (open < AT_ONCE).then(|| tokio::spawn(call))
            });
            waiting.push_back(round);
            take_in(&mut answers, &mut waiting, healed.at().is_some()).await;
            let is_back = answers.iter().all(|of| of.calm >= CALM);
            if is_back || began.elapsed() > BOUND {
                return recovered(began, healed.at(), is_back, &answers);
            }
        }
    }

    /// Whether a service answers.
    async fn answers(&self, part: &str) -> bool {
        let get = async |path: String| self.door.call(Method::GET, &path, As::Admin, None).await.status == 200;
        let recent = now() - 1_000;
        match part {
            "directory" => get(format!("/api/v1/employee/{}", self.employee)).await,
            "projects" => get(format!("/api/v1/project/{}", self.project)).await,
            "timetrack" => get(format!("/api/v1/analytics/window?start={recent}&end={}&limit=1", recent + 1)).await,
            "analytics" => get(format!("/api/v1/analytics/project-time?start={recent}&end={}", recent + 1)).await,
            _ => self.ingests().await,
        }
    }

    /// Whether the probe's window is recorded at once.
    async fn ingests(&self) -> bool {
        let Some(token) = self.person.token() else { return false };
        let sent = self.door.call(Method::POST, "/api/v1/time-entries", As::Employee(&token), Some(&self.window)).await;
        matches!(sent.status, 200 | 201)
    }
}

/// The calls to each service that began together, until how they ended is taken in.
type Round = [Option<JoinHandle<(bool, Instant)>>; PARTS.len()];
type Rounds = VecDeque<Round>;

/// Takes in the calls that have ended, of each service in the order in which they were sent: one that still hangs may fail,
/// so what was sent after it does not count yet.
async fn take_in(answers: &mut [Answers; PARTS.len()], rounds: &mut Rounds, is_over: bool) {
    for (part, answers) in answers.iter_mut().enumerate() {
        for round in rounds.iter_mut() {
            let Some(call) = &round[part] else { continue };
            if !call.is_finished() {
                break;
            }
            let Some(call) = round[part].take() else { break };
            let (is_answered, at) = call.await.unwrap_or_else(|_| (false, Instant::now()));
            answers.add(is_answered, at, is_over);
        }
    }
    while rounds.front().is_some_and(|round| round.iter().all(Option::is_none)) {
        rounds.pop_front();
    }
}

fn recovered(began: Instant, healed: Option<Instant>, is_back: bool, answers: &[Answers]) -> Recovered {
    let since = |from: Instant, at: Instant| at.saturating_duration_since(from);
    let mut of = Recovered { is_back, ..Recovered::default() };
    for (part, answers) in PARTS.into_iter().zip(answers).filter(|(_, answers)| answers.has_failed) {
        let back = answers.back.unwrap_or_else(Instant::now);
        let (in_all, after) = (since(began, back), healed.map_or(Duration::ZERO, |healed| since(healed, back)));
        of.in_all = of.in_all.max(in_all);
        of.after_healing = of.after_healing.max(after);
        of.parts.insert(part, (in_all, after));
    }
    of
}

/// The probe's window.
pub(crate) fn window(project: ProjectId, task: contracts::TaskId, serial: u64) -> serde_json::Value {
    json!({
        "start": 1_410_000_000_000i64, "end": 1_410_000_600_000i64, "timezoneOffset": 0, "projectId": project, "taskId": task,
        "note": serial.to_string(), "computer": "probe", "user": "probe", "os": "linux", "osVersion": "1", "hwid": "probe",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(began: Instant, calls: &[(u64, bool, bool)]) -> Answers {
        let mut answers = Answers::default();
        for (millis, is_answered, is_over) in calls {
            answers.add(*is_answered, began + Duration::from_millis(*millis), *is_over);
        }
        answers
    }

    #[test]
    fn a_service_is_back_with_the_first_answer_after_the_last_call_without_one() {
        let began = Instant::now();
        let calls = [
            (100, true, false),
            (5_000, false, false),
            (700, true, false),
            (4_000, false, true),
            (900, true, true),
            (950, true, true),
        ];
        let answers = after(began, &calls);
        assert_eq!(answers, Answers { calm: 2, has_failed: true, back: Some(began + Duration::from_millis(900)) });
        let of = recovered(began, Some(began + Duration::from_millis(600)), true, &[answers]);
        assert_eq!((of.in_all, of.after_healing), (Duration::from_millis(900), Duration::from_millis(300)));
    }

    #[test]
    fn what_always_answered_was_never_away() {
        let began = Instant::now();
        let of = recovered(began, Some(began), true, &[after(began, &[(100, true, true), (300, true, true)])]);
        assert_eq!(of, Recovered { is_back: true, ..Recovered::default() });
    }

    #[test]
    fn answers_during_the_fault_prove_no_recovery() {
        assert_eq!(after(Instant::now(), &[(100, true, false), (300, true, true)]).calm, 1);
    }

    #[tokio::test]
    async fn what_was_sent_after_a_call_that_hangs_does_not_count_yet() {
        let call = |ends: bool| {
            Some(tokio::spawn(async move {
                if !ends {
                    std::future::pending::<()>().await;
                }
                (true, Instant::now())
            }))
        };
        let mut rounds: Rounds = [true, false, true]
            .into_iter()
            .map(|ends| [call(ends), call(true), call(true), call(true), call(true)])
            .collect();
        let mut answers = [Answers::default(); PARTS.len()];
        until(|| rounds.iter().flatten().flatten().filter(|call| call.is_finished()).count() == 14).await;
        take_in(&mut answers, &mut rounds, true).await;
        assert_eq!(answers.map(|of| of.calm), [1, 3, 3, 3, 3]);
        assert_eq!(rounds.len(), 2);
    }

    async fn until(mut holds: impl FnMut() -> bool) {
        while !holds() {
            tokio::task::yield_now().await;
        }
    }
}
