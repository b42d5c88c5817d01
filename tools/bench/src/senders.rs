//! The employees of the load generator. They are logged in and on one task of one project.

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

/// The earliest possible start of a window, in milliseconds since 1970.
const FIRST: i64 = 1_262_304_000_000;
/// The length of a window in milliseconds, unless it is changed. The desktop app sends windows of
/// this length.
pub const LENGTH: i64 = 600_000;
const DAY: i64 = 86_400_000;

/// The employees who send windows.
#[derive(Debug)]
pub struct Senders {
    /// The base URL of the system.
    pub base: String,
    project: ProjectId,
    task: TaskId,
    people: Vec<Sender>,
    /// The length of a window in milliseconds, and the number of windows in a day, which follow
    /// each other without gaps.
    length: i64,
    a_day: i64,
}

/// An employee who sends windows.
#[derive(Debug)]
pub struct Sender {
    /// The value of the header `Authorization`.
    pub authorization: String,
    first: i64,
    sent: AtomicI64,
}

impl Senders {
    /// Creates this many employees, activates their accounts, logs them in, and puts them on one
    /// task of a new project.
    ///
    /// # Errors
    /// When a request fails, or no invitation arrives.
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
        // Each run uses another range of time, so that none of its windows is recorded already.
        let offset = i64::from(rand::random::<u16>()) * 7_200_000;
        let first = FIRST + offset;
        let sender = |Person { authorization, .. }| Sender { authorization, first, sent: AtomicI64::new(0) };
        let people = people.into_iter().map(sender).collect();
        let (length, a_day) = (LENGTH, DAY / LENGTH);
        Ok(Self { base: base.to_owned(), project: project.id, task: task.id, people, length, a_day })
    }

    /// Changes the windows to one minute each, eight hours a day.
    #[must_use]
    pub fn by_the_minute(mut self) -> Self {
        (self.length, self.a_day) = (60_000, 480);
        self
    }

    /// Returns the employee who sends on this connection.
    pub fn sender(&self, connection: usize) -> &Sender {
        &self.people[connection % self.people.len()]
    }

    /// Returns the next window of an employee as JSON. It has no id, so the server computes the id.
    pub fn window(&self, sender: &Sender) -> String {
        format!("{{{}}}", self.fields(sender))
    }

    /// Returns the next window of an employee as JSON with an id, and this id.
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
