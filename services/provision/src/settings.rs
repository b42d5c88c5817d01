use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use kit::config::{Environment, Mongo, Nats, Telemetry};
use provisioning::Bounds;

/// The command line.
#[derive(Clone, Debug, Parser)]
#[command(version, about = "Makes what the services of the T3 time tracker backend find when they start.")]
pub struct Settings {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What shall be made.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Makes every secret that is missing in a folder, and the configuration of NATS's users.
    Secrets {
        /// The folder of secrets.
        dir: PathBuf,
    },
    /// Makes streams, consumers, users, collections and indexes, and changes them where they are
    /// others. Can be repeated; refuses what would lose data.
    Run(Box<Run>),
}

/// How streams, consumers, users, collections and indexes are made.
#[derive(Args, Clone, Debug)]
pub struct Run {
    /// Prints the differences and changes nothing; the exit code is 1 when there are any.
    #[arg(long)]
    pub check: bool,
    /// The folder that `provision secrets` made, with the passwords of the MongoDB users. Without it the users
    /// are left alone.
    #[arg(long, env = "SECRETS_DIR")]
    pub secrets: Option<PathBuf>,
    /// The monitoring port of NATS, http://host:8222, or several with commas between. It is asked whether NATS
    /// syncs to disk before it acknowledges. Required in production.
    #[arg(long, env = "NATS_MONITOR_URL")]
    pub nats_monitor_url: Option<String>,
    /// Development or production.
    #[arg(long = "env", env = "T3_ENV", value_name = "T3_ENV", value_enum, default_value = "production")]
    pub environment: Environment,
    /// The sizes of the streams.
    #[command(flatten)]
    pub bounds: Bounds,
    /// NATS, as the user `provision`.
    #[command(flatten)]
    pub nats: Nats,
    /// MongoDB, as the user `root`.
    #[command(flatten)]
    pub mongo: Mongo,
    /// Logs.
    #[command(flatten)]
    pub telemetry: Telemetry,
}
