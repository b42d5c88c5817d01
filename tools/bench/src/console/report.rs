//! The results of the measurement, and its goals.

use std::fmt;

use super::{
    page::Shown,
    periods::{AT_ONCE, Periods},
};
use crate::{analytics::floor::Floor, goal::Goal};

/// The goal for the 95th percentile of a page, as a multiple of the floor F.
const FLOORS: f64 = 12.0;
/// The goal for the compressed body of a page, in bytes.
const BYTES: f64 = 60.0 * 1024.0;
/// The goal for the 95th percentile of listing the periods of all employees, as a multiple of the
/// floor F.
const LIST_FLOORS: f64 = 10.0;
/// The goal for approving a thousand periods, in seconds.
const APPROVE_SECONDS: f64 = 10.0;

/// The results of all measurements.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) windows: u64,
    pub(super) floor: Floor,
    pub(super) pages: Vec<Shown>,
    pub(super) periods: Option<Periods>,
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
        let of_periods = |Periods { list, approved, took }: &Periods| {
            let thousand = took.as_secs_f64() * 1_000.0 / *approved as f64;
            [
                Goal::most("periods of everybody, p95 in F", Some(list.p95 / floor), LIST_FLOORS),
                Goal::most("a thousand approvals, seconds", Some(thousand), APPROVE_SECONDS),
            ]
        };
        let pages = self.pages.iter().flat_map(of_page);
        pages.chain(self.periods.iter().flat_map(of_periods)).flatten().collect()
    }

    /// Returns a sentence for each missed goal.
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
        if let Some(Periods { list, approved, took }) = &self.periods {
            let (p50, p95) = (list.p50, list.p95);
            let (name, in_floors) = (&list.name, |millis| millis / floor);
            writeln!(
                f,
                "  {name:<36} p50 {p50:>8.2} ms {:>6.1} F   p95 {p95:>8.2} ms {:>6.1} F",
                in_floors(p50),
                in_floors(p95)
            )?;
            writeln!(f, "  {approved} approvals, {AT_ONCE} at once, took {:.1} s", took.as_secs_f64())?;
        }
        writeln!(f)?;
        self.goals().iter().try_for_each(|goal| writeln!(f, "{goal}"))
    }
}
