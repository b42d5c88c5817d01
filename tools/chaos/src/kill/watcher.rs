use std::{sync::Arc, sync::atomic::Ordering, time::Duration};

use reqwest::Method;
use tokio::time::sleep;

use super::{
    check::{Finding, bindings, state},
    client::{ApiClient, As},
    ledger::{Asked, Ledger, now},
    pace::Pace,
    people::Person,
    rng::Rng,
};

/// The range of the reports, as query parameters: May 2014 to November 2023. It contains all
/// windows of steady employees. The first of these windows starts on 2015-01-01.
const RANGE: &str = "start=1400000000000&end=1700000000000";

/// Requests reports about steady employees, again and again, and records them in the ledger.
pub(crate) async fn ask(client: ApiClient, ledger: Ledger, pace: Pace, steady: Vec<Arc<Person>>, mut rng: Rng) {
    while !pace.is_over() {
        let place = rng.below(steady.len());
        let Some(person) = steady.get(place) else { return };
        let before = person.recorded.load(Ordering::SeqCst);
        let at = now();
        let path = format!("/api/v1/analytics/project-time?{RANGE}&employeeId={}", person.id);
        let reply = client.call(Method::GET, &path, As::Admin, None).await;
        let after = person.sent.load(Ordering::SeqCst);
        let sum = |rows: &Vec<serde_json::Value>| rows.iter().filter_map(|row| row["time"].as_i64()).sum();
        let reported = reply.body.as_array().filter(|_| reply.is_ok()).map(sum);
        ledger.book().asked.push(Asked { employee: person.id, at, before, after, reported });
        sleep(Duration::from_millis(150)).await;
    }
}

/// Checks the memberships and assignments in snapshots, again and again. Returns the number of
/// snapshots and the findings.
pub(crate) async fn sample(mongo: mongodb::Client, pace: Pace) -> (usize, Vec<Finding>) {
    let (mut samples, mut findings) = (0, Vec::new());
    while !pace.is_over() {
        if let Ok(snapshot) = state::Edges::read(&mongo).await {
            samples += 1;
            findings.extend(bindings::structure(&snapshot));
        }
        sleep(Duration::from_millis(700)).await;
    }
    (samples, findings)
}
