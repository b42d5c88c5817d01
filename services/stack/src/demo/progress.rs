//! The progress of filling the demo: one changing line on a terminal, otherwise a line for each
//! step.

use std::io::{IsTerminal, Write, stderr};

/// Prints the progress of filling the demo.
#[derive(Debug)]
pub struct Progress {
    terminal: bool,
}

impl Progress {
    /// Returns a progress that is printed on standard error.
    pub fn new() -> Self {
        Self { terminal: stderr().is_terminal() }
    }

    /// Shows that a step begins.
    pub fn step(&self, what: &str) {
        self.show(what);
        if !self.terminal {
            let _ = writeln!(stderr(), "demo: {what}");
        }
    }

    /// Shows how many of the items of a step are done. This is shown on a terminal only.
    pub fn done(&self, what: &str, done: usize, of: usize) {
        self.show(&format!("{what}, {done} of {of}"));
    }

    /// Removes the progress line from the terminal.
    pub fn end(&self) {
        if self.terminal {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }

    fn show(&self, what: &str) {
        if self.terminal {
            let _ = write!(stderr(), "\r\x1b[KFilling the demo: {what}");
        }
    }
}
