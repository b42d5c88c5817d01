//! Measures how fast queries are answered, and whether that depends on how many windows are stored.

pub(crate) mod calendar;
pub(crate) mod fill;
pub(crate) mod floor;
mod freshness;
mod question;
mod report;
pub(crate) mod staff;

use std::{path::PathBuf, time::Duration};

use anyhow::{Result, ensure};
use clap::Args;
use contracts::ProjectTime;
use serde_json::json;
use servers::{Mongo, MongoOptions, Nats, NatsOptions, Programs};

use self::{
    calendar::{Calendar, LENGTH},
    fill::fill,
    floor::Floor,
    freshness::Freshness,
    question::QUESTIONS,
    report::{Answers, Report, Size},
    staff::Staff,
};
use crate::{client::Client, fleet::Fleet, goal, import::Admin};

/// The numbers of connections on which each query is sent.
const CONNECTIONS: [usize; 2] = [1, 16];
/// How long each part of the floor is measured.
pub(crate) const FLOOR: Duration = Duration::from_secs(2);

/// The settings of the measurement.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Measure this server, which has the same HTTP API, in place of a system that is started here.
    /// Queries that the server does not support are left out.
    #[arg(long)]
    pub target: Option<String>,
    /// The data folder of the target, with its admin key and its mails.
    #[arg(long, default_value = ".t3")]
    pub data: PathBuf,
    /// The number of windows that are stored in the end, spread over 365 days. Queries are also
    /// measured with a hundredth and a tenth of this number.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(100..))]
    pub windows: u64,
    /// The number of employees, who are all on every task.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub employees: u32,
    /// The number of projects, which have five tasks each.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub projects: u32,
    /// How long each query is sent on each number of connections, in seconds.
    #[arg(long, default_value_t = 5)]
    pub seconds: u64,
    /// Print JSON in place of a table.
    #[arg(long)]
    pub json: bool,
    /// End with an error where a goal is missed; the last line says which, and by how much.
    #[arg(long)]
    pub check: bool,
}

/// Runs the measurement and prints one table, or JSON.
///
/// # Errors
/// When something cannot be started or a sum is wrong, or with `--check` when a goal is missed.
pub async fn run(options: &Options) -> Result<()> {
    let report = match &options.target {
        Some(target) => on_target(options, target).await?,
        None => on_our_own(options).await?,
    };
    if options.json {
        println!("{}", serde_json::to_string_pretty(&json!(report))?);
    } else {
        println!("{report}");
    }
    goal::check(report.missed(), options.check)
}

async fn on_our_own(options: &Options) -> Result<Report> {
    let fleet = Fleet::start(true).await?;
    let (nats, mongo) = (fleet.bus().await?, fleet.mongo().await?);
    let (staff, calendar) = open(options, &fleet.base, &fleet.data).await?;
    fleet.until_all_heard().await?;
    let mut report = Report::default();
    let mut stored = 0;
    for windows in sizes(options) {
        eprintln!("{}", fill(&staff, &calendar, stored..windows).await?);
        stored = windows;
        fleet.until_counted(windows).await?;
        check_sum(&fleet, &calendar, windows).await?;
        let floor = Floor::measure(&nats, &mongo, FLOOR).await?;
        report.sizes.push(ask_all(options, &staff, &calendar, windows, floor).await?);
    }
    report.freshness = Freshness::measure(&staff, &calendar, 2 * lasts(options)).await?;
    fleet.stop().await;
    Ok(report)
}

/// Measures an existing server. The floor is that of a NATS and a MongoDB which are started here.
async fn on_target(options: &Options, target: &str) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let programs = Programs::find_or_fetch(&servers::on_stderr()).await?;
    let mut nats = Nats::start(NatsOptions::new(programs.nats_server, folder.path().join("nats"))).await?;
    let mut mongo = Mongo::start(MongoOptions::new(programs.mongod, folder.path().join("mongo"))).await?;
    let bus = async_nats::connect(nats.url()).await?;
    let database = kit::mongo::connect(&mongo.connection_string(), None, "bench").await?;
    let floor = Floor::measure(&bus, &database, FLOOR).await?;
    nats.kill().await;
    mongo.kill().await;

    let (staff, calendar) = open(options, target, &options.data).await?;
    let mut report = Report::default();
    let mut stored = 0;
    for windows in sizes(options) {
        eprintln!("{}", fill(&staff, &calendar, stored..windows).await?);
        stored = windows;
        report.sizes.push(ask_all(options, &staff, &calendar, windows, floor).await?);
    }
    report.freshness = Freshness::measure(&staff, &calendar, 2 * lasts(options)).await?;
    Ok(report)
}

fn lasts(options: &Options) -> Duration {
    Duration::from_secs(options.seconds)
}

fn sizes(options: &Options) -> [u64; 3] {
    [options.windows / 100, options.windows / 10, options.windows]
}

async fn open(options: &Options, base: &str, data: &std::path::Path) -> Result<(Staff, Calendar)> {
    let staff = Staff::hire(base, data, options.employees, options.projects).await?;
    let calendar = Calendar::before(kit::Clock::system().now().0, staff.people.len() as u64, staff.tasks.len() as u64);
    let most = calendar.most();
    ensure!(options.windows <= most, "--windows: at most {most} fit into a year of so many --employees");
    Ok((staff, calendar))
}

async fn ask_all(options: &Options, staff: &Staff, calendar: &Calendar, windows: u64, floor: Floor) -> Result<Size> {
    eprintln!("{windows} windows; {floor}");
    let mut answers = Vec::new();
    for question in &QUESTIONS {
        for connections in CONNECTIONS {
            if let Some(measured) = question.ask(staff, calendar, connections, lasts(options)).await? {
                eprintln!("{measured}");
                answers.push(Answers { question: question.name, connections, measured });
            }
        }
    }
    Ok(Size { windows, floor, answers })
}

/// Checks that the sum of all counted time equals the time of the sent windows, to the millisecond.
/// The speed of a wrong answer means nothing.
async fn check_sum(fleet: &Fleet, calendar: &Calendar, windows: u64) -> Result<()> {
    let client = Client::new(&fleet.base)?;
    let path = format!("/api/v1/analytics/project-time?start={}&end={}", calendar.first, calendar.end());
    let times: Vec<ProjectTime> = Admin::new(&client, &fleet.data)?.list(&path).await?;
    let (counted, sent) = (times.iter().map(|of| of.time).sum::<i64>(), windows as i64 * LENGTH);
    ensure!(counted == sent, "analytics count {counted} ms, and {sent} ms were sent");
    Ok(())
}
