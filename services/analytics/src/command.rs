//! The command-line commands of analytics.

use std::{
    io::IsTerminal,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use clap::Subcommand;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use kit::Deps;
use tokio::time::Instant;

use crate::{Config, Rebuilding, rebuild};

/// The time between two lines of progress when standard error is no terminal.
const EVERY: Duration = Duration::from_secs(5);

/// A command that the program runs instead of the service.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Command {
    /// Computes all sums again from timetrack's windows, which the command requests from the
    /// running timetrack service. The command may run while the services run, and continues where
    /// it was stopped.
    Rebuild,
}

/// Runs a command. Progress goes to standard error.
///
/// # Errors
/// When NATS, MongoDB or timetrack cannot be reached.
pub async fn command(command: Command, config: Config, deps: Deps) -> anyhow::Result<()> {
    match command {
        Command::Rebuild => {
            let shown = Shown::new();
            rebuild(&config, &deps, |at| shown.tell(at)).await?;
            shown.bar.finish_and_clear();
            eprintln!("rebuilt in {:.1} s", shown.bar.elapsed().as_secs_f64());
            Ok(())
        }
    }
}

/// The display of the progress: a bar on a terminal, otherwise at most one line every five seconds.
struct Shown {
    bar: ProgressBar,
    /// The moment before which no further line is printed. `None` on a terminal, which shows the
    /// bar.
    due: Option<Mutex<Instant>>,
}

impl Shown {
    fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {elapsed}") {
            bar.set_style(style);
        }
        Self { bar, due: (!terminal).then(|| Mutex::new(Instant::now())) }
    }

    fn tell(&self, at: Rebuilding) {
        let line = line(at);
        if let Rebuilding::Employees { done, of } | Rebuilding::Company { done, of } = at {
            self.bar.set_length(of);
            self.bar.set_position(done);
        }
        self.bar.set_message(line.clone());
        if let Some(due) = &self.due {
            let mut due = due.lock().unwrap_or_else(PoisonError::into_inner);
            if Instant::now() >= *due {
                *due = Instant::now() + EVERY;
                eprintln!("{line}");
            }
        }
    }
}

fn line(at: Rebuilding) -> String {
    match at {
        Rebuilding::Facts { windows } => format!("windows: {}", HumanCount(windows)),
        Rebuilding::Employees { done, of } => format!("employees: {} of {}", HumanCount(done), HumanCount(of)),
        Rebuilding::Company { done, of } => format!("months of all: {} of {}", HumanCount(done), HumanCount(of)),
    }
}
