//! The results and their goals.

use std::fmt;

use super::page::Shown;
use crate::{analytics::floor::Floor, goal::Goal};

/// The goal for the 95th percentile of a page, in floors.
const FLOORS: f64 = 12.0;
/// The goal for the compressed body of a page, in bytes.
const BYTES: f64 = 60.0 * 1024.0;

/// All results.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) windows: u64,
    pub(super) floor: Floor,
    pub(super) pages: Vec<Shown>,
}

impl Report {
    fn goals(&self) -> Vec<Goal> {
        let floor = self.floor.millis();
        let of_page = |Shown { name, measured, bytes }: &Shown| {
            [
                Goal::most(&format!("{name}, p95 in F"), Some(measured.p95 / floor), FLOORS),
                Goal::most(&format!("{name}, KiB compressed"), Some(*bytes as f64 / 1024.0), BYTES / 1024.0),
            ]
        };
        self.pages.iter().flat_map(of_page).flatten().collect()
    }

    /// The missed goals in words.
    pub(super) fn missed(&self) -> Vec<String> {
        Goal::missed(&self.goals())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (windows, floor) = (self.windows, self.floor.millis());
        writeln!(f, "{windows} windows; {}", self.floor)?;
        for Shown { name, measured, bytes } in &self.pages {
            let (p50, p95) = (measured.p50, measured.p95);
            writeln!(
                f,
                "  {name:<36} p50 {p50:>8.2} ms {:>6.1} F   p95 {p95:>8.2} ms {:>6.1} F   {:>5.1} KiB",
                p50 / floor,
                p95 / floor,
                *bytes as f64 / 1024.0
            )?;
        }
        writeln!(f)?;
        self.goals().iter().try_for_each(|goal| writeln!(f, "{goal}"))
    }
}
