//! The handlers of the forms on a project's page.

use axum::response::Response;
use contracts::{DeleteProject, ProjectChanges, ProjectId, UpdateProject};
use serde::Deserialize;

use super::{
    errors,
    inputs::on_seen,
    members,
    notice::Done,
    payroll, places,
    project::{Tried, after, again},
    project_form, tasks,
    visitor::Visitor,
};
use crate::extract::{Form, LongForm, Params, PathId};

/// A form that contains only the ETag of the state that the page showed.
#[derive(Deserialize)]
pub(super) struct Seen {
    seen: Option<String>,
}

/// Changes the project's own fields.
pub(super) async fn update(
    visitor: Visitor,
    PathId(id): PathId<ProjectId>,
    params: Params,
    Form(filled): LongForm<project_form::Filled>,
) -> Response {
    let outcome = visitor
        .submit(project_form::read(&filled).map(|changes| on_seen(filled.seen.as_ref(), UpdateProject { id, changes })))
        .await;
    after(&visitor, id, &params, outcome, Done::Saved, Tried::Update(&filled)).await
}

/// Archives the project.
pub(super) async fn archive(
    visitor: Visitor,
    PathId(id): PathId<ProjectId>,
    params: Params,
    Form(form): Form<Seen>,
) -> Response {
    set_archived(&visitor, id, &params, &form, true).await
}

/// Unarchives the project.
pub(super) async fn restore(
    visitor: Visitor,
    PathId(id): PathId<ProjectId>,
    params: Params,
    Form(form): Form<Seen>,
) -> Response {
    set_archived(&visitor, id, &params, &form, false).await
}

async fn set_archived(visitor: &Visitor, id: ProjectId, params: &Params, form: &Seen, archived: bool) -> Response {
    let changes = ProjectChanges { archived: Some(archived), ..ProjectChanges::default() };
    let outcome = visitor.ask(on_seen(form.seen.as_ref(), UpdateProject { id, changes })).await;
    let done = if archived { Done::Archived } else { Done::Restored };
    after(visitor, id, params, outcome, done, Tried::Other).await
}

/// Deletes the project and its tasks.
pub(super) async fn delete(
    visitor: Visitor,
    PathId(id): PathId<ProjectId>,
    params: Params,
    Form(form): Form<Seen>,
) -> Response {
    match visitor.ask(on_seen(form.seen.as_ref(), DeleteProject { id })).await {
        Ok(()) => errors::see(&format!("{}?done={}", places::PROJECTS.path, Done::Deleted.word())),
        Err(failure) => again(&visitor, id, &params, Tried::Other, &failure).await,
    }
}

/// Adds an employee to the project.
pub(super) async fn put_on(
    visitor: Visitor,
    PathId(id): PathId<ProjectId>,
    params: Params,
    Form(chosen): Form<members::Chosen>,
) -> Response {
    let outcome = async { members::join(&visitor, id, chosen.employee()?).await };
    after(&visitor, id, &params, outcome.await, Done::PutOn, Tried::PutOn).await
}

/// Removes an employee from the project and its tasks.
pub(super) async fn take_off(
    visitor: Visitor,
    PathId(id): PathId<ProjectId>,
    params: Params,
    Form(chosen): Form<members::Chosen>,
) -> Response {
    let outcome = async { members::leave(&visitor, id, chosen.employee()?).await };
    after(&visitor, id, &params, outcome.await, Done::TakenOff, Tried::Other).await
}

/// Sets the rates of one payroll line. A line without rates is removed.
pub(super) async fn set_rates(
    visitor: Visitor,
    PathId(id): PathId<ProjectId>,
    params: Params,
    Form(filled): Form<payroll::Filled>,
) -> Response {
    let outcome = payroll::set(&visitor, id, &filled).await;
    after(&visitor, id, &params, outcome, Done::Saved, Tried::Rates(&filled)).await
}

/// Creates a task in the project.
pub(super) async fn create_task(
    visitor: Visitor,
    PathId(id): PathId<ProjectId>,
    params: Params,
    Form(filled): LongForm<tasks::Filled>,
) -> Response {
    let created = visitor.submit(tasks::read(&filled, id)).await;
    match created {
        Ok(task) => errors::see(&places::task_after(task.id, Done::TaskCreated)),
        Err(failure) => after(&visitor, id, &params, Err::<(), _>(failure), Done::Saved, Tried::Task(&filled)).await,
    }
}
