//! A load in a closed loop: each connection sends its next request when the last one is answered,
//! or when the time is over that the answer asked it to wait.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use futures::future::try_join_all;

use crate::{measured::Measured, senders::Senders, wire::Wire};

/// The content of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One window.
    Single,
    /// A batch of this many windows.
    Batch(usize),
}

/// Sends windows on this many connections for `lasts`, and returns the times of the answers.
pub(super) async fn drive(
    senders: &Senders,
    name: &str,
    connections: usize,
    shape: Shape,
    lasts: Duration,
) -> Result<Measured> {
    let mut wires = Vec::with_capacity(connections);
    for _ in 0..connections {
        wires.push(Wire::connect(&senders.base).await?);
    }
    let started = Instant::now();
    let loops = wires.into_iter().enumerate().map(|(n, wire)| one(senders, n, wire, shape, started + lasts));
    let all = try_join_all(loops).await?;
    let lasted = started.elapsed();
    let windows = if let Shape::Batch(windows) = shape { windows } else { 1 };
    together(name, all, windows, lasted)
}

/// The status of a request that has to be sent again later.
const TOO_MANY: u16 = 429;

/// The times in microseconds of the answers to a connection's requests that were taken, and the
/// number of all its answers by status.
pub(super) type Answers = (Vec<u32>, BTreeMap<u16, u64>);

/// Returns the result of all connections together. Each request has `windows` windows.
///
/// # Errors
/// When no request was taken, or most were refused for another reason than too much load.
pub(super) fn together(name: &str, all: Vec<Answers>, windows: usize, lasted: Duration) -> Result<Measured> {
    let mut statuses = BTreeMap::new();
    let mut micros = Vec::new();
    for (one_micros, one_statuses) in all {
        micros.extend(one_micros);
        one_statuses.into_iter().for_each(|(status, count)| *statuses.entry(status).or_default() += count);
    }
    let is_refused = |status: u16| status >= 400 && status != TOO_MANY;
    let refused: u64 = statuses.iter().filter(|(status, _)| is_refused(**status)).map(|(_, count)| count).sum();
    if refused > micros.len() as u64 || micros.is_empty() {
        bail!("{name}: most requests were refused: {statuses:?}");
    }
    Ok(Measured { statuses, ..Measured::of(name, micros, windows, lasted) })
}

async fn one(senders: &Senders, connection: usize, mut wire: Wire, shape: Shape, until: Instant) -> Result<Answers> {
    let sender = senders.sender(connection);
    let (mut micros, mut statuses) = (Vec::new(), BTreeMap::new());
    while Instant::now() < until {
        let (path, body) = match shape {
            Shape::Single => ("/api/v1/time-entries", senders.window(sender)),
            Shape::Batch(count) => {
                let windows: Vec<_> = (0..count).map(|_| senders.window(sender)).collect();
                ("/api/v1/time-entries/batch", format!(r#"{{"windows":[{}]}}"#, windows.join(",")))
            }
        };
        let sent = Instant::now();
        let status = wire.post(path, ("Authorization", &sender.authorization), &body).await?;
        if status < 400 {
            micros.push(sent.elapsed().as_micros() as u32);
        }
        *statuses.entry(status).or_insert(0) += 1;
        if let Shape::Batch(count) = shape {
            let stored = String::from_utf8_lossy(wire.answer()).matches(r#""stored""#).count();
            if status == 200 && stored != count {
                bail!("only {stored} of {count} windows of a batch were stored");
            }
        }
        // Without this pause, the machine would be busy with refused requests, which no client
        // that follows the contract sends.
        if let Some(pause) = wire.retry_after().filter(|_| status == TOO_MANY) {
            tokio::time::sleep(pause.min(until.saturating_duration_since(Instant::now()))).await;
        }
    }
    Ok((micros, statuses))
}
