//! Replaces and scales the services of a system under load, and counts what became of every window.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use chaos::{
    Campaign, Options,
    races::{self, RaceOptions},
};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(version, about = "Replaces and scales the services of a system under load, and counts every window.")]
struct Cli {
    /// What happens to the services.
    #[command(subcommand)]
    command: Command,
    /// How many connections send single windows.
    #[arg(long, default_value_t = 16, global = true)]
    singles: usize,
    /// How many connections send batches.
    #[arg(long, default_value_t = 2, global = true)]
    batches: usize,
    /// How many seconds pass between two steps.
    #[arg(long, default_value_t = 3, global = true)]
    pause: u64,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Campaign(Campaign),
    /// Let two sides go off together at what cannot be both, many times, and judge what is stored.
    Races(RaceOptions),
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { command, singles, batches, pause } = Cli::parse();
    let options = Options { singles, batches, pause: Duration::from_secs(pause) };
    match run(command, &options).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Says what it has shown, and whether all is well.
async fn run(command: Command, options: &Options) -> Result<bool> {
    match command {
        Command::Campaign(campaign) => {
            let report = chaos::run(campaign, options).await?;
            println!("{report}");
            Ok(report.faults.is_empty())
        }
        Command::Races(options) => {
            let tallies = races::run(&options).await?;
            tallies.iter().for_each(|tally| println!("{tally}"));
            Ok(!tallies.is_empty() && tallies.iter().all(|tally| tally.holds()))
        }
    }
}
