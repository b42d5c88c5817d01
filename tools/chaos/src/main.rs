//! Replaces and scales the services of a system under load, and counts what became of every window.

use std::{process::ExitCode, time::Duration};

use chaos::{Campaign, Options};
use clap::Parser;

#[derive(Parser)]
#[command(version, about = "Replaces and scales the services of a system under load, and counts every window.")]
struct Cli {
    /// What happens to the services.
    #[command(subcommand)]
    campaign: Campaign,
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

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { campaign, singles, batches, pause } = Cli::parse();
    let options = Options { singles, batches, pause: Duration::from_secs(pause) };
    match chaos::run(campaign, &options).await {
        Ok(report) => {
            println!("{report}");
            if report.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
