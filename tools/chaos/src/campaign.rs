use std::time::Duration;

use anyhow::Result;
use clap::Subcommand;
use contracts::Service;
use tokio::time::sleep;

use crate::{load::Load, report::Report, system::System};

/// What a campaign does to the services while clients send windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum Campaign {
    /// Replace each service in turn, twice: start the new process, then stop the old one with
    /// SIGTERM.
    Rolling,
    /// Scale timetrack from one worker to four and back to one.
    Scale,
}

/// The settings of a campaign.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The number of connections that send single windows.
    pub singles: usize,
    /// The number of connections that send batches.
    pub batches: usize,
    /// The pause between two steps of a campaign.
    pub pause: Duration,
}

/// The number of workers to which timetrack is scaled.
const MANY: usize = 4;

/// Starts a system, runs the campaign under load, and checks that every accepted window is stored.
///
/// # Errors
/// When the system cannot be started, or a service does not start or stop as it should. Failed
/// requests of clients are no error; the report has them.
pub async fn run(campaign: Campaign, options: &Options) -> Result<Report> {
    let mut system = System::start().await?;
    let load = Load::start(&system, options);
    sleep(options.pause).await;
    let steps = match campaign {
        Campaign::Rolling => rolling(&mut system, options.pause).await,
        Campaign::Scale => scale(&mut system, options.pause).await,
    };
    let answers = load.end().await?;
    steps?;
    let report = Report::of(&system, answers).await?;
    system.stop().await;
    Ok(report)
}

async fn rolling(system: &mut System, pause: Duration) -> Result<()> {
    for round in 1..=2 {
        for service in bench::fleet::SERVICES {
            system.add(service).await?;
            let took = system.retire(service).await?;
            eprintln!("round {round}: {service} is replaced; the old one took {:.1} s to stop", took.as_secs_f64());
            sleep(pause).await;
        }
    }
    Ok(())
}

async fn scale(system: &mut System, pause: Duration) -> Result<()> {
    for workers in 2..=MANY {
        system.add(Service::Timetrack).await?;
        eprintln!("{workers} workers");
        sleep(pause).await;
    }
    for workers in (1..MANY).rev() {
        let took = system.retire(Service::Timetrack).await?;
        eprintln!("{workers} workers; one took {:.1} s to stop", took.as_secs_f64());
        sleep(pause).await;
    }
    Ok(())
}
