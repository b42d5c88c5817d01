//! The hours of the system beside those of the sheet.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result};
use contracts::{Cents, DAY, HOUR, Money, ProjectId, ProjectTime, Rate};
use tokio::time::{Instant, sleep};

use super::admin::Admin;
use super::board::BILL_RATE;
use super::plan::Plan;

/// How long the system may stand still before what it says is its last word.
const STILL: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(500);
const YEAR: i64 = 365 * DAY;

/// All projects, each with what the sheet and the system say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison(Vec<Compared>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Compared {
    project: String,
    sheet: Sums,
    system: Sums,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    millis: i64,
    income: Cents,
}

impl Comparison {
    /// Asks until everything is recorded: until all agrees, or nothing moves any more.
    ///
    /// # Errors
    /// When analytics does not answer.
    pub async fn settled(admin: &Admin<'_>, plan: &Plan, projects: &[ProjectId]) -> Result<Self> {
        let mut last = Self::now(admin, plan, projects).await?;
        let mut moved = Instant::now();
        while !last.is_exact() && moved.elapsed() < STILL {
            sleep(LOOK).await;
            let next = Self::now(admin, plan, projects).await?;
            if next != last {
                moved = Instant::now();
                last = next;
            }
        }
        Ok(last)
    }

    async fn now(admin: &Admin<'_>, plan: &Plan, projects: &[ProjectId]) -> Result<Self> {
        let mut start = plan.windows.iter().map(|window| window.start).min().context("no hours in the sheet")?;
        let last = plan.windows.iter().map(|window| window.end).max().context("no hours in the sheet")?;
        let mut system: HashMap<ProjectId, Sums> = HashMap::new();
        // Year by year: adjoining ranges add up to the whole, whatever they cut in two.
        while start < last {
            let end = last.min(start + YEAR);
            let path = format!("/api/v1/analytics/project-time?start={start}&end={end}");
            for ProjectTime { id, time, income, .. } in admin.list::<Vec<ProjectTime>>(&path).await? {
                let sums = system.entry(id).or_default();
                *sums = Sums { millis: sums.millis + time, income: Cents(sums.income.0 + income.0) };
            }
            start = end;
        }
        let rate = Rate::try_from(BILL_RATE)?;
        let compared = plan.projects.iter().zip(projects).map(|(planned, id)| Compared {
            project: planned.name.clone(),
            sheet: Sums { millis: planned.millis, income: Money::of(rate, planned.millis).cents() },
            system: system.get(id).copied().unwrap_or_default(),
        });
        Ok(Self(compared.collect()))
    }

    /// Whether everything agrees, to the millisecond and the cent.
    pub fn is_exact(&self) -> bool {
        self.0.iter().all(|compared| compared.sheet == compared.system)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours = |millis: i64| millis as f64 / HOUR as f64;
        writeln!(f, "{:10} {:>14} {:>14} {:>14} {:>16}", "project", "sheet, h", "system, h", "income", "difference")?;
        for Compared { project, sheet, system } in &self.0 {
            let difference = match (system.millis - sheet.millis, system.income.0 - sheet.income.0) {
                (0, 0) => "exact".to_owned(),
                (0, cents) => format!("{cents:+} cents"),
                (millis, _) => format!("{millis:+} ms"),
            };
            let income = system.income.0 as f64 / 100.0;
            let [sheet, system] = [sheet, system].map(|sums| hours(sums.millis));
            writeln!(f, "{project:10} {sheet:>14.4} {system:>14.4} {income:>14.2} {difference:>16}")?;
        }
        let sum = |of: fn(&Compared) -> i64| hours(self.0.iter().map(of).sum());
        let (sheet, system) = (sum(|compared| compared.sheet.millis), sum(|compared| compared.system.millis));
        write!(f, "{:10} {sheet:>14.4} {system:>14.4}", "all")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_millisecond_is_shown() {
        let sheet = Sums { millis: HOUR, income: Cents(5_000) };
        let exact = Compared { project: "A".into(), sheet, system: sheet };
        let short = Compared { project: "B".into(), sheet, system: Sums { millis: HOUR - 1, ..sheet } };
        assert!(Comparison(vec![exact.clone()]).is_exact());
        let comparison = Comparison(vec![exact, short]);
        assert!(!comparison.is_exact());
        let lines = comparison.to_string();
        let lines: Vec<_> = lines.lines().collect();
        assert!(lines[1].ends_with("exact") && lines[2].ends_with("-1 ms"), "{lines:?}");
    }
}
