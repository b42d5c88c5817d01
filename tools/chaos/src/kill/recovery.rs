use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use contracts::{EmployeeId, ProjectId};
use reqwest::Method;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{
    client::{ApiClient, As},
    ledger::now,
    people::Person,
};

/// The number of rounds in a row that must succeed before the system counts as recovered.
const CALM: u32 = 3;
/// The pause between two rounds of requests.
const PAUSE: Duration = Duration::from_millis(100);
/// The time limit for a recovery.
const BOUND: Duration = Duration::from_secs(90);

/// The probe sends requests that directory, projects, timetrack and analytics answer, and a window,
/// again and again, until all are answered in [`CALM`] rounds in a row.
#[derive(Clone)]
pub(crate) struct Probe {
    pub(crate) client: ApiClient,
    pub(crate) employee: EmployeeId,
    pub(crate) project: ProjectId,
    /// The employee who sends the probe's window. No report about this employee is requested during
    /// the campaign.
    pub(crate) person: Arc<Person>,
    pub(crate) window: serde_json::Value,
}

/// How long after the start of a fault, and after its end, a request of the probe failed for the
/// last time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recovered {
    pub(crate) in_all: Duration,
    pub(crate) after_healing: Duration,
    /// Whether the system recovered within the time limit.
    pub(crate) is_back: bool,
    /// For each kind of request, how long after the end of the fault it failed for the last time.
    pub(crate) parts: BTreeMap<&'static str, Duration>,
}

/// The moment at which a fault ended. It is set when that happens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Healed(Arc<(AtomicBool, std::sync::Mutex<Option<Instant>>)>);

impl Healed {
    pub(crate) fn now(&self) {
        *self.0.1.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Instant::now());
        self.0.0.store(true, Ordering::SeqCst);
    }

    /// Returns how long ago the fault ended, or zero if it lasts.
    pub(crate) fn since(&self) -> Duration {
        self.at().map_or(Duration::ZERO, |at| at.elapsed())
    }

    fn at(&self) -> Option<Instant> {
        *self.0.1.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Probe {
    /// Waits until the system has recovered from a fault that begins now, but not longer than
    /// [`BOUND`].
    pub(crate) async fn until_recovered(self, healed: Healed) -> Recovered {
        let began = Instant::now();
        let (mut failures, mut calm) = (BTreeMap::new(), 0);
        loop {
            let silent = self.who_does_not_answer().await;
            calm = if silent.is_empty() && healed.at().is_some() { calm + 1 } else { 0 };
            failures.extend(silent.into_iter().map(|name| (name, Instant::now())));
            let is_back = calm >= CALM;
            if is_back || began.elapsed() > BOUND {
                let last = failures.values().copied().max();
                let since = |from: Instant| last.map_or(Duration::ZERO, |last| last.saturating_duration_since(from));
                let (in_all, healed) = (since(began), healed.at());
                let after = |at: Instant| healed.map_or(Duration::ZERO, |healed| at.saturating_duration_since(healed));
                let parts = failures.iter().map(|(name, at)| (*name, after(*at))).collect();
                return Recovered { in_all, after_healing: healed.map_or(Duration::ZERO, since), is_back, parts };
            }
            sleep(PAUSE).await;
        }
    }

    async fn who_does_not_answer(&self) -> Vec<&'static str> {
        let get = async |path: String| self.client.call(Method::GET, &path, As::Admin, None).await.status == 200;
        let recent = now() - 1_000;
        let (directory, projects, timetrack, analytics, ingest) = tokio::join!(
            get(format!("/api/v1/employee/{}", self.employee)),
            get(format!("/api/v1/project/{}", self.project)),
            get(format!("/api/v1/analytics/window?start={recent}&end={}&limit=1", recent + 1)),
            get(format!("/api/v1/analytics/project-time?start={recent}&end={}", recent + 1)),
            self.ingests(),
        );
        let answers = [
            ("directory", directory),
            ("projects", projects),
            ("timetrack", timetrack),
            ("analytics", analytics),
            ("ingest", ingest),
        ];
        answers.into_iter().filter(|(_, answers)| !answers).map(|(name, _)| name).collect()
    }

    /// Returns whether the probe's window is answered as recorded.
    async fn ingests(&self) -> bool {
        let Some(token) = self.person.token() else { return false };
        let sent =
            self.client.call(Method::POST, "/api/v1/time-entries", As::Employee(&token), Some(&self.window)).await;
        matches!(sent.status, 200 | 201)
    }
}

/// Returns the probe's window, as a request body.
pub(crate) fn window(project: ProjectId, task: contracts::TaskId, serial: u64) -> serde_json::Value {
    json!({
        "start": 1_410_000_000_000i64, "end": 1_410_000_600_000i64, "timezoneOffset": 0, "projectId": project, "taskId": task,
        "note": serial.to_string(), "computer": "probe", "user": "probe", "os": "linux", "osVersion": "1", "hwid": "probe",
    })
}
