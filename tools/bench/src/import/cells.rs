//! Compares the hours by project, developer, task and month in the sheet with those in the system.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use anyhow::{Context, Result};
use contracts::{EmployeeId, Millis, ProjectId, TaskId, TimeRow, YearMonth};
use jiff::{Timestamp, tz::TimeZone};

use super::{admin::Admin, people::Person, plan::Plan};

/// The largest number of differences that are printed.
const SHOWN: usize = 10;

/// The key of a sum: the indexes of the task and of the developer in the plan, and a month.
type Cell = (usize, usize, YearMonth);

/// The comparison of the sums of the sheet with those of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cells {
    /// The number of sums of the sheet.
    count: usize,
    different: Vec<Different>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Different {
    what: String,
    sheet: i64,
    system: i64,
}

impl Cells {
    /// Queries the sums of the system in these ranges and compares them. Returns `None` if the
    /// system cannot group time.
    ///
    /// # Errors
    /// When analytics does not answer.
    pub async fn ask(
        admin: &Admin<'_>,
        ranges: &[(Millis, Millis)],
        plan: &Plan,
        people: &[Person],
        projects: &[ProjectId],
        tasks: &[TaskId],
    ) -> Result<Option<Self>> {
        let developer: HashMap<EmployeeId, usize> = people.iter().enumerate().map(|(n, one)| (one.id, n)).collect();
        let project = |task: usize| projects[plan.tasks[task].project];
        let task: HashMap<(ProjectId, TaskId), usize> =
            tasks.iter().enumerate().map(|(n, id)| ((project(n), *id), n)).collect();
        let mut system: BTreeMap<Cell, i64> = BTreeMap::new();
        for (start, end) in ranges {
            let by = "groupBy=project,employee,task,month";
            let path = format!("/api/v1/analytics/time?start={start}&end={end}&{by}");
            let Some(rows) = admin.find::<Vec<TimeRow>>(&path).await? else { return Ok(None) };
            for row in rows {
                let (project, task_id) = row.project.zip(row.task).context("a row without its project or task")?;
                let (who, month) = row.employee.zip(row.month).context("a row without its employee or month")?;
                // The system may have time of other tasks and people, which is not compared.
                if let (Some(task), Some(developer)) = (task.get(&(project, task_id)), developer.get(&who)) {
                    *system.entry((*task, *developer, month)).or_default() += row.time;
                }
            }
        }
        let name = |(task, developer, month): Cell| {
            let task = &plan.tasks[task];
            let (project, developer) = (&plan.projects[task.project].name, plan.developers[developer]);
            format!("{project}, developer {developer}, task {}, {month}", task.number)
        };
        Ok(Some(Self::compare(&of_sheet(plan)?, &system, name)))
    }

    fn compare(sheet: &BTreeMap<Cell, i64>, system: &BTreeMap<Cell, i64>, name: impl Fn(Cell) -> String) -> Self {
        let mut all: BTreeMap<Cell, (i64, i64)> = BTreeMap::new();
        sheet.iter().for_each(|(cell, millis)| all.entry(*cell).or_default().0 = *millis);
        system.iter().for_each(|(cell, millis)| all.entry(*cell).or_default().1 = *millis);
        let different = all.into_iter().filter(|(_, (sheet, system))| sheet != system);
        let different = different.map(|(cell, (sheet, system))| Different { what: name(cell), sheet, system });
        Self { count: sheet.len(), different: different.collect() }
    }

    /// Returns whether all sums are equal, to the millisecond.
    pub fn is_exact(&self) -> bool {
        self.different.is_empty()
    }
}

fn of_sheet(plan: &Plan) -> Result<BTreeMap<Cell, i64>> {
    let mut sheet = BTreeMap::new();
    for window in &plan.windows {
        // No window crosses midnight UTC, so the day of its start is the day of all its time.
        let day = Timestamp::from_millisecond(window.start.0)?.to_zoned(TimeZone::UTC).date();
        let cell = (window.task, window.developer, YearMonth::of(day));
        *sheet.entry(cell).or_default() += window.end - window.start;
    }
    Ok(sheet)
}

impl fmt::Display for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, different } = self;
        write!(f, "{count} sums by project, developer, task and month: ")?;
        match different.len() {
            0 => write!(f, "all exact"),
            wrong => write!(f, "{wrong} differ"),
        }?;
        for Different { what, sheet, system } in different.iter().take(SHOWN) {
            write!(f, "\n  {what}: {:+} ms", system - sheet)?;
        }
        if different.len() > SHOWN { write!(f, "\n  …") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_too_much_or_elsewhere_differs() {
        let month = |text: &str| YearMonth::try_from(text.to_owned()).expect("a month");
        let (march, april) = (month("2004-03"), month("2004-04"));
        let sheet = BTreeMap::from([((0, 0, march), 5), ((0, 1, march), 7)]);
        let name = |(task, developer, month)| format!("{task} {developer} {month}");
        let compared = |system: &BTreeMap<Cell, i64>| Cells::compare(&sheet, system, name);
        assert!(compared(&sheet).is_exact());
        let elsewhere = compared(&BTreeMap::from([((0, 0, march), 5), ((0, 1, march), 6), ((0, 1, april), 1)]));
        assert!(!elsewhere.is_exact());
        let printed = elsewhere.to_string();
        assert!(printed.ends_with("2 differ\n  0 1 2004-03: -1 ms\n  0 1 2004-04: +1 ms"), "{printed}");
    }
}
