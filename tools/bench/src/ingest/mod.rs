//! Measures how fast windows are recorded, compared with the floors of the same machine in the same
//! run.

mod cost;
mod floors;
mod goals;
mod load;
mod quiet;
mod soak;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

pub use cost::{CostOptions, cost};
pub use soak::{SoakOptions, soak};

use self::{
    floors::{Floor, Floors},
    goals::{Goals, Pair},
    load::Shape,
    quiet::Quiet,
};
use crate::{fleet::Fleet, goal, measured::Measured, senders::Senders};

/// The settings of the measurement.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Measure this server, which has the same HTTP API, in place of a system that is started here.
    #[arg(long)]
    pub target: Option<String>,
    /// The data folder of the target, with its admin key and its mails.
    #[arg(long, default_value = ".t3")]
    pub data: PathBuf,
    /// How long each load lasts, in seconds.
    #[arg(long, default_value_t = 8)]
    pub seconds: u64,
    /// How often each load is measured; goals are compared with medians.
    #[arg(long, default_value_t = 1)]
    pub rounds: u32,
    /// Measure only the loads whose name contains this text. Loads that need another fleet are left
    /// out then.
    #[arg(long)]
    pub only: Option<String>,
    /// The number of clients that send batches while single posts are measured.
    #[arg(long, default_value_t = 40)]
    pub rush: usize,
    /// The number of windows that are stored before single posts are measured once more; 0 leaves
    /// this measurement out.
    #[arg(long, default_value_t = 1_000_000)]
    pub stored: u64,
    /// The number of employees who send windows.
    #[arg(long, default_value_t = 64)]
    pub employees: u32,
    /// Print JSON in place of a table.
    #[arg(long)]
    pub json: bool,
    /// End with an error where a goal is missed; the last line says which.
    #[arg(long)]
    pub check: bool,
}

/// Runs the measurement and prints one table, or JSON.
///
/// # Errors
/// When something cannot be started, or with `--check` when a goal is missed.
pub async fn run(options: &Options) -> Result<()> {
    let goals = match &options.target {
        Some(target) => on_target(options, target).await?,
        None => on_our_own(options).await?,
    };
    if options.json {
        println!("{}", serde_json::to_string_pretty(&json!(goals))?);
    } else {
        println!("{goals}");
    }
    goal::check(goals.missed(), options.check)
}

/// The name of the load of many clients that send batches at the same time, as after an outage.
const RUSH: &str = "batches of 500 of many";
const BESIDE_A_RUSH: &str = "16 connections beside these";

/// A load, and the floor with which it is compared.
struct Load {
    name: &'static str,
    connections: usize,
    shape: Shape,
    floor: Floor,
}

const fn load(name: &'static str, connections: usize, shape: Shape, clients: usize, together: usize) -> Load {
    Load { name, connections, shape, floor: Floor { clients, together } }
}

/// The loads that are compared with floors.
const LOADS: [Load; 5] = [
    load("1 connection", 1, Shape::Single, 1, 1),
    load("16 connections", 16, Shape::Single, 16, 1),
    load("64 connections", 64, Shape::Single, 64, 1),
    load("256 connections", 256, Shape::Single, 64, 1),
    load("batches of 500, 4 connections", 4, Shape::Batch(500), 4, 500),
];
/// How often a load is measured at most in a round. It is measured again if its floor has changed
/// meanwhile.
const TRIES: u32 = 3;

impl Options {
    fn has(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }
}

async fn on_target(options: &Options, target: &str) -> Result<Goals> {
    let mut goals = Goals::default();
    let senders = Senders::hire(target, &options.data, options.employees).await?;
    for Load { name, connections, shape, .. } in LOADS.into_iter().filter(|load| options.has(load.name)) {
        goals.loads.push(measure(options, &senders, name, connections, shape).await?);
    }
    Ok(goals)
}

