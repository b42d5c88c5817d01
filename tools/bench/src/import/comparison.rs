//! Compares the hours in the system with those in the sheet.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result};
use contracts::{Cents, DAY, HOUR, Millis, Money, ProjectId, ProjectTime, Rate, TaskId};
use tokio::time::{Instant, sleep};

use super::admin::Admin;
use super::cells::Cells;
use super::people::Person;
use super::plan::Plan;
use super::projects::BILL_RATE;

/// How long the sums of the system may stay the same before they count as final.
const FINAL_AFTER: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(500);
const YEAR: i64 = 365 * DAY;

/// The sums by project, and those by project, developer, task and month, in the sheet and in the
/// system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    projects: Vec<Compared>,
    /// `None` if the system cannot group time.
    cells: Option<Cells>,
}

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
    /// Repeats the comparison until all sums are equal, or the system's sums have not changed for
    /// 30 s.
    ///
    /// # Errors
    /// When analytics does not answer.
    pub async fn settled(
        admin: &Admin<'_>,
        plan: &Plan,
        people: &[Person],
        projects: &[ProjectId],
        tasks: &[TaskId],
    ) -> Result<Self> {
        let mut last = Self::now(admin, plan, people, projects, tasks).await?;
        let mut moved = Instant::now();
        while !last.is_exact() && moved.elapsed() < FINAL_AFTER {
            sleep(POLL).await;
            let next = Self::now(admin, plan, people, projects, tasks).await?;
            if next != last {
                moved = Instant::now();
                last = next;
            }
        }
        Ok(last)
    }

    async fn now(
        admin: &Admin<'_>,
        plan: &Plan,
        people: &[Person],
        projects: &[ProjectId],
        tasks: &[TaskId],
    ) -> Result<Self> {
        let ranges = year_by_year(plan).context("no hours in the sheet")?;
        let mut system: HashMap<ProjectId, Sums> = HashMap::new();
        for (start, end) in &ranges {
            let path = format!("/api/v1/analytics/project-time?start={start}&end={end}");
            for ProjectTime { id, time, income, .. } in admin.list::<Vec<ProjectTime>>(&path).await? {
                let sums = system.entry(id).or_default();
                *sums = Sums { millis: sums.millis + time, income: Cents(sums.income.0 + income.0) };
            }
        }
        let rate = Rate::try_from(BILL_RATE)?;
        let compared = plan.projects.iter().zip(projects).map(|(planned, id)| Compared {
            project: planned.name.clone(),
            sheet: Sums { millis: planned.millis, income: Money::of(rate, planned.millis).cents() },
            system: system.get(id).copied().unwrap_or_default(),
        });
        let cells = Cells::ask(admin, &ranges, plan, people, projects, tasks).await?;
        Ok(Self { projects: compared.collect(), cells })
    }

    /// Returns whether all sums are equal, to the millisecond and the cent.
    pub fn is_exact(&self) -> bool {
        self.projects.iter().all(|compared| compared.sheet == compared.system)
            && self.cells.as_ref().is_none_or(Cells::is_exact)
    }
}

/// Divides the time range of the plan into adjoining ranges of 365 days. The last may be shorter.
fn year_by_year(plan: &Plan) -> Option<Vec<(Millis, Millis)>> {
    let mut start = plan.windows.iter().map(|window| window.start).min()?;
    let last = plan.windows.iter().map(|window| window.end).max()?;
    let mut ranges = Vec::new();
    while start < last {
        let end = last.min(start + YEAR);
        ranges.push((start, end));
        start = end;
    }
    Some(ranges)
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours = |millis: i64| millis as f64 / HOUR as f64;
        writeln!(f, "{:10} {:>14} {:>14} {:>14} {:>16}", "project", "sheet, h", "system, h", "income", "difference")?;
        for Compared { project, sheet, system } in &self.projects {
            let difference = match (system.millis - sheet.millis, system.income.0 - sheet.income.0) {
                (0, 0) => "exact".to_owned(),
                (0, cents) => format!("{cents:+} cents"),
                (millis, _) => format!("{millis:+} ms"),
            };
            let income = system.income.0 as f64 / 100.0;
            let [sheet, system] = [sheet, system].map(|sums| hours(sums.millis));
            writeln!(f, "{project:10} {sheet:>14.4} {system:>14.4} {income:>14.2} {difference:>16}")?;
        }
        let sum = |of: fn(&Compared) -> i64| hours(self.projects.iter().map(of).sum());
        let (sheet, system) = (sum(|compared| compared.sheet.millis), sum(|compared| compared.system.millis));
        writeln!(f, "{:10} {sheet:>14.4} {system:>14.4}", "all")?;
        match &self.cells {
            Some(cells) => cells.fmt(f),
            None => write!(f, "The system does not group time by developer, task and month."),
        }
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
        let of = |projects| Comparison { projects, cells: None };
        assert!(of(vec![exact.clone()]).is_exact());
        let comparison = of(vec![exact, short]);
        assert!(!comparison.is_exact());
        let lines = comparison.to_string();
        let lines: Vec<_> = lines.lines().collect();
        assert!(lines[1].ends_with("exact") && lines[2].ends_with("-1 ms"), "{lines:?}");
    }
}
