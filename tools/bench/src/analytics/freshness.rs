//! The cost of freshness: a report must count every window that was answered before the report was
//! requested. The same query is measured at rest and while windows arrive.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use contracts::DAY;
use futures::future::try_join_all;
use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval};

use super::{
    calendar::{Calendar, LENGTH, Planned},
    question::{QUESTIONS, YEAR},
    staff::Staff,
};
use crate::{measured::Measured, wire::Wire};

/// The number of windows that are sent per second.
const RATE: usize = 1_000;
/// The number of connections on which windows are sent.
const SENDERS: usize = 20;

/// The times of the same query, at rest and under load.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Freshness {
    at_rest: Measured,
    under_load: Measured,
    /// The number of windows per second that were really sent.
    pub(super) windows_a_second: f64,
}

impl Freshness {
    /// Measures the query [`YEAR`] at rest and under load, for `lasts` each. Its range begins 30
    /// days before the year of the calendar, and the load sends windows for these 30 days. Returns
    /// `None` if the server does not support the query.
    pub(super) async fn measure(staff: &Staff, year: &Calendar, lasts: Duration) -> Result<Option<Self>> {
        let year = Calendar { first: year.first - 30 * DAY, ..*year };
        let question = QUESTIONS.iter().find(|question| question.name == YEAR).context("no such question")?;
        let Some(at_rest) = question.ask(staff, &year, 1, lasts).await? else { return Ok(None) };
        let done = AtomicBool::new(false);
        let started = Instant::now();
        let asking = async {
            let asked = question.ask(staff, &year, 1, lasts).await;
            done.store(true, Ordering::Relaxed);
            asked
        };
        let sending = try_join_all((0..SENDERS).map(|sender| send(staff, &year, sender, &done)));
        let (under_load, sent) = tokio::try_join!(asking, sending)?;
        let windows_a_second = sent.iter().sum::<usize>() as f64 / started.elapsed().as_secs_f64();
        Ok(under_load.map(|under_load| Self { at_rest, under_load, windows_a_second }))
    }

    /// Returns by how many milliseconds the load raises the 99th percentile.
    pub(super) fn cost(&self) -> f64 {
        self.under_load.p99 - self.at_rest.p99
    }
}

impl fmt::Display for Freshness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "at rest:                    {}", self.at_rest)?;
        write!(f, "while {:>5.0} come in a second: {}", self.windows_a_second, self.under_load)
    }
}

/// Sends one connection's share of the windows, for its employees in turn, until `done`. Returns
/// the number of windows.
async fn send(staff: &Staff, year: &Calendar, sender: usize, done: &AtomicBool) -> Result<usize> {
    let mut wire = Wire::connect(&staff.base).await?;
    let mut due = interval(Duration::from_secs(1) * SENDERS as u32 / RATE as u32);
    // A connection that has fallen behind sends without pauses until it has caught up.
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let employees: Vec<usize> = (sender..staff.people.len()).step_by(SENDERS).collect();
    let mut sent = 0;
    while !done.load(Ordering::Relaxed) && !employees.is_empty() {
        due.tick().await;
        let (turn, employee) = (sent / employees.len(), employees[sent % employees.len()]);
        let planned = Planned { employee, task: sent % staff.tasks.len(), start: year.first + turn as i64 * LENGTH };
        let authorization = ("Authorization", staff.people[employee].authorization.as_str());
        let status = wire.post("/api/v1/time-entries", authorization, &staff.json(&planned)).await?;
        ensure!((200..300).contains(&status), "a window was answered {status}");
        sent += 1;
    }
    Ok(sent)
}
