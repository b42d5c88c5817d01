use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail};
use bench::Mailbox;
use contracts::{Employee, EmployeeId, Project, ProjectId, Task, TaskId};
use reqwest::Method;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{
    client::{ApiClient, As},
    ledger::{Done, Invited, Ledger},
};

/// The password of all employees.
pub(crate) const PASSWORD: &str = "lantern over the quiet harbour";
/// The time limit of each step of the set-up.
const PATIENCE: Duration = Duration::from_secs(120);

/// An employee who sends windows.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) id: EmployeeId,
    pub(crate) email: String,
    token: Mutex<Option<String>>,
    /// Whether nobody changes the projects, tasks and windows of this employee. A report must count
    /// all windows of such an employee.
    pub(crate) is_steady: bool,
    /// The number of windows that the employee has sent for the time from 2015-01-01 on. All other
    /// windows are of the last 90 seconds by the computer's clock.
    pub(crate) past: AtomicU64,
    /// The milliseconds of all windows that were sent, and of those that were answered as recorded.
    pub(crate) sent: AtomicI64,
    pub(crate) recorded: AtomicI64,
}

/// The projects and tasks that employees send windows for. They change during the campaign.
#[derive(Clone, Debug, Default)]
pub(crate) struct Works(Arc<Mutex<Vec<(ProjectId, TaskId)>>>);

impl Works {
    pub(crate) fn add(&self, project: ProjectId, task: TaskId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((project, task));
    }

    /// Returns all projects and tasks, also deleted and moved ones. A client that is offline does
    /// not know of such changes and sends windows for them.
    pub(crate) fn all(&self) -> Vec<(ProjectId, TaskId)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Person {
    pub(crate) fn token(&self) -> Option<String> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_token(&self, token: Option<String>) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }

    /// Returns the index of the employee's next window for the time from 2015-01-01 on.
    pub(crate) fn next_past(&self) -> u64 {
        self.past.fetch_add(1, Ordering::Relaxed)
    }
}

/// Creates an employee, activates the account with the token from the mail, and logs in.
pub(crate) async fn hire(
    client: &ApiClient,
    mailbox: &Mailbox,
    ledger: &Ledger,
    name: &str,
    is_steady: bool,
) -> Result<Person> {
    let email = format!("{name}@chaos.example");
    let body = json!({ "name": name, "email": email });
    let made = invite(client, &email, &body).await?;
    let token = mailbox.invitation(&email, None).await?;
    let invited = Invited { email: email.clone(), used: [(token.clone(), 1)].into() };
    ledger.book().invited.insert(made.id, invited);
    ledger.book().expected.deactivated.insert(made.id, Some(false));
    let body = json!({ "token": token, "password": PASSWORD });
    activate(client, &body).await?;
    let began = Instant::now();
    let token = loop {
        match client.log_in(&email, PASSWORD).await {
            Some(token) => break token,
            None if began.elapsed() > PATIENCE => bail!("{email} cannot log in"),
            None => sleep(Duration::from_millis(200)).await,
        }
    };
    Ok(Person {
        id: made.id,
        email,
        token: Mutex::new(Some(token)),
        is_steady,
        past: AtomicU64::new(0),
        sent: AtomicI64::new(0),
        recorded: AtomicI64::new(0),
    })
}

/// Invites an employee. If there was no answer, the request may have worked, so the employee is
/// searched by the address.
async fn invite(client: &ApiClient, email: &str, body: &serde_json::Value) -> Result<Employee> {
    let (began, mut unknown) = (Instant::now(), false);
    loop {
        let reply = client.call(Method::POST, "/api/v1/employee", As::Admin, Some(body)).await;
        if reply.is_ok() {
            return reply.read().context("an answer to an invitation that makes no sense");
        }
        if began.elapsed() > PATIENCE {
            bail!("{email} cannot be invited: {}", reply.words());
        }
        if reply.status == 409 && unknown {
            let all = client.call(Method::GET, "/api/v1/employee", As::Admin, None).await;
            let all: Vec<Employee> = all.read().unwrap_or_default();
            if let Some(found) = all.into_iter().find(|employee| employee.email.as_str() == email) {
                return Ok(found);
            }
        } else if reply.done() == Done::No {
            bail!("{email} cannot be invited: {}", reply.words());
        }
        unknown = true;
        sleep(Duration::from_millis(200)).await;
    }
}

/// Activates an account. If there was no answer, the request may have worked. Then a refusal of the
/// next request means that the token is used, which is a success.
async fn activate(client: &ApiClient, body: &serde_json::Value) -> Result<()> {
    let (began, mut unknown) = (Instant::now(), false);
    loop {
        let reply = client.call(Method::POST, "/api/auth/activate", As::Nobody, Some(body)).await;
        match reply.done() {
            Done::Yes => return Ok(()),
            Done::No if unknown => return Ok(()),
            Done::Unknown if began.elapsed() < PATIENCE => unknown = true,
            _ => bail!("an account cannot be activated: {}", reply.words()),
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// Creates a project with these employees.
pub(crate) async fn create_project(
    client: &ApiClient,
    ledger: &Ledger,
    name: &str,
    on: &[EmployeeId],
) -> Result<ProjectId> {
    let payroll = json!({ "*": { "billRate": 61.37, "payRate": 23.19, "overtimeBillRate": 92.01 } });
    let body = json!({ "name": name, "employees": on, "payroll": payroll });
    let project: Project = repeat_until_done(client, Method::POST, "/api/v1/project", As::Admin, &body).await?;
    ledger.book().expected.projects.insert(project.id, Some(on.iter().copied().collect()));
    Ok(project.id)
}

/// Creates a task with these employees.
pub(crate) async fn create_task(
    client: &ApiClient,
    ledger: &Ledger,
    project: ProjectId,
    name: &str,
    on: &[EmployeeId],
) -> Result<TaskId> {
    let body = json!({ "name": name, "projectId": project, "employees": on });
    let task: Task = repeat_until_done(client, Method::POST, "/api/v1/task", As::Admin, &body).await?;
    ledger.book().expected.tasks.insert(task.id, Some((project, on.iter().copied().collect())));
    Ok(task.id)
}

/// Repeats a request of the set-up as long as its answer does not say whether it was carried out.
async fn repeat_until_done<T: serde::de::DeserializeOwned>(
    client: &ApiClient,
    method: Method,
    path: &str,
    caller: As<'_>,
    body: &serde_json::Value,
) -> Result<T> {
    let began = Instant::now();
    loop {
        let reply = client.call(method.clone(), path, caller, Some(body)).await;
        if reply.is_ok() {
            return reply.read().with_context(|| format!("an answer of {path} that makes no sense"));
        }
        // A request without an answer is repeated. If the first one has created an object too,
        // nobody uses that object.
        if reply.done() == Done::No || began.elapsed() > PATIENCE {
            bail!("{path}: {}", reply.words());
        }
        sleep(Duration::from_millis(200)).await;
    }
}
