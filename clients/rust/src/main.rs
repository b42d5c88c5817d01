//! The command line: adds windows to the store, and sends them.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};
use window_client::{Store, send};

#[derive(Parser)]
#[command(version, about = "Sends windows, and keeps each on disk until the server has recorded it.")]
struct Cli {
    /// The folder of the store.
    #[arg(long)]
    store: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Add a window, given as JSON, and print its id.
    Add { window: String },
    /// Send the windows in the store until each is recorded or refused.
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
