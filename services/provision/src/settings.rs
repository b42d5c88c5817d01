use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use kit::config::{Environment, Mongo, Nats, Telemetry};
use provisioning::Bounds;

/// The command line of `provision`.
#[derive(Clone, Debug, Parser)]
#[command(version, about = "Makes what the services of the T3 time tracker backend find when they start.")]
pub struct Settings {
    /// The command that is run.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program does.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Creates every secret that is missing in a folder, and the configuration of NATS's users.
    Secrets {
        /// The folder of the secrets.
        dir: PathBuf,
    },
    /// Creates streams, consumers, users, collections and indexes, and changes those that differ.
    /// Can be run again; refuses changes that would lose data.
    Run(Box<Run>),
}

/// The settings of the command `run`.
#[derive(Args, Clone, Debug)]
pub struct Run {
    /// Prints the differences and changes nothing. The exit code is 1 if there are any.
    #[arg(long)]
    pub check: bool,
    /// The folder that `provision secrets` made, with the passwords of the MongoDB users. Without
    /// it the users are not changed.
    #[arg(long, env = "SECRETS_DIR")]
    pub secrets: Option<PathBuf>,
    /// The URL of the monitoring port of NATS, such as http://host:8222, or several with commas
    /// between. It is queried to check that NATS syncs to disk before it acknowledges. Required in
    /// production.
    #[arg(long, env = "NATS_MONITOR_URL")]
    pub nats_monitor_url: Option<String>,
    /// The environment: development or production.
    #[arg(long = "env", env = "T3_ENV", value_name = "T3_ENV", value_enum, default_value = "production")]
    pub environment: Environment,
    /// The size limits of the streams.
    #[command(flatten)]
    pub bounds: Bounds,
    /// The connection to NATS, as the user `provision`.
    #[command(flatten)]
    pub nats: Nats,
    /// The connection to MongoDB, as the user `root`.
    #[command(flatten)]
    pub mongo: Mongo,
    /// The settings of logs.
    #[command(flatten)]
    pub telemetry: Telemetry,
}
