//! How far the fill is: one line that changes on a terminal, a line a step elsewhere.

use std::io::{IsTerminal, Write, stderr};

/// The line.
#[derive(Debug)]
pub struct Progress {
    terminal: bool,
}

impl Progress {
    /// On standard error.
    pub fn new() -> Self {
        Self { terminal: stderr().is_terminal() }
    }

    /// A step begins.
    pub fn step(&self, what: &str) {
        self.show(what);
        if !self.terminal {
            let _ = writeln!(stderr(), "demo: {what}");
        }
    }

    /// So many of a step are done: to be seen on a terminal alone.
    pub fn done(&self, what: &str, done: usize, of: usize) {
        self.show(&format!("{what}, {done} of {of}"));
    }

    /// Nobody needs it any more.
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
