//! The commands for operators.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use clap::Subcommand;
use indicatif::ProgressBar;
use kit::Deps;

use crate::{Anchor, verify};

/// A command in place of running the service.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Checks every entry of the trail, and names the first that does not fit. The exit code is 0
    /// when all do, 1 otherwise. It may run beside everything else.
    Verify {
        /// An entry as an earlier run printed it, `<seq>:<hash>`. It shows that the end was cut off,
        /// or all written anew: keep it where nobody who can change the database can change it.
        #[arg(long)]
        anchor: Option<Anchor>,
    },
}

/// Runs a command; what it finds goes to standard output, how far it is to standard error.
///
/// # Errors
/// When an entry does not fit, or MongoDB is away.
pub async fn command(command: Command, deps: Deps) -> anyhow::Result<()> {
    let Command::Verify { anchor } = command;
    let shown = Shown::new();
    let last = verify(&deps, anchor, |entries| shown.tell(entries)).await;
    shown.bar.finish_and_clear();
    match last? {
        Some(last) => println!("{last}"),
        None => println!("the trail is empty"),
    }
    Ok(())
}

/// The progress: a bar on a terminal, otherwise a line every five seconds.
struct Shown {
    bar: ProgressBar,
    /// When the next line is due, without a terminal.
    due: Cell<Instant>,
}

/// How often a line is written.
const EVERY: Duration = Duration::from_secs(5);

impl Shown {
    fn new() -> Self {
        Self { bar: ProgressBar::new_spinner(), due: Cell::new(Instant::now() + EVERY) }
    }

    fn tell(&self, entries: u64) {
        if !self.bar.is_hidden() {
            self.bar.set_message(format!("{entries} entries fit"));
            self.bar.tick();
        } else if Instant::now() >= self.due.get() {
            eprintln!("{entries} entries fit");
            self.due.set(Instant::now() + EVERY);
        }
    }
}
