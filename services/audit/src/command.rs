//! The command-line commands of the audit service.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use clap::Subcommand;
use indicatif::ProgressBar;
use kit::Deps;

use crate::{Anchor, verify};

/// A command that the program runs instead of the service.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Checks the hash of every entry of the trail. Prints the last entry if all are right, and
    /// otherwise the first error. The exit code is 0 when all entries are right, and 1 when an
    /// entry is wrong or missing, or MongoDB cannot be reached. The command may run while services
    /// run.
    Verify {
        /// The last entry as an earlier run of `verify` printed it: `<seq>:<hash>`. With an anchor,
        /// `verify` also detects a trail that was cut off at the end or rewritten from its
        /// beginning. Keep the anchor where nobody who can change the database can change it.
        #[arg(long)]
        anchor: Option<Anchor>,
    },
}

/// Runs a command. The result goes to standard output, the progress to standard error.
///
/// # Errors
/// When an entry is wrong or missing, or MongoDB cannot be reached.
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

/// The display of the progress: a bar on a terminal, otherwise a line every five seconds.
struct Shown {
    bar: ProgressBar,
    /// When the next line is printed, if standard error is no terminal.
    due: Cell<Instant>,
}

/// The time between two lines of progress.
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
