//! The program `bench`, which measures a T3 system.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(version, about = "Load for a running T3 system, through its HTTP API alone.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Import a time sheet as tracked windows, then compare the hours by project, developer, task
    /// and month.
    Import(bench::import::Options),
    /// Measure how fast queries are answered while a hundredth, a tenth and all of the windows are
    /// stored.
    Analytics(bench::analytics::Options),
    /// Measure how fast the console's pages are answered, and how large they are.
    Console(bench::console::Options),
    /// Measure how fast windows are recorded, and compare with MongoDB and NATS by themselves.
    Ingest(bench::ingest::Options),
    /// Measure what a million windows cost: CPU, bytes stored, bytes sent.
    Cost(bench::ingest::CostOptions),
    /// Measure whether single posts are as fast after ten minutes as after one.
    Soak(bench::ingest::SoakOptions),
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { command } = Cli::parse();
    let ended = match command {
        Command::Analytics(options) => bench::analytics::run(&options).await,
        Command::Console(options) => bench::console::run(&options).await,
        Command::Import(options) => bench::import::run(&options).await,
        Command::Ingest(options) => bench::ingest::run(&options).await,
        Command::Cost(options) => bench::ingest::cost(&options).await,
        Command::Soak(options) => bench::ingest::soak(&options).await,
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
