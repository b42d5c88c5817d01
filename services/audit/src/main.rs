//! The program `audit`.

use std::process::ExitCode;

use audit::{Command, Config};
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
    kit::run_service(Service::Audit, async |cli: Cli, deps, shutdown| match cli.command {
        None => audit::run(cli.config, deps, shutdown).await,
        Some(command) => audit::command(command, deps).await,
    })
}
