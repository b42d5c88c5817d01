//! Measures how fast the pay periods of all employees are listed and approved.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use contracts::DAY;
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::{Method, header::IF_MATCH};
use serde::Deserialize;

use crate::{
    analytics::{calendar::Calendar, staff::Staff},
    client::{Client, Retry},
    measured::Measured,
    wire::Wire,
};

/// How many approvals are sent at the same time.
pub(super) const AT_ONCE: usize = 16;
/// The listed pay periods contain the moment that is this long before the end of the year. In the
/// middle of the year all employees have windows.
const BACK: i64 = 180 * DAY;

/// A pay period, with the fields that an approver needs.
#[derive(Deserialize)]
pub(super) struct Listed {
    id: String,
    status: String,
    hash: String,
}

/// The measured times.
#[derive(Clone, Debug)]
pub(super) struct Periods {
    /// The time of listing one pay period of each employee.
    pub(super) list: Measured,
    /// The number of approved periods.
    pub(super) approved: usize,
    /// How long all approvals took together.
    pub(super) took: Duration,
}

/// Lists one pay period of each employee in a closed loop, for `lasts`. Returns the times and the
/// listed periods.
pub(super) async fn list(staff: &Staff, year: &Calendar, lasts: Duration) -> Result<(Measured, Vec<Listed>)> {
    let start = year.end() - BACK;
    let path = format!("/api/v1/period?start={start}&end={}&limit=1000", start + 1);
    let key = ("X-API-Key", staff.key.as_str());
    let mut wire = Wire::connect(&staff.base).await?;
    let (mut micros, started) = (Vec::new(), Instant::now());
    while started.elapsed() < lasts {
        let asked = Instant::now();
        let status = wire.get(&path, key).await?;
        ensure!(status == 200, "{path} was answered {status}");
        micros.push(asked.elapsed().as_micros() as u32);
    }
    let list = Measured::of("Periods of everybody", micros, 1, started.elapsed());

    let client = Client::new(&staff.base)?;
    let listed = client.request(Method::GET, &path).header(key.0, key.1);
    let listed: Vec<Listed> = client.send(listed, Retry::Always).await?.ok().context("no list of periods")?;
    ensure!(listed.iter().all(|period| period.status == "open"), "somebody has decided about periods already");
    ensure!(listed.len() == staff.people.len(), "{} periods of {} people", listed.len(), staff.people.len());
    Ok((list, listed))
}

/// Approves each of these periods. Returns their number and how long the approvals took.
pub(super) async fn approve(staff: &Staff, listed: Vec<Listed>) -> Result<(usize, Duration)> {
    let (client, key) = (&Client::new(&staff.base)?, ("X-API-Key", staff.key.as_str()));
    let started = Instant::now();
    let approve = |Listed { id, hash, .. }: Listed| async move {
        let request = client.request(Method::POST, &format!("/api/v1/period/{id}/approve")).header(key.0, key.1);
        let request = request.header(IF_MATCH, format!("\"{hash}\""));
        let approved: Listed = client.send(request, Retry::Always).await?.ok()?;
        ensure!(approved.status == "approved", "a period is {} after its approval", approved.status);
        anyhow::Ok(())
    };
    let approved = stream::iter(listed).map(approve).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?.len();
    Ok((approved, started.elapsed()))
}
