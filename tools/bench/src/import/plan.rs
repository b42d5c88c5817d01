//! The plan of an import: the developers, projects, tasks and windows of a sheet.

use std::collections::{BTreeMap, BTreeSet};

use contracts::Millis;

use super::{sheet::Row, timeline};

/// The plan of an import. Its parts refer to each other by index.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The numbers of the developers in the sheet.
    pub developers: Vec<u32>,
    /// The projects.
    pub projects: Vec<PlannedProject>,
    /// The tasks.
    pub tasks: Vec<PlannedTask>,
    /// The windows sorted by start, which is the order in which they are posted.
    pub windows: Vec<PlannedWindow>,
}

/// A project of the sheet.
#[derive(Clone, Debug, Default)]
pub struct PlannedProject {
    /// The name of the project.
    pub name: String,
    /// The members, as indexes of `Plan::developers`.
    pub developers: BTreeSet<usize>,
    /// The statuses of the project's tasks.
    pub statuses: BTreeSet<String>,
    /// The priorities of the project's tasks.
    pub priorities: BTreeSet<String>,
    /// The time spent on the project, in milliseconds.
    pub millis: i64,
}

/// A task of the sheet, in one project.
#[derive(Clone, Debug)]
pub struct PlannedTask {
    /// The number of the task in the sheet.
    pub number: u32,
    /// The summary of the task.
    pub summary: String,
    /// The status of the task.
    pub status: String,
    /// The priority of the task.
    pub priority: String,
    /// The project, as an index of `Plan::projects`.
    pub project: usize,
    /// The developers on the task, as indexes of `Plan::developers`.
    pub developers: BTreeSet<usize>,
}

/// A window of a developer.
#[derive(Clone, Copy, Debug)]
pub struct PlannedWindow {
    /// The developer, as an index of `Plan::developers`.
    pub developer: usize,
    /// The task, as an index of `Plan::tasks`.
    pub task: usize,
    /// The start of the window.
    pub start: Millis,
    /// The end of the window.
    pub end: Millis,
}

impl Plan {
    /// Makes the plan of a sheet, with windows of at most `longest` milliseconds.
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
        // The sort is stable: windows of several developers that start at the same moment stay in
        // the order in which they were laid out.
        plan.windows.sort_by_key(|window| window.start);
        plan
    }
}

/// Returns the index of the item with this key. An item whose key is new is added.
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
