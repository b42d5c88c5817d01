//! Creates the projects and tasks of the sheet, or finds them: a project by its name, a task by its
//! project and the number at the beginning of its name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context, Result};
use contracts::{
    CreateProject, CreateTask, EmployeeId, Label, Name, Note, Payee, Payroll, PayrollLine, Project, ProjectId, Rate,
    Task, TaskId,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::admin::Admin;
use super::people::Person;
use super::plan::{Plan, PlannedProject, PlannedTask};
use crate::progress::{Phase, Progress};

/// The bill rate of all employees per hour. It is one cent per second, so that no sum needs
/// rounding.
pub const BILL_RATE: f64 = 36.0;
/// The pay rate of all employees per hour.
const PAY_RATE: f64 = 18.0;
/// The largest number of characters in a name.
const NAME_MOST: usize = 200;

/// Creates the projects, and returns their ids in the order of the plan. A project with the same
/// name that exists already is used and not changed.
///
/// # Errors
/// When the system refuses a project.
pub async fn projects(admin: &Admin<'_>, plan: &Plan, people: &[Person]) -> Result<(Vec<ProjectId>, Phase)> {
    let there: Vec<Project> = admin.list("/api/v1/project").await?;
    let there: HashMap<_, _> = there.iter().map(|found| (found.name.as_str(), found.id)).collect();
    let progress = Progress::of("projects", plan.projects.len());
    let mut ids = Vec::with_capacity(plan.projects.len());
    for project in &plan.projects {
        ids.push(match there.get(project.name.as_str()) {
            Some(id) => *id,
            None => admin.create::<Project>("/api/v1/project", &new_project(project, people)?).await?.id,
        });
        progress.one();
    }
    Ok((ids, progress.done()))
}

fn new_project(project: &PlannedProject, people: &[Person]) -> Result<CreateProject> {
    let rate = PayrollLine {
        bill_rate: Some(Rate::try_from(BILL_RATE)?),
        pay_rate: Some(Rate::try_from(PAY_RATE)?),
        ..Default::default()
    };
    Ok(CreateProject {
        name: Name::parse(&project.name)?,
        description: None,
        billable: None,
        employees: Some(ids(people, &project.developers)),
        statuses: Some(labels(&project.statuses)?),
        priorities: Some(labels(&project.priorities)?),
        screenshot_settings: None,
        payroll: Some(Payroll(BTreeMap::from([(Payee::Everybody, rate)]))),
    })
}

/// Creates the tasks, several at a time, and returns their ids in the order of the plan. If a task
/// of the same project has a name that begins with the same number, this task is used and not
/// changed.
///
/// # Errors
/// When the system refuses a task.
pub async fn tasks(
    admin: &Admin<'_>,
    plan: &Plan,
    people: &[Person],
    projects: &[ProjectId],
    connections: usize,
) -> Result<(Vec<TaskId>, Phase)> {
    let there: Vec<Task> = admin.list("/api/v1/task").await?;
    let number = |name: &str| name.split(' ').next()?.parse::<u32>().ok();
    let there: HashMap<_, _> =
        there.iter().filter_map(|found| Some(((found.project_id, number(found.name.as_str())?), found.id))).collect();
    let progress = Progress::of("tasks", plan.tasks.len());
    let ids: Vec<TaskId> = stream::iter(&plan.tasks)
        .map(|task| {
            let (there, progress) = (&there, &progress);
            async move {
                let project = projects[task.project];
                let id = match there.get(&(project, task.number)) {
                    Some(id) => *id,
                    None => {
                        let new = new_task(task, project, people)
                            .with_context(|| format!("task {} cannot be one here", task.number))?;
                        admin.create::<Task>("/api/v1/task", &new).await?.id
                    }
                };
                progress.one();
                anyhow::Ok(id)
            }
        })
        .buffered(connections)
        .try_collect()
        .await?;
    Ok((ids, progress.done()))
}

fn new_task(task: &PlannedTask, project: ProjectId, people: &[Person]) -> Result<CreateTask> {
    let name: String = format!("{} {}", task.number, task.summary).chars().take(NAME_MOST).collect();
    Ok(CreateTask {
        name: Name::parse(&name)?,
        project_id: project,
        description: Some(Note::parse(&task.summary)?),
        billable: None,
        employees: Some(ids(people, &task.developers)),
        status: Some(Label::parse(&task.status)?),
        priority: Some(Label::parse(&task.priority)?),
    })
}

fn ids(people: &[Person], developers: &BTreeSet<usize>) -> Vec<EmployeeId> {
    developers.iter().map(|&developer| people[developer].id).collect()
}

fn labels(texts: &BTreeSet<String>) -> Result<Vec<Label>> {
    Ok(texts.iter().map(|text| Label::parse(text)).collect::<Result<_, _>>()?)
}
