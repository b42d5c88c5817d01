use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use kit::config::{Environment, Mongo, Nats, Telemetry};
use provisioning::Bounds;

/// What is to be made.
#[derive(Clone, Debug, Parser)]
#[command(version, about = "Makes what the services of the T3 time tracker backend find when they start.")]
pub struct Settings {
    /// What.
    #[command(subcommand)]
    pub command: Command,
}

/// What is to be made.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Makes every secret that is missing in a folder, and the configuration of NATS's users.
    Secrets {
        /// The folder.
        dir: PathBuf,
    },
    /// Makes streams, consumers, users, collections and indexes, and changes them where they are
    /// others. Can be repeated; refuses what would lose data.
    Run(Box<Run>),
}

/// How streams, consumers, users, collections and indexes are made.
#[derive(Args, Clone, Debug)]
pub struct Run {
    /// Prints what differs and changes nothing; ends with 1 where something does.
    #[arg(long)]
    pub check: bool,
    /// The folder that `provision secrets` made: the passwords of MongoDB's users are there.
    /// Without it the users are left alone.
    #[arg(long, env = "SECRETS_DIR")]
    pub secrets: Option<PathBuf>,
    /// NATS's monitoring port, http://host:8222, several with commas between: it is asked whether
    /// it fsyncs what it acknowledges. Required in production.
    #[arg(long, env = "NATS_MONITOR_URL")]
    pub nats_monitor_url: Option<String>,
    /// Where we run.
    #[arg(long = "env", env = "T3_ENV", value_name = "T3_ENV", value_enum, default_value = "production")]
    pub environment: Environment,
    /// What the streams may hold.
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
