use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use bench::{fleet::ADMIN_KEY, senders::LENGTH};
use bson::doc;
use contracts::{ProjectTime, WindowId};
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::{
    answers::{Answers, Word},
    system::System,
};

/// How long INGEST may take to become empty after the last window.
const REST: Duration = Duration::from_secs(90);

#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(rename = "_id")]
    id: WindowId,
}

/// The report of a campaign.
#[derive(Clone, Debug)]
pub struct Report {
    /// The number of windows that were sent.
    pub sent: usize,
    /// The number of stored windows.
    pub stored: usize,
    /// The number of answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// The median, the 99th percentile and the maximum of the time until an answer, in
    /// milliseconds.
    pub took: [f64; 3],
    /// A sentence for each fault.
    pub faults: Vec<String>,
}

impl Report {
    /// Waits until INGEST is empty, and then checks what became of every window.
    pub(crate) async fn of(system: &System, answers: Answers) -> Result<Self> {
        let started = Instant::now();
        while system.fleet.queued().await? > 0 {
            ensure!(started.elapsed() < REST, "the queue is not empty after {} s", REST.as_secs());
            sleep(Duration::from_millis(50)).await;
        }
        let stored = stored(system).await?;
        let Answers { words, statuses, mut micros, mut faults } = answers;
        let lost = words.iter().filter(|(id, word)| **word != Word::NotTaken && !stored.contains(*id)).count();
        if lost > 0 {
            faults.push(format!("{lost} windows are lost that were answered as stored or queued"));
        }
        let foreign = stored.iter().filter(|id| !words.contains_key(*id)).count();
        if foreign > 0 {
            faults.push(format!("{foreign} windows are stored that nobody sent"));
        }
        system.fleet.until_analytics_rest().await?;
        let (counted, expected) = (counted(system).await?, stored.len() as i64 * LENGTH);
        if counted != expected {
            faults.push(format!("analytics count {counted} ms of {expected} ms"));
        }
        micros.sort_unstable();
        let at = |share: f64| {
            let place = ((micros.len() as f64 * share) as usize).min(micros.len().saturating_sub(1));
            micros.get(place).map_or(f64::NAN, |micros| f64::from(*micros) / 1_000.0)
        };
        let took = [at(0.5), at(0.99), at(1.0)];
        Ok(Self { sent: words.len(), stored: stored.len(), statuses, took, faults })
    }
}

/// Returns the ids of all stored windows.
async fn stored(system: &System) -> Result<HashSet<WindowId>> {
    let windows = system.fleet.mongo().await?.database("t3_db_timetrack").collection::<Stored>("windows");
    let ids = windows.find(doc! {}).projection(doc! { "_id": 1 }).await?;
    Ok(ids.map_ok(|window| window.id).try_collect().await?)
}

/// Returns the time of all projects in reports, in milliseconds. The windows of the campaign do not
/// overlap, so this is the time of all windows.
async fn counted(system: &System) -> Result<i64> {
    let base = system.gateways.pick(0).context("no gateway is open")?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let mut counted = 0;
    // Both ranges are ten years long. Together they contain the windows of every campaign.
    for range in ["start=1262304000000&end=1577836800000", "start=1577836800000&end=1893456000000"] {
        let request = http.get(format!("{base}/api/v1/analytics/project-time?{range}"));
        let answer = request.header("X-API-Key", ADMIN_KEY).send().await?.error_for_status()?;
        let times: Vec<ProjectTime> = answer.json().await?;
        counted += times.iter().map(|project| project.time).sum::<i64>();
    }
    Ok(counted)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, stored, statuses, took: [p50, p99, most], faults } = self;
        writeln!(f, "{sent} windows were sent, {stored} are stored, each once")?;
        write!(f, "answers:")?;
        statuses.iter().try_for_each(|(status, count)| write!(f, " {count} times {status}"))?;
        writeln!(f, "\nuntil the answer: p50 {p50:.1} ms, p99 {p99:.1} ms, the slowest {most:.1} ms")?;
        if faults.is_empty() {
            return write!(f, "no window lost or doubled, and no answer but 2xx, 429 and 503 with Retry-After");
        }
        write!(f, "{} faults, of which the first:", faults.len())?;
        faults.iter().take(10).try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}
