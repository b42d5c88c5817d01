//! The plan of an import: developers, projects, tasks and windows of a sheet.

use std::collections::{BTreeMap, BTreeSet};

use contracts::Millis;

use super::{sheet::Row, timeline};

/// The plan. Its parts refer to each other by index.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The numbers of the developers.
    pub developers: Vec<u32>,
    /// The projects.
    pub projects: Vec<PlannedProject>,
    /// The tasks.
    pub tasks: Vec<PlannedTask>,
    /// The windows by start, the order in which they would arrive.
    pub windows: Vec<PlannedWindow>,
}

/// A project of the sheet.
#[derive(Clone, Debug, Default)]
pub struct PlannedProject {
    /// The name.
    pub name: String,
    /// The members.
    pub developers: BTreeSet<usize>,
    /// The statuses of its tasks.
    pub statuses: BTreeSet<String>,
    /// The priorities of its tasks.
    pub priorities: BTreeSet<String>,
    /// The time spent on it, in milliseconds.
    pub millis: i64,
}

/// A task of the sheet, in one project.
#[derive(Clone, Debug)]
pub struct PlannedTask {
    /// The number in the sheet.
    pub number: u32,
    /// The summary.
    pub summary: String,
    /// The status.
    pub status: String,
    /// The priority.
    pub priority: String,
    /// The project.
    pub project: usize,
    /// The developers on it.
    pub developers: BTreeSet<usize>,
}

/// A window of a developer.
#[derive(Clone, Copy, Debug)]
pub struct PlannedWindow {
    /// The developer.
    pub developer: usize,
    /// The task.
    pub task: usize,
    /// The start.
    pub start: Millis,
    /// The end.
    pub end: Millis,
}

impl Plan {
    /// Makes the plan of a sheet, with windows of at most this many milliseconds.
    pub fn of(rows: &[Row], longest: i64) -> Self {
        let mut plan = Self::default();
        let (mut developers, mut projects, mut tasks) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut places = Vec::with_capacity(rows.len());
        for row in rows {
            let developer = place(&mut developers, row.developer, &mut plan.developers, || row.developer);
            let project = place(&mut projects, row.project.as_str(), &mut plan.projects, || PlannedProject {
                name: row.project.clone(),
                ..Default::default()
            });
            let task = place(&mut tasks, (project, row.task), &mut plan.tasks, || PlannedTask {
                number: row.task,
                summary: row.summary.clone(),
                status: row.status.clone(),
                priority: row.priority.clone(),
                project,
                developers: BTreeSet::new(),
            });
            plan.tasks[task].developers.insert(developer);
            let project = &mut plan.projects[project];
            project.developers.insert(developer);
            project.statuses.insert(row.status.clone());
            project.priorities.insert(row.priority.clone());
            project.millis += row.millis;
            places.push((developer, task));
        }
        let stretches = timeline::lay_out(rows, longest);
        let window = |stretch: timeline::Stretch| {
            let (developer, task) = places[stretch.row];
            PlannedWindow { developer, task, start: stretch.start, end: stretch.end }
        };
        plan.windows = stretches.into_iter().map(window).collect();
        // A stable sort: windows of one developer stay in order.
        plan.windows.sort_by_key(|window| window.start);
        plan
    }
}

/// The index of the item with this key, which is added if it is new.
fn place<K: Ord, T>(known: &mut BTreeMap<K, usize>, key: K, list: &mut Vec<T>, new: impl FnOnce() -> T) -> usize {
    *known.entry(key).or_insert_with(|| {
        list.push(new());
        list.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::sheet;
    use super::*;

    #[test]
    fn a_task_number_that_two_projects_share_is_two_tasks() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/timesheet.csv");
        let plan = Plan::of(&sheet::read(&path).unwrap(), contracts::HOUR);
        assert_eq!((plan.developers.len(), plan.projects.len(), plan.tasks.len()), (3, 3, 6));
        let twenties: Vec<_> = plan.tasks.iter().filter(|task| task.number == 20).collect();
        let projects: Vec<_> = twenties.iter().map(|task| plan.projects[task.project].name.as_str()).collect();
        assert_eq!(projects, ["Garden", "Field"]);
        assert_eq!(plan.tasks[0].developers.len(), 2);
        assert!(plan.windows.is_sorted_by_key(|window| window.start));
        let whole: i64 = plan.windows.iter().map(|window| window.end - window.start).sum();
        assert_eq!(whole, plan.projects.iter().map(|project| project.millis).sum::<i64>());
    }
}