async fn on_our_own(options: &Options) -> Result<Goals> {
    let mut goals = Goals::default();
    let mut fleet = Fleet::start(true).await?;
    let before = Quiet::measure(&fleet.data, &fleet.usage).await?;
    eprintln!("{before}");
    let floors = Floors::prepare(&fleet, Duration::from_secs(options.seconds)).await?;
    goals.floors.push(floors::publish(fleet.bus().await?, Duration::from_secs(options.seconds)).await?);
    let senders = Senders::hire(&fleet.base, &fleet.data, options.employees).await?;
    // This load fills caches. Otherwise the first measured load would be slower than the others.
    load::drive(&senders, "warm-up", 16, Shape::Single, Duration::from_secs(2)).await?;
    for _ in 0..options.rounds {
        for load in LOADS.into_iter().filter(|load| options.has(load.name)) {
            beside_its_floor(options, &mut fleet, &floors, &senders, &load, &mut goals).await?;
        }
    }
    if options.has(BESIDE_A_RUSH) {
        let [singles, rush] = beside_a_rush(options, &senders).await?;
        goals.loads.extend([singles, rush]);
    }
    if options.stored > 0 {
        fill(&fleet, &senders, options.stored).await?;
        let name = format!("64 connections, {} stored", options.stored);
        fleet.usage.begin()?;
        goals.loads.push(measure(options, &senders, &name, 64, Shape::Single).await?);
        goals.usage.push((name, fleet.usage.end()?));
    }
    goals.peaks = fleet.usage.peaks()?;
    fleet.until_analytics_rest().await?;
    let after = Quiet::measure(&fleet.data, &fleet.usage).await?;
    goals.machine = Some([before, after]);
    fleet.stop().await;
    if options.only.is_none() {
        without_sync(options, &mut goals).await?;
    }
    Ok(goals)
}

/// Measures a load, and its floor before and after. If the floor has changed meanwhile, all this is
/// repeated, and the repetition with the smallest change counts.
async fn beside_its_floor(
    options: &Options,
    fleet: &mut Fleet,
    floors: &Floors,
    senders: &Senders,
    load: &Load,
    goals: &mut Goals,
) -> Result<()> {
    let Load { name, connections, shape, floor } = *load;
    let mut best: Option<Pair> = None;
    for _ in 0..TRIES {
        let of_before = floors.of_before(floor).await?;
        let before = floors.today(floor).await?;
        fleet.usage.begin()?;
        let load = measure(options, senders, name, connections, shape).await?;
        let shares = fleet.usage.end()?;
        let lag = fleet.analytics_lag().await?;
        let pair = Pair { load, floors: [before, floors.today(floor).await?], of_before };
        let is_steady = pair.is_steady();
        if best.as_ref().is_none_or(|best| pair.moved() < best.moved()) {
            // The CPU time of the load generator is not part of the cost of a window.
            let ours: f64 = shares.iter().filter(|(process, _)| *process != "load").map(|(_, share)| share).sum();
            goals.microseconds.push((name.to_owned(), ours / pair.load.rate * 1_000_000.0));
            goals.usage.push((name.to_owned(), shares));
            goals.lags.push((name.to_owned(), lag));
            best = Some(pair);
        }
        if is_steady {
            break;
        }
    }
    goals.pairs.extend(best);
    Ok(())
}

async fn without_sync(options: &Options, goals: &mut Goals) -> Result<()> {
    eprintln!("again without sync_interval: always …");
    let unsynced = Fleet::start(false).await?;
    let senders = Senders::hire(&unsynced.base, &unsynced.data, options.employees).await?;
    load::drive(&senders, "warm-up", 16, Shape::Single, Duration::from_secs(2)).await?;
    for connections in [64, 256] {
        let name = format!("{connections} connections, no sync");
        goals.loads.push(measure(options, &senders, &name, connections, Shape::Single).await?);
    }
    unsynced.stop().await;
    Ok(())
}

/// Measures single posts and, at the same time, batches of many clients, as after an outage.
async fn beside_a_rush(options: &Options, senders: &Senders) -> Result<[Measured; 2]> {
    let lasts = Duration::from_secs(options.seconds);
    let singles = load::drive(senders, BESIDE_A_RUSH, 16, Shape::Single, lasts);
    let rush = load::drive(senders, RUSH, options.rush, Shape::Batch(500), lasts);
    let (singles, rush) = tokio::try_join!(singles, rush)?;
    eprintln!("{singles}\n{rush}");
    Ok([singles, rush])
}

async fn measure(
    options: &Options,
    senders: &Senders,
    name: &str,
    connections: usize,
    shape: Shape,
) -> Result<Measured> {
    let lasts = Duration::from_secs(options.seconds);
    let measured = load::drive(senders, name, connections, shape, lasts).await?;
    eprintln!("{measured}");
    Ok(measured)
}

/// Sends batches until this many windows are stored, and waits until analytics has counted them.
async fn fill(fleet: &Fleet, senders: &Senders, most: u64) -> Result<()> {
    let mut stored = fleet.stored().await?;
    while stored < most {
        load::drive(senders, "filling", 4, Shape::Batch(500), Duration::from_secs(5)).await?;
        stored = fleet.stored().await?;
        eprintln!("{stored} of {most} windows are stored");
    }
    fleet.until_analytics_rest().await.context("analytics do not come to rest")
}
