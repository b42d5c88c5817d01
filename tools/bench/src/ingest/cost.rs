//! Measures the cost of a million windows: CPU time of each process, bytes stored, written and
//! sent. These are the inputs of docs/scale.md.

use std::{collections::BTreeMap, fmt, time::Duration};

use anyhow::{Context, Result};
use async_nats::jetstream;
use bson::{Document, doc};
use clap::Args;
use contracts::stream;
use serde::Serialize;
use serde_json::json;

use super::load::{self, Shape};
use crate::{fleet::Fleet, senders::Senders};

const MILLION: f64 = 1_000_000.0;

/// The settings of the measurement.
#[derive(Args, Clone, Debug)]
pub struct CostOptions {
    /// How long each load lasts, in seconds.
    #[arg(long, default_value_t = 20)]
    pub seconds: u64,
    /// The number of employees who send windows.
    #[arg(long, default_value_t = 64)]
    pub employees: u32,
    /// Print JSON in place of a table.
    #[arg(long)]
    pub json: bool,
}

/// The cost of a million windows of one kind of load.
#[derive(Debug, Serialize)]
struct Cost {
    name: String,
    windows: u64,
    windows_a_second: f64,
    /// The CPU time of each process until analytics had processed all events, in seconds of one
    /// core.
    cpu_seconds: BTreeMap<String, f64>,
    /// The bytes by which the stored data has grown, by what is stored.
    stored: BTreeMap<String, f64>,
    /// The bytes that each process wrote to disk until analytics had processed all events, journals
    /// included.
    written: BTreeMap<String, f64>,
    /// The bytes sent to and from NATS and MongoDB.
    sent: BTreeMap<String, f64>,
}

/// Runs the measurement, and prints a table for each kind of load.
///
/// # Errors
/// When something cannot be started or read.
pub async fn cost(options: &CostOptions) -> Result<()> {
    let mut fleet = Fleet::start(true).await?;
    let senders = Senders::hire(&fleet.base, &fleet.data, options.employees).await?.by_the_minute();
    load::drive(&senders, "warm-up", 16, Shape::Single, Duration::from_secs(2)).await?;
    fleet.until_analytics_rest().await?;
    let mut costs = Vec::new();
    for (name, connections, shape) in
        [("single posts, 64 connections", 64, Shape::Single), ("batches of 500, 4 connections", 4, Shape::Batch(500))]
    {
        let before = Counters::read(&fleet).await?;
        fleet.usage.begin()?;
        let measured = load::drive(&senders, name, connections, shape, Duration::from_secs(options.seconds)).await?;
        fleet.until_analytics_rest().await?;
        let cpu = fleet.usage.spent()?;
        let after = Counters::read(&fleet).await?;
        costs.push(Cost::of(name, measured.rate, cpu, &before, &after));
    }
    let peaks = fleet.usage.peaks()?;
    fleet.stop().await;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&json!({ "costs": costs, "peaks_mib": peaks }))?);
    } else {
        costs.iter().for_each(|cost| println!("{cost}"));
        println!("The most memory that each process held:");
        peaks.iter().for_each(|(process, mib)| println!("  {process:<44} {mib:>8.0} MiB"));
    }
    Ok(())
}

/// The counters and sizes at one moment. A cost is the difference between two moments.
struct Counters {
    windows: u64,
    stored: BTreeMap<String, f64>,
    written: BTreeMap<String, f64>,
    sent: BTreeMap<String, f64>,
}

impl Counters {
    async fn read(fleet: &Fleet) -> Result<Self> {
        let mongo = fleet.mongo().await?;
        let admin = mongo.database("admin");
        // `fsync` forces a checkpoint, because storage sizes are updated only at a checkpoint.
        admin.run_command(doc! { "fsync": 1 }).await?;
        let mut stored = BTreeMap::new();
        for database in ["timetrack", "analytics"] {
            let stats = mongo.database(&format!("t3_db_{database}")).run_command(doc! { "dbStats": 1 }).await?;
            stored.insert(format!("{database}: documents, compressed"), number(&stats, "storageSize")?);
            stored.insert(format!("{database}: indexes"), number(&stats, "indexSize")?);
        }
        let jetstream = jetstream::new(fleet.bus().await?);
        let events = jetstream.get_stream(stream::EVENTS).await?.cached_info().state.bytes;
        // The size limit of EVENTS counts uncompressed bytes, and the files below are compressed.
        stored.insert("EVENTS: as its bound counts".into(), events as f64);
        stored.insert("EVENTS: for as long as events are kept".into(), fleet.stream_bytes(stream::EVENTS)? as f64);
        let network = admin.run_command(doc! { "serverStatus": 1 }).await?;
        let network = network.get_document("network")?;
        let nats = fleet.nats_counters().await?;
        let nats = |field: &str| nats[field].as_f64().with_context(|| format!("NATS says no {field}"));
        let sent = BTreeMap::from([
            ("to MongoDB".to_owned(), number(network, "bytesIn")?),
            ("from MongoDB".to_owned(), number(network, "bytesOut")?),
            ("to NATS".to_owned(), nats("in_bytes")?),
            ("from NATS".to_owned(), nats("out_bytes")?),
        ]);
        Ok(Self { windows: fleet.stored().await?, stored, written: fleet.usage.written()?, sent })
    }
}

/// Returns a numeric field as a float. MongoDB returns it in the smallest numeric type that fits.
fn number(document: &Document, field: &str) -> Result<f64> {
    let value = document.get(field).with_context(|| format!("MongoDB says no {field}"))?;
    let of_int = value.as_i64().map(|n| n as f64).or_else(|| value.as_i32().map(f64::from));
    value.as_f64().or(of_int).with_context(|| format!("{field} is no number"))
}

impl Cost {
    fn of(name: &str, rate: f64, cpu: BTreeMap<String, f64>, before: &Counters, after: &Counters) -> Self {
        let windows = after.windows - before.windows;
        let each = |value: f64| value / windows as f64 * MILLION;
        let growth = |before: &BTreeMap<String, f64>, after: &BTreeMap<String, f64>| {
            after.iter().map(|(name, value)| (name.clone(), each(value - before[name]))).collect()
        };
        Self {
            name: name.to_owned(),
            windows,
            windows_a_second: rate,
            cpu_seconds: cpu.into_iter().map(|(name, seconds)| (name, each(seconds))).collect(),
            stored: growth(&before.stored, &after.stored),
            written: growth(&before.written, &after.written),
            sent: growth(&before.sent, &after.sent),
        }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, windows, windows_a_second, .. } = self;
        writeln!(f, "A million windows, {name} ({windows} were sent, {windows_a_second:.0} a second):")?;
        for (process, seconds) in &self.cpu_seconds {
            writeln!(f, "  {:<44} {seconds:>8.0} s of a core", format!("CPU of {process}"))?;
        }
        for (what, bytes) in &self.stored {
            writeln!(f, "  {:<44} {:>8.0} MB", format!("stored, {what}"), bytes / MILLION)?;
        }
        for (process, bytes) in self.written.iter().filter(|(_, bytes)| **bytes > 0.0) {
            writeln!(f, "  {:<44} {:>8.0} MB", format!("written to disk by {process}"), bytes / MILLION)?;
        }
        for (what, bytes) in &self.sent {
            writeln!(f, "  {:<44} {:>8.0} MB", format!("sent {what}"), bytes / MILLION)?;
        }
        Ok(())
    }
}
