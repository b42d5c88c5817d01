//! The employees of the benchmark, each on every task of every project.

use std::path::Path;

use anyhow::{Context, Result};
use contracts::{EmployeeId, Project, ProjectId, Task, TaskId};
use serde_json::json;

use super::calendar::{LENGTH, Planned};
use crate::{
    client::Client,
    import::{Admin, Passwords, Person, invite},
    mailbox::Mailbox,
    progress::Progress,
};

/// The number of tasks of each project.
const TASKS_EACH: u32 = 5;

/// A system with its employees and tasks.
#[derive(Debug)]
pub(crate) struct Staff {
    pub(crate) base: String,
    /// The admin key.
    pub(crate) key: String,
    pub(crate) people: Vec<Person>,
    pub(crate) tasks: Vec<(ProjectId, TaskId)>,
}

impl Staff {
    /// Creates this many employees, activates their accounts and logs them in. Then creates this
    /// many projects with all employees on them.
    pub(crate) async fn hire(base: &str, data: &Path, employees: u32, projects: u32) -> Result<Self> {
        let client = Client::new(base)?;
        let admin = Admin::new(&client, data)?;
        let numbers: Vec<u32> = (1..=employees).collect();
        let mut passwords = Passwords::open(data)?;
        let (people, phase) = invite(&admin, &Mailbox::of(data), &mut passwords, &numbers).await?;
        eprintln!("{phase}");
        let everybody: Vec<EmployeeId> = people.iter().map(|person| person.id).collect();
        let payroll = json!({ "*": { "billRate": 50, "payRate": 30 } });
        let progress = Progress::of("tasks", (projects * TASKS_EACH) as usize);
        let mut tasks = Vec::new();
        for number in 1..=projects {
            let project = json!({ "name": format!("Project {number}"), "employees": everybody, "payroll": payroll });
            let project: Project = admin.create("/api/v1/project", &project).await.context("a project")?;
            for task in 1..=TASKS_EACH {
                let task = json!({ "name": format!("Task {task}"), "projectId": project.id, "employees": everybody });
                let task: Task = admin.create("/api/v1/task", &task).await.context("a task")?;
                tasks.push((project.id, task.id));
                progress.one();
            }
        }
        eprintln!("{}", progress.done());
        Ok(Self { base: base.to_owned(), key: admin.key().to_owned(), people, tasks })
    }

    /// Returns a window as JSON, as the desktop app sends it.
    pub(crate) fn json(&self, planned: &Planned) -> String {
        let (project, task) = self.tasks[planned.task];
        let (start, user) = (planned.start, &self.people[planned.employee].user);
        format!(
            r#"{{"start":{start},"end":{},"timezoneOffset":3600000,"projectId":"{project}","taskId":"{task}","note":"benchmark","computer":"{user}-pc","user":"{user}","domain":"corp","os":"linux","osVersion":"6.1","hwid":"{user}-hw"}}"#,
            start + LENGTH,
        )
    }
}
