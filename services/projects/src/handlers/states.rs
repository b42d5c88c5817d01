//! The requests for all data that other services have copies of, page by page. Each page is
//! returned once the stream EVENTS has all events about it.

use std::{sync::Arc, time::Duration};

use contracts::{
    AssignmentChanged, AssignmentKey, Caller, Code, Failure, ListAssignments, ListMembers, ListProjectStates,
    ListTaskStates, MemberChanged, MemberKey, Page, ProjectChanged, ProjectId, TaskChanged, TaskId,
};
use kit::{Call, Error};

use crate::App;

/// How long to wait until the stream EVENTS has all events about a page.
const WAIT: Duration = Duration::from_secs(2);

/// Returns a page of all projects.
pub(crate) async fn list_project_states(
    app: Arc<App>,
    call: Call,
    ListProjectStates { after }: ListProjectStates,
) -> Result<Page<ProjectChanged, ProjectId>, Error> {
    require_service(&call)?;
    once_published(&app, app.store.projects.states(after).await?).await
}

/// Returns a page of all tasks.
pub(crate) async fn list_task_states(
    app: Arc<App>,
    call: Call,
    ListTaskStates { after }: ListTaskStates,
) -> Result<Page<TaskChanged, TaskId>, Error> {
    require_service(&call)?;
    once_published(&app, app.store.tasks.states(after).await?).await
}

/// Returns a page of all edges between projects and employees.
pub(crate) async fn list_members(
    app: Arc<App>,
    call: Call,
    ListMembers { after }: ListMembers,
) -> Result<Page<MemberChanged, MemberKey>, Error> {
    require_service(&call)?;
    once_published(&app, app.store.members.all(after).await?).await
}

/// Returns a page of all edges between tasks and employees.
pub(crate) async fn list_assignments(
    app: Arc<App>,
    call: Call,
    ListAssignments { after }: ListAssignments,
) -> Result<Page<AssignmentChanged, AssignmentKey>, Error> {
    require_service(&call)?;
    once_published(&app, app.store.assignments.all(after).await?).await
}

fn require_service(call: &Call) -> Result<(), Failure> {
    match call.caller {
        Caller::Service => Ok(()),
        _ => Err(Failure::new(Code::Forbidden, "Only services may do this.")),
    }
}

/// Returns a page once the stream EVENTS has all events about it.
async fn once_published<T>(app: &App, page: T) -> Result<T, Error> {
    app.db.until_published(WAIT).await?;
    Ok(page)
}
