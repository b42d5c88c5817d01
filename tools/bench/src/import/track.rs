//! Posts the windows of the sheet in single requests, as the desktop app does.

use anyhow::{Context, Result};
use contracts::{Label, ProjectId, TaskId, WindowSent};
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::Method;

use super::people::Person;
use super::plan::{Plan, PlannedWindow};
use crate::client::{Client, Retry};
use crate::progress::{Phase, Progress};

/// Posts all windows in the order of their starts, several at a time.
///
/// The windows have no id. The system computes it from the content, so a repeated window is
/// recorded once.
///
/// # Errors
/// When a window is refused, or temporary failures last longer than two minutes.
pub async fn windows(
    client: &Client,
    plan: &Plan,
    people: &[Person],
    projects: &[ProjectId],
    tasks: &[TaskId],
    connections: usize,
) -> Result<Phase> {
    let computers = people.iter().map(Computer::of).collect::<Result<Vec<_>>>()?;
    let progress = Progress::of("windows", plan.windows.len());
    stream::iter(&plan.windows)
        .map(Ok)
        .try_for_each_concurrent(connections, |window| {
            let PlannedWindow { developer, task, start, .. } = *window;
            let sent = computers[developer].window(window, projects[plan.tasks[task].project], tasks[task]);
            let post = client.request(Method::POST, "/api/v1/time-entries").json(&sent);
            let post = post.header("Authorization", &people[developer].authorization);
            let progress = &progress;
            async move {
                let answer = client.send(post, Retry::Always).await.and_then(|answer| answer.check());
                answer.with_context(|| format!("the window of task {} at {start}", plan.tasks[task].number))?;
                progress.one();
                anyhow::Ok(())
            }
        })
        .await?;
    Ok(progress.done())
}

/// The fields of a developer's computer that each window contains.
struct Computer {
    name: Label,
    user: Label,
    os: Label,
    os_version: Label,
}

impl Computer {
    fn of(person: &Person) -> Result<Self> {
        let name = Label::parse(&format!("{}-pc", person.user))?;
        Ok(Self { name, user: Label::parse(&person.user)?, os: Label::parse("linux")?, os_version: Label::parse("6")? })
    }

    fn window(&self, window: &PlannedWindow, project_id: ProjectId, task_id: TaskId) -> WindowSent {
        WindowSent {
            id: None,
            start: window.start,
            end: window.end,
            timezone_offset: 0,
            project_id,
            task_id,
            task_status: None,
            task_priority: None,
            note: None,
            computer: self.name.clone(),
            user: self.user.clone(),
            domain: None,
            os: self.os.clone(),
            os_version: self.os_version.clone(),
            hwid: self.name.clone(),
            shift_id: None,
            kind: None,
        }
    }
}
