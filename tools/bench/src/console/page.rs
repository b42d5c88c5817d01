//! The pages of the console that are measured, and how.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use contracts::DAY;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use reqwest::{Method, header::AUTHORIZATION};
use serde_json::{Value, json};

use super::owner::Owner;
use crate::{
    analytics::{
        calendar::{Calendar, DAYS, LENGTH, Planned},
        staff::Staff,
    },
    client::{Client, Retry},
    measured::Measured,
    wire::Wire,
};

/// The number of windows that each employee sends for the last hour. They adjoin, and the last one
/// ends now.
const LATELY: i64 = 6;
/// How many batches are sent at the same time.
const BATCHES: usize = 4;

/// A page that is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    /// The name of the page.
    pub(super) name: &'static str,
    /// Returns the path of the n-th request.
    path: fn(&Calendar, u64) -> String,
}

/// The result of one page.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) name: &'static str,
    pub(super) measured: Measured,
    /// The size of the largest compressed body, in bytes.
    pub(super) bytes: usize,
}

/// All pages that are measured. The first page needs no data, so its time is the part that every
/// page takes.
pub(super) const PAGES: [Page; 4] = [
    Page { name: "Time zone, which asks for nothing", path: |_, _| "/console/zone".into() },
    Page { name: "Now", path: |_, _| "/console".into() },
    Page { name: "Day", path: |year, n| format!("/console/day?day={}", date(year, n * 11)) },
    Page { name: "Week", path: |year, n| format!("/console/week?day={}", date(year, n * 11)) },
];

/// Returns the n-th day of the year, as YYYY-MM-DD.
fn date(year: &Calendar, n: u64) -> String {
    let day = year.first + (n % DAYS) as i64 * DAY;
    Timestamp::from_millisecond(day).map(|day| day.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}

impl Page {
    /// Requests the page in a closed loop on one connection, for `lasts`.
    pub(super) async fn ask(&self, owner: &Owner, year: &Calendar, lasts: Duration) -> Result<Shown> {
        let mut wire = Wire::connect(&owner.base).await?;
        let (mut micros, mut bytes, mut n) = (Vec::new(), 0, 0);
        let mut started = Instant::now();
        while started.elapsed() < lasts {
            let (path, asked) = ((self.path)(year, n), Instant::now());
            let (status, length) = wire.page(&path, &owner.cookie).await?;
            ensure!(status == 200, "{path} was answered {status}");
            bytes = bytes.max(length);
            // The first answer fills caches, so it is not measured.
            if n == 0 {
                started = Instant::now();
            } else {
                micros.push(asked.elapsed().as_micros() as u32);
            }
            n += 1;
        }
        Ok(Shown { name: self.name, measured: Measured::of(self.name, micros, 1, started.elapsed()), bytes })
    }
}

/// Sends windows of the last hour for every employee, and returns the number of windows.
pub(super) async fn at_work(staff: &Staff) -> Result<u64> {
    let client = Client::new(&staff.base)?;
    let now = kit::Clock::system().now().0;
    let people = staff.people.iter().enumerate();
    let send = |(employee, person)| {
        let window = |back| {
            let planned = Planned { employee, task: employee % staff.tasks.len(), start: now - back * LENGTH };
            staff.json(&planned)
        };
        let windows: Vec<String> = (1..=LATELY).map(window).collect();
        let body = format!(r#"{{"windows":[{}]}}"#, windows.join(","));
        let person: &crate::import::Person = person;
        let request =
            client.request(Method::POST, "/api/v1/time-entries/batch").header("Content-Type", "application/json");
        let request = request.header(AUTHORIZATION, &person.authorization).body(body);
        let client = &client;
        async move {
            let answer: Value = client.send(request, Retry::Always).await?.ok()?;
            let refused = |item: &Value| item["status"] == json!("rejected") || item["status"] == json!("conflict");
            ensure!(!answer["items"].as_array().is_some_and(|items| items.iter().any(refused)), "refused: {answer}");
            Ok(())
        }
    };
    stream::iter(people).map(send).buffer_unordered(BATCHES).try_collect::<Vec<()>>().await?;
    Ok(staff.people.len() as u64 * LATELY as u64)
}
