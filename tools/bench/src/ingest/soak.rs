//! Measures whether the system is as fast after ten minutes as after one: single posts at a part of
//! the highest rate, in an open loop.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::Args;
use futures::future::try_join_all;
use tokio::time::sleep_until;

use super::load::{self, Shape};
use crate::{
    fleet::Fleet,
    goal::{self, Goal},
    measured::Measured,
    senders::Senders,
    wire::Wire,
};

/// How long the highest rate is measured.
const HIGHEST: Duration = Duration::from_secs(15);
const MINUTE: Duration = Duration::from_secs(60);
/// By how much the memory of a process may grow from the second to the last minute.
const FLAT: f64 = 1.1;
/// The share of the windows that must be recorded when they are answered. The others are answered 202
/// or refused, or came too late for their minute.
const KEPT: f64 = 0.99;
/// The processes whose memory must not grow. MongoDB and NATS fill their caches.
const OURS: [&str; 3] = ["gateway", "timetrack", "analytics"];

/// The settings of the measurement.
#[derive(Args, Clone, Debug)]
pub struct SoakOptions {
    /// How many minutes the load lasts, at least 3.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(3..))]
    pub minutes: u64,
    /// The load, in percent of the highest rate.
    #[arg(long, default_value_t = 70, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub percent: u32,
    /// The number of connections.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub connections: u32,
    /// The number of employees who send windows.
    #[arg(long, default_value_t = 64)]
    pub employees: u32,
    /// End with an error where a goal is missed; the last line says which.
    #[arg(long)]
    pub check: bool,
}

/// Runs the measurement, and prints a line for each minute and then the goals.
///
/// # Errors
/// When something cannot be started, or with `--check` when a goal is missed.
pub async fn soak(options: &SoakOptions) -> Result<()> {
    let SoakOptions { minutes, percent, connections, employees, check } = *options;
    let connections = connections as usize;
    let fleet = Fleet::start(true).await?;
    let senders = Senders::hire(&fleet.base, &fleet.data, employees).await?.by_the_minute();
    load::drive(&senders, "warm-up", 16, Shape::Single, Duration::from_secs(2)).await?;
    let highest = load::drive(&senders, "the highest rate", connections, Shape::Single, HIGHEST).await?;
    eprintln!("{highest}");
    fleet.until_analytics_rest().await?;
    let rate = highest.rate * f64::from(percent) / 100.0;
    let due = rate * MINUTE.as_secs_f64() * minutes as f64;
    let mut all: Vec<(Measured, BTreeMap<String, f64>)> = Vec::new();
    for minute in 1..=minutes {
        let measured = paced(&senders, &format!("minute {minute}"), connections, rate).await?;
        let memory = fleet.usage.memory()?;
        let said: Vec<String> = memory.iter().map(|(process, mib)| format!("{process} {mib:.0}")).collect();
        println!("{measured}  MiB: {}", said.join(" "));
        all.push((measured, memory));
    }
    fleet.until_analytics_rest().await?;
    fleet.stop().await;
    let (second, last) = (all.get(1).context("no second minute")?, all.last().context("no last minute")?);
    let p99 = Goal::most("p99 of the last minute ÷ of the second", Some(last.0.p99 / second.0.p99), 1.2);
    let growth = OURS.into_iter().filter_map(|process| {
        let grown = last.1.get(process)? / second.1.get(process)?;
        Goal::most(&format!("{process}'s memory in the last minute ÷ in the second"), Some(grown), FLAT)
    });
    let recorded = |(minute, _): &(Measured, _)| minute.statuses.get(&201).copied().unwrap_or_default() as f64;
    let kept = Goal::least("windows recorded ÷ windows due", Some(all.iter().map(recorded).sum::<f64>() / due), KEPT);
    let goals: Vec<Goal> = p99.into_iter().chain(kept).chain(growth).collect();
    goals.iter().for_each(|goal| println!("{goal}"));
    goal::check(Goal::missed(&goals), check)
}

/// Sends `rate` windows a second for a minute. A time counts from the moment at which a window is
/// due, so an answer that is late makes the next ones late too. The timer itself is up to a
/// millisecond late.
async fn paced(senders: &Senders, name: &str, connections: usize, rate: f64) -> Result<Measured> {
    let between = Duration::from_secs_f64(connections as f64 / rate);
    let wires = try_join_all((0..connections).map(|_| Wire::connect(&senders.base))).await?;
    let started = Instant::now();
    let all = try_join_all(wires.into_iter().enumerate().map(async |(n, mut wire)| {
        let sender = senders.sender(n);
        let (mut micros, mut statuses) = (Vec::new(), BTreeMap::new());
        let mut due = started + between.mul_f64(n as f64 / connections as f64);
        while due < started + MINUTE {
            sleep_until(due.into()).await;
            let credentials = ("Authorization", sender.authorization.as_str());
            let status = wire.post("/api/v1/time-entries", credentials, &senders.window(sender)).await?;
            if status < 400 {
                micros.push(due.elapsed().as_micros() as u32);
            }
            *statuses.entry(status).or_insert(0_u64) += 1;
            due += between;
        }
        anyhow::Ok((micros, statuses))
    }))
    .await?;
    load::together(name, all, 1, started.elapsed())
}
