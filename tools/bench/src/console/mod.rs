//! Measures how fast the pages of the console are answered, and how large they are, while many
//! windows are stored and all employees track. It also measures how fast pay periods are listed and
//! approved.

mod owner;
mod page;
mod periods;
mod report;

use std::{collections::BTreeMap, time::Duration};

use anyhow::Result;
use clap::Args;

use self::{
    owner::Owner,
    page::{PAGES, at_work},
    periods::Periods,
    report::Report,
};
use crate::{
    analytics::{FLOOR, calendar::Calendar, fill::fill, floor::Floor, staff::Staff},
    fleet::Fleet,
    goal,
};

/// The settings of the measurement.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The number of windows that are stored, spread over 365 days. Windows of the last hour are
    /// added.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(100..))]
    pub windows: u64,
    /// The number of employees, who are all on every task and track now.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub employees: u32,
    /// The number of projects, which have five tasks each.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub projects: u32,
    /// How long each page, and then the list of pay periods, is requested, in seconds.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// End with an error where a goal is missed; the last line says which, and by how much.
    #[arg(long)]
    pub check: bool,
}

/// Runs the measurement and prints one table.
///
/// # Errors
/// When something cannot be started or a page fails, or with `--check` when a goal is missed.
pub async fn run(options: &Options) -> Result<()> {
    let mut fleet = Fleet::start(true).await?;
    let (nats, mongo) = (fleet.bus().await?, fleet.mongo().await?);
    let staff = Staff::hire(&fleet.base, &fleet.data, options.employees, options.projects).await?;
    let now = kit::Clock::system().now().0;
    let calendar = Calendar::before(now, staff.people.len() as u64, staff.tasks.len() as u64);
    fleet.until_all_heard().await?;
    eprintln!("{}", fill(&staff, &calendar, 0..options.windows).await?);
    let lately = at_work(&staff).await?;
    fleet.until_counted(options.windows + lately).await?;
    let owner = Owner::appoint(&staff, &fleet.data).await?;

    let floor = Floor::measure(&nats, &mongo, FLOOR).await?;
    let mut report = Report { windows: options.windows + lately, floor, pages: Vec::new(), periods: None };
    for page in &PAGES {
        let before = fleet.asked().await?;
        fleet.usage.begin()?;
        let shown = page.ask(&owner, &calendar, Duration::from_secs(options.seconds)).await?;
        eprintln!("{}\n  {}\n  {}", shown.measured, fleet.asked().await?.since(&before), cores(&fleet.usage.end()?));
        report.pages.push(shown);
    }
    let before = fleet.asked().await?;
    fleet.usage.begin()?;
    let (list, listed) = periods::list(&staff, &calendar, Duration::from_secs(options.seconds)).await?;
    eprintln!("{list}\n  {}\n  {}", fleet.asked().await?.since(&before), cores(&fleet.usage.end()?));
    let before = fleet.asked().await?;
    fleet.usage.begin()?;
    let (approved, took) = periods::approve(&staff, listed).await?;
    eprintln!("approvals\n  {}\n  {}", fleet.asked().await?.since(&before), cores(&fleet.usage.end()?));
    report.periods = Some(Periods { list, approved, took });
    fleet.stop().await;
    println!("{report}");
    goal::check(report.missed(), options.check)
}

/// Returns the share of a core that each process has used. Processes with less than half a percent
/// are left out.
fn cores(shares: &BTreeMap<String, f64>) -> String {
    let busy = shares.iter().filter(|(_, share)| **share >= 0.005);
    busy.map(|(name, share)| format!("{name} {:.0} %", share * 100.0)).collect::<Vec<_>>().join(" ")
}
