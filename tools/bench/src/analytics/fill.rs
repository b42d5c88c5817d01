//! Sends windows to a system until each of them is stored or queued.

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::{Method, StatusCode};
use serde::Deserialize;

use super::{
    calendar::{Calendar, Planned},
    staff::Staff,
};
use crate::{
    client::{Client, Retry},
    progress::{Phase, Progress},
};

/// The largest number of windows in a batch.
const TOGETHER: usize = 500;
/// How many batches are sent at the same time.
const BATCHES: usize = 4;
/// How many single windows are sent at the same time, to a server without batches.
const SINGLES: usize = 64;

#[derive(Deserialize)]
struct Batch {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    status: String,
}

/// Sends the windows with these numbers. Each batch has windows of one employee, and the employees
/// take turns.
pub(crate) async fn fill(staff: &Staff, calendar: &Calendar, numbers: Range<u64>) -> Result<Phase> {
    let client = Client::new(&staff.base)?;
    let progress = Progress::of("windows", (numbers.end - numbers.start) as usize);
    let mut by_employee = calendar.by_employee(numbers);
    by_employee.retain(|windows| !windows.is_empty());
    let longest = by_employee.iter().map(Vec::len).max().unwrap_or_default();
    let turns = (0..longest).step_by(TOGETHER);
    let nth = |from: usize| by_employee.iter().filter_map(move |windows| windows.get(from..)?.chunks(TOGETHER).next());
    let batches: Vec<&[Planned]> = turns.flat_map(nth).filter(|batch| !batch.is_empty()).collect();
    let takes_batches = takes_batches(&client, staff).await?;
    if takes_batches {
        let send = |batch| send_batch(&client, staff, batch, &progress);
        stream::iter(batches).map(Ok).try_for_each_concurrent(BATCHES, send).await?;
    } else {
        let send = |planned| send_one(&client, staff, planned, &progress);
        stream::iter(batches.into_iter().flatten()).map(Ok).try_for_each_concurrent(SINGLES, send).await?;
    }
    Ok(progress.done())
}

/// Returns whether the server supports batches. A server other than ours may have only a part of
/// the API.
async fn takes_batches(client: &Client, staff: &Staff) -> Result<bool> {
    let request = client.request(Method::POST, "/api/v1/time-entries/batch").json(&serde_json::json!({}));
    let request = request.header("Authorization", &staff.people[0].authorization);
    let answer = client.send(request, Retry::Always).await?;
    Ok(!matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED))
}

async fn send_batch(client: &Client, staff: &Staff, batch: &[Planned], progress: &Progress) -> Result<()> {
    let windows: Vec<String> = batch.iter().map(|planned| staff.json(planned)).collect();
    let body = format!(r#"{{"windows":[{}]}}"#, windows.join(","));
    let answer: Batch = post(client, staff, "/api/v1/time-entries/batch", batch[0].employee, body).await?.ok()?;
    let is_safe = |item: &Item| matches!(item.status.as_str(), "stored" | "duplicate" | "queued");
    ensure!(answer.items.iter().all(is_safe), "some windows of a batch were refused");
    progress.some(batch.len());
    Ok(())
}

async fn send_one(client: &Client, staff: &Staff, planned: &Planned, progress: &Progress) -> Result<()> {
    let body = staff.json(planned);
    post(client, staff, "/api/v1/time-entries", planned.employee, body).await?.check().context("a window")?;
    progress.one();
    Ok(())
}

async fn post(client: &Client, staff: &Staff, path: &str, who: usize, body: String) -> Result<crate::client::Answer> {
    let request = client.request(Method::POST, path).header("Content-Type", "application/json").body(body);
    client.send(request.header("Authorization", &staff.people[who].authorization), Retry::Always).await
}
