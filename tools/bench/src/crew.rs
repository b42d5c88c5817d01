//! Those who send: employees on a task of a project, logged in.

use std::{
    path::Path,
    sync::atomic::{AtomicI64, Ordering},
};

use anyhow::{Context, Result};
use contracts::{Millis, Project, ProjectId, Task, TaskId, WindowId};
use serde_json::json;

use crate::{
    client::Client,
    import::{Admin, Passwords, Person, invite},
    mailbox::Mailbox,
};

/// The first window starts here, long ago; each next one where the last ended.
const FIRST: i64 = 1_262_304_000_000;
/// How long a window is, in milliseconds: ten minutes, as the desktop app sends them.
pub const LENGTH: i64 = 600_000;
const DAY: i64 = 86_400_000;

/// Employees who can track.
#[derive(Debug)]
pub struct Crew {
    /// Where they send to.
    pub base: String,
    project: ProjectId,
    task: TaskId,
    people: Vec<Sender>,
    /// How long each window is, and how many follow each other before the next day begins.
    length: i64,
    a_day: i64,
}

/// One of them.
#[derive(Debug)]
pub struct Sender {
    /// What they show: `Authorization`.
    pub authorization: String,
    first: i64,
    sent: AtomicI64,
}

impl Crew {
    /// Creates, invites, activates and logs in so many employees, on a task of a new project.
    ///
    /// # Errors
    /// When a request fails, or no invitation comes.
    pub async fn hire(base: &str, data: &Path, count: u32) -> Result<Self> {
        let client = Client::new(base)?;
        let admin = Admin::new(&client, data)?;
        let mut passwords = Passwords::open(data)?;
        let numbers: Vec<u32> = (1..=count).collect();
        let (people, _) = invite(&admin, &Mailbox::of(data), &mut passwords, &numbers).await?;
        let employees: Vec<_> = people.iter().map(|person| person.id).collect();
        let payroll = json!({ "*": { "billRate": 50 } });
        let project = json!({ "name": "Benchmark", "employees": employees, "payroll": payroll });
        let project: Project = admin.create("/api/v1/project", &project).await.context("the project")?;
        let task = json!({ "name": "To be fast", "projectId": project.id, "employees": employees });
        let task: Task = admin.create("/api/v1/task", &task).await.context("the task")?;
        // Each run has a stretch of time of its own, so that no window was there before.
        let offset = i64::from(rand::random::<u16>()) * 7_200_000;
        let first = FIRST + offset;
        let sender = |Person { authorization, .. }| Sender { authorization, first, sent: AtomicI64::new(0) };
        let people = people.into_iter().map(sender).collect();
        let (length, a_day) = (LENGTH, DAY / LENGTH);
        Ok(Self { base: base.to_owned(), project: project.id, task: task.id, people, length, a_day })
    }

    /// They send a window a minute, eight hours a day.
    #[must_use]
    pub fn by_the_minute(mut self) -> Self {
        (self.length, self.a_day) = (60_000, 480);
        self
    }

    /// Who sends on this connection.
    pub fn sender(&self, connection: usize) -> &Sender {
        &self.people[connection % self.people.len()]
    }

    /// The sender's next window, as JSON. Its id is made by the server.
    pub fn window(&self, sender: &Sender) -> String {
        format!("{{{}}}", self.fields(sender))
    }

    /// The sender's next window, as JSON, with an id of its own.
    pub fn window_with_id(&self, sender: &Sender) -> (WindowId, String) {
        let id = kit::new_id();
        (id, format!(r#"{{"id":"{id}",{}}}"#, self.fields(sender)))
    }

    fn fields(&self, sender: &Sender) -> String {
        let sent = sender.sent.fetch_add(1, Ordering::Relaxed);
        let start = Millis(sender.first + sent / self.a_day * DAY + sent % self.a_day * self.length);
        format!(
            r#""start":{start},"end":{},"timezoneOffset":3600000,"projectId":"{}","taskId":"{}","note":"benchmark","computer":"bench-pc","user":"bench","domain":"corp","os":"linux","osVersion":"6.1","hwid":"0f1e2d3c4b5a""#,
            start + self.length,
            self.project,
            self.task,
        )
    }
}
