//! The program `timetrack`: records time windows from the queue INGEST.

use std::process::ExitCode;

use clap::Args;
use contracts::{Service, User};
use timetrack::{Command, Config};

#[derive(Args)]
#[group(skip)]
struct Cli {
    #[command(flatten)]
    config: Config,
    #[command(subcommand)]
    command: Option<Command>,
}

fn main() -> ExitCode {
    let user = |cli: &Cli| match cli.command {
        None | Some(Command::Migrate { .. }) => Service::Timetrack.into(),
        Some(_) => User::Operator,
    };
    kit::run_service_as(Service::Timetrack, user, async |cli: Cli, deps, shutdown| match cli.command {
        None => timetrack::run(cli.config, deps, shutdown).await,
        Some(command) => timetrack::command(command, deps).await,
    })
}
