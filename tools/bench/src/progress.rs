//! The progress of a phase: a bar on a terminal, otherwise a line at most every ten seconds.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

const EVERY: Duration = Duration::from_secs(10);

/// The progress of one phase.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    what: &'static str,
    /// The moment at which the next line is due. It is `None` on a terminal.
    due: Option<Mutex<Instant>>,
}

impl Progress {
    /// Begins a phase with `total` steps.
    pub fn of(what: &'static str, total: usize) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target).with_message(what);
        let template = "{msg:10} {wide_bar} {human_pos} of {human_len}, {per_sec}, {eta} to go";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, what, due: (!terminal).then(|| Mutex::new(Instant::now() + EVERY)) }
    }

    /// Counts one step.
    pub fn one(&self) {
        self.some(1);
    }

    /// Counts several steps.
    pub fn some(&self, more: usize) {
        self.bar.inc(more as u64);
        if let Some(Ok(mut due)) = self.due.as_ref().map(Mutex::lock)
            && Instant::now() > *due
        {
            *due += EVERY;
            let (done, total) = (self.bar.position(), self.bar.length().unwrap_or_default());
            let rate = done as f64 / self.bar.elapsed().as_secs_f64();
            eprintln!("{}: {} of {}, {rate:.0}/s", self.what, HumanCount(done), HumanCount(total));
        }
    }

    /// Ends the phase, and returns its name, number of steps and duration.
    pub fn done(self) -> Phase {
        let (count, took) = (self.bar.position(), self.bar.elapsed());
        self.bar.finish_and_clear();
        Phase { what: self.what, count, took }
    }
}

/// A phase that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Phase {
    what: &'static str,
    count: u64,
    took: Duration,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.took.as_secs_f64();
        write!(f, "{:10} {:>9} in {seconds:>7.1} s", self.what, HumanCount(self.count).to_string())?;
        // The rate of a phase that took less than a tenth of a second says nothing.
        if seconds < 0.1 { Ok(()) } else { write!(f, " {:>8.0}/s", self.count as f64 / seconds) }
    }
}
