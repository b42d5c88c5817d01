//! Replaces, scales and kills the services of a system under load, and checks what became of every
//! window.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use chaos::{
    Campaign, FaultKind, KillOptions, Options,
    races::{self, RaceOptions},
};
use clap::{Args, Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Parser)]
#[command(version, about = "Replaces, scales and kills the services of a system under load, and counts every window.")]
struct Cli {
    /// What is done to the services.
    #[command(subcommand)]
    command: Command,
    /// The number of connections that send single windows.
    #[arg(long, default_value_t = 16, global = true)]
    singles: usize,
    /// The number of connections that send batches.
    #[arg(long, default_value_t = 2, global = true)]
    batches: usize,
    /// The pause between two steps of `rolling` or `scale`, in seconds.
    #[arg(long, default_value_t = 3, global = true)]
    pause: u64,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Services(Campaign),
    /// Inject faults at random while clients work, and check the invariants afterwards.
    Kill(Kill),
    /// Start the services with one deliberate fault at a time, and see whether the checks notice
    /// it.
    Mutants {
        #[command(flatten)]
        kill: Kill,
        /// The name of the only deliberate fault to test.
        #[arg(long)]
        only: Option<String>,
    },
    /// Send two conflicting requests at once, many times, and check what is stored.
    Races(RaceOptions),
}

#[derive(Args)]
struct Kill {
    /// The seed: the same seed gives the same faults in the same order.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The number of faults.
    #[arg(long, default_value_t = 40)]
    kills: usize,
    /// The number of windows that are sent. Repetitions are not counted.
    #[arg(long, default_value_t = 100_000)]
    windows: u64,
    /// The kinds of faults, with commas between; the default is all kinds except `power` and
    /// `failpoint` that are possible with this many servers. `power` needs root on Linux, and one
    /// server of each kind.
    #[arg(long, value_delimiter = ',')]
    faults: Vec<FaultKind>,
    /// The number of NATS servers, and of MongoDB servers: 1, or 3 in a network of their own, which
    /// needs root on Linux.
    #[arg(long, default_value_t = 1, value_parser = nodes)]
    nodes: usize,
    /// The failpoints at which a process ends, by the names of `kit::failpoint`, with commas
    /// between; the default is all.
    #[arg(long, value_delimiter = ',')]
    points: Vec<String>,
    /// The folder in which each process writes its log; the default is a temporary folder, which is
    /// kept.
    #[arg(long)]
    logs: Option<PathBuf>,
}

impl Kill {
    fn options(self) -> anyhow::Result<KillOptions> {
        let Self { seed, kills, windows, mut faults, nodes, points, logs } = self;
        if faults.is_empty() {
            faults.extend(FaultKind::ALL);
            faults.extend(FaultKind::CLUSTER.iter().filter(|_| nodes > 1));
        }
        if nodes > 1 && faults.contains(&FaultKind::Power) {
            anyhow::bail!("--faults: power needs one server of each kind, with --nodes 1");
        }
        if let Some(kind) = faults.iter().find(|kind| nodes == 1 && kind.needs_cluster()) {
            anyhow::bail!("--faults: {kind} needs three servers of each kind, with --nodes 3");
        }
        let logs = match logs {
            Some(folder) => folder,
            None => tempfile::Builder::new().prefix("chaos-").tempdir()?.keep(),
        };
        eprintln!("the services write their logs into {}", logs.display());
        Ok(KillOptions { seed, kills, windows, faults, nodes, points, sync: true, mutant: None, logs })
    }
}

fn nodes(word: &str) -> Result<usize, String> {
    match word {
        "1" => Ok(1),
        "3" => Ok(3),
        _ => Err("must be 1 or 3".to_owned()),
    }
}

async fn run(cli: Cli) -> anyhow::Result<bool> {
    let Cli { command, singles, batches, pause } = cli;
    match command {
        Command::Services(campaign) => {
            let options = Options { singles, batches, pause: Duration::from_secs(pause) };
            let report = chaos::run(campaign, &options).await?;
            println!("{report}");
            Ok(report.faults.is_empty())
        }
        Command::Kill(kill) => {
            if kill.nodes > 1 || kill.faults.contains(&FaultKind::Power) {
                chaos::in_own_namespaces(false, kill.nodes > 1).await?;
            }
            let report = chaos::kill(&kill.options()?).await?;
            println!("{report}");
            Ok(report.violations() == 0)
        }
        Command::Mutants { kill, only } => {
            chaos::in_own_namespaces(true, kill.nodes > 1).await?;
            let caught = chaos::mutants(&kill.options()?, only.as_deref()).await;
            Ok(!caught.is_empty() && caught.iter().all(chaos::Caught::is_caught))
        }
        Command::Races(options) => {
            let tallies = races::run(&options).await?;
            tallies.iter().for_each(|tally| println!("{tally}"));
            Ok(!tallies.is_empty() && tallies.iter().all(|tally| tally.holds()))
        }
    }
}

/// Waits for SIGINT or SIGTERM. The error that it returns ends the campaign, so that started
/// processes are killed and their files are deleted.
async fn asked_to_end() -> anyhow::Result<bool> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    anyhow::bail!("it was asked to end before it was done")
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = tokio::select! {
        done = run(Cli::parse()) => done,
        ended = asked_to_end() => ended,
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
