//! The handlers of the forms on a task's page.

use axum::response::Response;
use contracts::{
    DeleteTask, EmployeeId, Failure, GetProject, GetTask, Label, Project, ProjectId, Task, TaskChanges, TaskId,
    UpdateTask,
};
use futures::try_join;
use serde::Deserialize;

use super::{
    errors,
    inputs::{on_seen, text},
    members::Chosen,
    notice::Done,
    places,
    task::{Tried, after, again},
    task_form,
    tasks::usual,
    visitor::Visitor,
};
use crate::extract::{Form, LongForm, Params, PathId};

/// The form with the project to which the task is to be moved.
#[derive(Deserialize)]
pub(super) struct Target {
    project: Option<String>,
}

/// A form that contains only the ETag of the state that the page showed.
#[derive(Deserialize)]
pub(super) struct Seen {
    seen: Option<String>,
}

/// Changes the task's own fields.
pub(super) async fn update(
    visitor: Visitor,
    PathId(id): PathId<TaskId>,
    params: Params,
    Form(filled): LongForm<task_form::Filled>,
) -> Response {
    let outcome = visitor
        .submit(task_form::read(&filled).map(|changes| on_seen(filled.seen.as_ref(), UpdateTask { id, changes })))
        .await;
    after(&visitor, id, &params, outcome, Done::Saved, Tried::Update(&filled)).await
}

/// Adds a member of the project to the task, or all members.
pub(super) async fn put_on(
    visitor: Visitor,
    PathId(id): PathId<TaskId>,
    params: Params,
    Form(chosen): Form<Chosen>,
) -> Response {
    let outcome = put(&visitor, id, &chosen).await;
    after(&visitor, id, &params, outcome, Done::PutOn, Tried::PutOn).await
}

async fn put(visitor: &Visitor, id: TaskId, chosen: &Chosen) -> Result<Task, Failure> {
    if !chosen.is_everybody() {
        return join(visitor, id, chosen.employee()?).await;
    }
    let task = visitor.ask(GetTask { id }).await?;
    let everybody = visitor.ask(GetProject { id: task.project_id }).await?.employees;
    change(visitor, &task, TaskChanges { employees: Some(everybody), ..TaskChanges::default() }).await
}

/// Adds an employee to a task, unless they are assigned already.
pub(super) async fn join(visitor: &Visitor, id: TaskId, employee: EmployeeId) -> Result<Task, Failure> {
    let task = visitor.ask(GetTask { id }).await?;
    let mut employees = task.employees.clone();
    if !employees.contains(&employee) {
        employees.push(employee);
    }
    change(visitor, &task, TaskChanges { employees: Some(employees), ..TaskChanges::default() }).await
}

/// Removes an employee from the task.
pub(super) async fn take_off(
    visitor: Visitor,
    PathId(id): PathId<TaskId>,
    params: Params,
    Form(chosen): Form<Chosen>,
) -> Response {
    let outcome = async {
        let employee = chosen.employee()?;
        let task = visitor.ask(GetTask { id }).await?;
        let employees = task.employees.iter().copied().filter(|other| *other != employee).collect();
        change(&visitor, &task, TaskChanges { employees: Some(employees), ..TaskChanges::default() }).await
    };
    after(&visitor, id, &params, outcome.await, Done::TakenOff, Tried::Other).await
}

/// Moves the task to another project. Only assignees who are members of that project stay assigned.
pub(super) async fn move_to(
    visitor: Visitor,
    PathId(id): PathId<TaskId>,
    params: Params,
    Form(target): Form<Target>,
) -> Response {
    let outcome = moved(&visitor, id, &target).await;
    after(&visitor, id, &params, outcome, Done::Moved, Tried::Move).await
}

