//! What the copies of other services are compared with: each page once the stream has all that it
//! says.

use std::{sync::Arc, time::Duration};

use contracts::{
    AssignmentChanged, AssignmentKey, Caller, Code, Failure, ListAssignments, ListMembers, ListProjectStates,
    ListTaskStates, MemberChanged, MemberKey, Page, ProjectChanged, ProjectId, TaskChanged, TaskId,
};
use kit::{Call, Error};

use crate::App;

/// How long the stream may take to have what a page tells.
const WAIT: Duration = Duration::from_secs(2);

fn require_service(call: &Call) -> Result<(), Failure> {
    match call.caller {
        Caller::Service => Ok(()),
        _ => Err(Failure::new(Code::Forbidden, "Only services may do this.")),
    }
}

/// All projects.
pub(crate) async fn list_project_states(
    app: Arc<App>,
    call: Call,
    ListProjectStates { after }: ListProjectStates,
) -> Result<Page<ProjectChanged, ProjectId>, Error> {
    require_service(&call)?;
    let page = app.store.projects.states(after).await?;
    app.db.until_published(WAIT).await?;
    Ok(page)
}

/// All tasks.
pub(crate) async fn list_task_states(
    app: Arc<App>,
    call: Call,
    ListTaskStates { after }: ListTaskStates,
) -> Result<Page<TaskChanged, TaskId>, Error> {
    require_service(&call)?;
    let page = app.store.tasks.states(after).await?;
    app.db.until_published(WAIT).await?;
    Ok(page)
}

/// All memberships.
pub(crate) async fn list_members(
    app: Arc<App>,
    call: Call,
    ListMembers { after }: ListMembers,
) -> Result<Page<MemberChanged, MemberKey>, Error> {
    require_service(&call)?;
    let page = app.store.members.all(after).await?;
    app.db.until_published(WAIT).await?;
    Ok(page)
}

/// All assignments.
pub(crate) async fn list_assignments(
    app: Arc<App>,
    call: Call,
    ListAssignments { after }: ListAssignments,
) -> Result<Page<AssignmentChanged, AssignmentKey>, Error> {
    require_service(&call)?;
    let page = app.store.assignments.all(after).await?;
    app.db.until_published(WAIT).await?;
    Ok(page)
}
