//! The program `analytics`: reports of time and money.

use std::process::ExitCode;

use analytics::{Command, Config};
use clap::Args;
use contracts::Service;

#[derive(Args)]
#[group(skip)]
struct Cli {
    #[command(flatten)]
    config: Config,
    #[command(subcommand)]
    command: Option<Command>,
}

fn main() -> ExitCode {
    kit::run_service(Service::Analytics, async |cli: Cli, deps, shutdown| match cli.command {
        None => analytics::run(cli.config, deps, shutdown).await,
        Some(command) => analytics::command(command, cli.config, deps).await,
    })
}
