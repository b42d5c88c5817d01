//! Shows the progress of a download to people.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

/// A step of a download. Nothing is reported if the program need not be downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Another process downloads the same program, and this process waits for the end of that
    /// download.
    Waiting {
        /// The name of the program.
        program: &'static str,
    },
    /// The download is in progress. This is reported several times a second.
    Fetching {
        /// The name of the program.
        program: &'static str,
        /// The package and its version.
        package: String,
        /// The bytes on disk so far, downloaded and unpacked.
        bytes: u64,
        /// The expected number of bytes, approximately.
        expected: u64,
        /// The time since the download began.
        elapsed: Duration,
    },
    /// The download has ended.
    Fetched {
        /// The name of the program.
        program: &'static str,
        /// How long the download took.
        elapsed: Duration,
    },
}

/// Returns a function that shows progress on standard error: as a bar on a terminal, otherwise as a
/// line every five seconds.
pub fn on_stderr() -> impl Fn(Progress) + Send + Sync {
    let terminal = std::io::stderr().is_terminal();
    let shown = Mutex::new(Shown::default());
    move |progress| {
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        if terminal {
            shown.on_bar(progress);
        } else if let Some(line) = shown.as_line(&progress) {
            eprintln!("{line}");
        }
    }
}

const EVERY: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Shown {
    bar: Option<ProgressBar>,
    waiting: bool,
    /// The time since the start of the download at which the next line is due.
    due: Duration,
}

impl Shown {
    fn on_bar(&mut self, progress: Progress) {
        match progress {
            Progress::Waiting { .. } => {
                if let Some(line) = self.as_line(&progress) {
                    eprintln!("{line}");
                }
            }
            Progress::Fetching { package, bytes, expected, .. } => {
                let bar = self.bar.get_or_insert_with(|| new_bar(expected, package));
                // The position must not exceed the length of the bar, and `expected` is only an
                // estimate.
                bar.set_position(bytes.min(expected));
            }
            Progress::Fetched { .. } => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
                if let Some(line) = self.as_line(&progress) {
                    eprintln!("{line}");
                }
            }
        }
    }

    fn as_line(&mut self, progress: &Progress) -> Option<String> {
        match progress {
            Progress::Waiting { program } => {
                let first = !std::mem::replace(&mut self.waiting, true);
                first.then(|| format!("{program}: another process is fetching it, waiting"))
            }
            Progress::Fetching { program, package, bytes, expected, elapsed } => {
                if *elapsed < self.due {
                    return None;
                }
                self.due = *elapsed + EVERY;
                Some(format!(
                    "{program}: fetching {package}, {} of about {}, {} s",
                    HumanBytes(*bytes),
                    HumanBytes(*expected),
                    elapsed.as_secs()
                ))
            }
            Progress::Fetched { program, elapsed } => {
                *self = Self::default();
                let seconds = elapsed.as_secs_f64();
                Some(format!("{program}: fetched in {seconds:.1} s"))
            }
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        // Without this, a failed download would leave a half-drawn bar above its error message.
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn new_bar(expected: u64, package: String) -> ProgressBar {
    let bar = ProgressBar::new(expected).with_message(package);
    let template = "fetching {msg} {wide_bar} {bytes} of about {total_bytes}, {elapsed}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_terminal_a_line_comes_every_five_seconds() {
        let mut shown = Shown::default();
        let lines = (0..=20).filter_map(|half_seconds| {
            shown.as_line(&Progress::Fetching {
                program: "mongod",
                package: "a 1.0".into(),
                bytes: 1 << 20,
                expected: 2 << 20,
                elapsed: Duration::from_millis(500 * half_seconds),
            })
        });
        let lines: Vec<_> = lines.collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1], "mongod: fetching a 1.0, 1.00 MiB of about 2.00 MiB, 5 s");
    }
}