async fn moved(visitor: &Visitor, id: TaskId, target: &Target) -> Result<Task, Failure> {
    let misfit = |_| Failure::field("project", "must be a project from the list");
    let target: ProjectId = text(&target.project).parse().map_err(misfit)?;
    let (task, project) = try_join!(visitor.ask(GetTask { id }), async {
        let missing = |failure: Failure| match failure.code {
            contracts::Code::NotFound => Failure::field("project", "is no longer there"),
            _ => failure,
        };
        visitor.ask(GetProject { id: target }).await.map_err(missing)
    })?;
    change(visitor, &task, moving(&task, &project)).await
}

/// The changes of a task that is moved to another project: the project itself, the assignees who
/// stay, and words for status and priority that the project has.
fn moving(task: &Task, project: &Project) -> TaskChanges {
    let kept = |word: &Label, words: &[Label], unless: &str| {
        let wanted = if words.contains(word) { word.as_str() } else { usual(words, unless) };
        words.iter().find(|word| word.as_str() == wanted).cloned()
    };
    let employees = task.employees.iter().copied().filter(|id| project.employees.contains(id)).collect();
    TaskChanges {
        project_id: Some(project.id),
        employees: Some(employees),
        status: kept(&task.status, &project.statuses, "To Do"),
        priority: kept(&task.priority, &project.priorities, "Medium"),
        ..TaskChanges::default()
    }
}

/// Changes a task on the condition that it has not changed since it was read. A concurrent change
/// makes this one fail, and is not overwritten.
async fn change(visitor: &Visitor, task: &Task, changes: TaskChanges) -> Result<Task, Failure> {
    let tag = task.tag().as_str().to_owned();
    visitor.ask(on_seen(Some(&tag), UpdateTask { id: task.id, changes })).await
}

/// Deletes the task.
pub(super) async fn delete(
    visitor: Visitor,
    PathId(id): PathId<TaskId>,
    params: Params,
    Form(form): Form<Seen>,
) -> Response {
    let outcome = async {
        // The task is read first, because after the deletion the browser is redirected to its
        // project.
        let task = visitor.ask(GetTask { id }).await?;
        visitor.ask(on_seen(form.seen.as_ref(), DeleteTask { id })).await?;
        Ok(task.project_id)
    };
    match outcome.await {
        Ok(project) => errors::see(&places::project_after(project, Done::Deleted)),
        Err(failure) => again(&visitor, id, &params, Tried::Other, &failure).await,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn task(employees: [u128; 2], status: &str) -> Task {
        let id = |n| Uuid::from_u128(n);
        serde_json::from_value(json!({
            "id": id(1), "name": "Task", "projectId": id(2), "description": null, "billable": true,
            "employees": employees.map(id), "status": status, "priority": "High", "creatorId": "admin",
            "organizationId": "default-org", "createdAt": 0,
        }))
        .expect("a task")
    }

    fn project(employees: [u128; 2], statuses: [&str; 2]) -> Project {
        let id = |n| Uuid::from_u128(n);
        serde_json::from_value(json!({
            "id": id(3), "name": "Project", "description": null, "billable": true, "employees": employees.map(id),
            "screenshotSettings": { "screenshotEnabled": false }, "payroll": {}, "creatorId": "admin",
            "organizationId": "default-org", "archived": false, "statuses": statuses, "priorities": ["High"],
            "createdAt": 0,
        }))
        .expect("a project")
    }

    #[test]
    fn a_move_keeps_the_people_and_words_that_the_other_project_has() {
        for (status, statuses, expected) in [
            ("Done", ["To Do", "Done"], "Done"),
            ("Done", ["Open", "To Do"], "To Do"),
            ("Done", ["Open", "Shut"], "Open"),
        ] {
            let changes = moving(&task([7, 8], status), &project([8, 9], statuses));
            assert_eq!(changes.status.as_ref().map(Label::as_str), Some(expected));
            assert_eq!(changes.priority.as_ref().map(Label::as_str), Some("High"));
            assert_eq!(changes.employees, Some(vec![EmployeeId(Uuid::from_u128(8))]));
        }
    }
}
