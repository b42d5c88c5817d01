//! Adds windows to the folder that keeps them, and sends them.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};
use window_client::{Store, send};

#[derive(Parser)]
#[command(version, about = "Sends windows, and keeps each on disk until the server has recorded it.")]
struct Cli {
    /// The folder that keeps the windows.
    #[arg(long)]
    store: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Keep a window, given as JSON; prints its id.
    Add { window: String },
    /// Send what is kept, as often as it takes.
    Send {
        server: String,
        email: String,
        #[arg(long, env = "T3_PASSWORD", hide_env_values = true)]
        password: String,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let Cli { store, command } = Cli::parse();
    let store = Store::open(store)?;
    match command {
        Command::Add { window } => println!("{}", store.add(serde_json::from_str(&window)?)?),
        Command::Send { server, email, password } => send(&store, &server, &email, &password).await?,
    }
    Ok(())
}
