//! One task: its assignees and project, and changing it.

use axum::response::Response;
use contracts::{
    DeleteTask, EmployeeId, Failure, GetProject, GetTask, Given, Label, ListProjects, Name, Note, Project, ProjectId,
    Resource, Scope, Tag, Task, TaskChanges, TaskId, UpdateTask,
};
use futures::try_join;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    employee_names, errors,
    inputs::{Input, Misfits, alert, beside, note, on_seen, seen, stored, text, tick},
    members::{Chosen, chooser},
    notice::{Done, notice},
    places,
    sums::MOST,
    tasks::usual,
    visitor::Visitor,
};
use crate::{
    extract::{Form, LongForm, Params, PathId},
    names::{Ids, Told},
};

/// The form with the task's own fields.
#[derive(Default, Deserialize)]
pub(super) struct Filled {
    seen: Option<String>,
    name: Option<String>,
    description: Option<String>,
    billable: Option<String>,
    status: Option<String>,
    priority: Option<String>,
}

/// The form with the new project.
#[derive(Deserialize)]
pub(super) struct Target {
    project: Option<String>,
}

/// A form with only the tag of the shown state.
#[derive(Deserialize)]
pub(super) struct Seen {
    seen: Option<String>,
}

/// The submitted form of the page.
#[derive(Clone, Copy)]
enum Tried<'a> {
    Update(&'a Filled),
    PutOn,
    Move,
    Other,
}

type Attempt<'a> = Option<(Tried<'a>, &'a Failure)>;

/// Shows the page.
pub(super) async fn show(visitor: Visitor, PathId(id): PathId<TaskId>, params: Params) -> Response {
    match content(&visitor, id, &params, None).await {
        Ok((name, content)) => visitor.titled(&places::TASK, &name, Ok(content)),
        Err(failure) => visitor.failed(&failure),
    }
}

/// Changes the task itself.
pub(super) async fn update(
    visitor: Visitor,
    PathId(id): PathId<TaskId>,
    params: Params,
    Form(filled): LongForm<Filled>,
) -> Response {
    let outcome = match read(&filled) {
        Ok(changes) => visitor.ask(on_seen(filled.seen.as_ref(), UpdateTask { id, changes })).await,
        Err(failure) => Err(failure),
    };
    after(&visitor, id, &params, outcome, Done::Saved, Tried::Update(&filled)).await
}

fn read(filled: &Filled) -> Result<TaskChanges, Failure> {
    let mut misfits = Misfits::default();
    let name = misfits.take("name", Name::given(text(&filled.name)));
    let description = misfits.take("description", note(text(&filled.description)));
    let status = misfits.take("status", Label::given(text(&filled.status)));
    let priority = misfits.take("priority", Label::given(text(&filled.priority)));
    misfits.check()?;
    let billable = Some(filled.billable.is_some());
    Ok(TaskChanges { name, project_id: None, description, billable, employees: None, status, priority })
}

/// Puts a member of the project, or all of them, on the task.
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

/// Puts somebody on a task, unless they are on it.
pub(super) async fn join(visitor: &Visitor, id: TaskId, employee: EmployeeId) -> Result<Task, Failure> {
    let task = visitor.ask(GetTask { id }).await?;
    let mut employees = task.employees.clone();
    if !employees.contains(&employee) {
        employees.push(employee);
    }
    change(visitor, &task, TaskChanges { employees: Some(employees), ..TaskChanges::default() }).await
}

/// Takes somebody off the task.
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

/// Moves the task to another project, with its assignees who are on that project.
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

/// The changes that come with another project.
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

/// Changes a task with the condition that it has not changed since it was read, so that no concurrent change is
/// lost.
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
        // The reader continues at its project.
        let task = visitor.ask(GetTask { id }).await?;
        visitor.ask(on_seen(form.seen.as_ref(), DeleteTask { id })).await?;
        Ok(task.project_id)
    };
    match outcome.await {
        Ok(project) => errors::see(&places::project_after(project, Done::Deleted)),
        Err(failure) => again(&visitor, id, &params, Tried::Other, &failure).await,
    }
}

async fn after<T>(
    visitor: &Visitor,
    id: TaskId,
    params: &Params,
    outcome: Result<T, Failure>,
    done: Done,
    tried: Tried<'_>,
) -> Response {
    match outcome {
        Ok(_) => errors::see(&places::task_after(id, done)),
        Err(failure) => again(visitor, id, params, tried, &failure).await,
    }
}

async fn again(visitor: &Visitor, id: TaskId, params: &Params, tried: Tried<'_>, failure: &Failure) -> Response {
    let content = content(visitor, id, params, Some((tried, failure))).await;
    visitor.titled_again(&places::TASK, failure, content)
}

/// The data of the page.
struct Shown<'a> {
    visitor: &'a Visitor,
    task: &'a Task,
    tag: Tag,
    project: &'a Project,
    told: &'a Told,
    attempt: Attempt<'a>,
}

async fn content(
    visitor: &Visitor,
    id: TaskId,
    params: &Params,
    attempt: Attempt<'_>,
) -> Result<(String, Markup), Failure> {
    let may_change = visitor.may(Scope::write(Resource::Tasks));
    let projects = async {
        let may = may_change && visitor.may(Scope::read(Resource::Projects));
        if may { visitor.first(ListProjects::default(), MOST).await } else { Ok(Default::default()) }
    };
    let (task, (projects, _)) = try_join!(visitor.ask(GetTask { id }), projects)?;
    let project = visitor.ask(GetProject { id: task.project_id }).await?;
    let employees = project.employees.iter().chain(&task.employees).copied().collect();
    let told = visitor.names(Ids { employees, ..Ids::default() }).await;
    let shown = Shown { visitor, task: &task, tag: task.tag(), project: &project, told: &told, attempt };
    let content = html! {
        (notice(params))
        (alert(attempt.map(|(_, failure)| failure)))
        (shown.state())
        (shown.people(may_change))
        @if may_change { (shown.change()) (shown.elsewhere(&projects)) (shown.end()) }
    };
    Ok((task.name.to_string(), content))
}

impl Shown<'_> {
    fn action(&self, word: &str) -> String {
        self.visitor.address(&format!("{}/{word}", places::task(self.task.id)))
    }

    fn state(&self) -> Markup {
        let (visitor, task, project) = (self.visitor, self.task, self.project);
        let report = format!("{}?groupBy=employee&taskId={}", visitor.address(places::REPORTS.path), task.id);
        html! {
            p {
                span.tag { (task.status) } " " span.tag { "Priority " (task.priority) } " "
                span.tag { @if task.billable { "Billed" } @else { "Not billed" } }
                " of "
                @if visitor.may_open(places::PROJECT.access) {
                    a href=(visitor.address(&places::project(project.id))) { (project.name) }
                } @else { (project.name) }
                @if project.archived { " " span.tag { "Archived" } " It takes no new time." }
            }
            @if let Some(description) = &task.description {
                @for line in description.as_str().lines().filter(|line| !line.trim().is_empty()) { p { (line) } }
            }
            @if visitor.may_open(places::REPORTS.access) { p { a href=(report) { "The hours of this month on it" } } }
        }
    }

    fn people(&self, may_change: bool) -> Markup {
        let (visitor, task, told) = (self.visitor, self.task, self.told);
        let list = html! {
            ul.cards { @for id in employee_names::sorted(told, &task.employees) { li.row {
                span { (visitor.person(id, employee_names::name(told, id))) }
                @if may_change {
                    button.quiet type="submit" name="employee" value=(id) { "Take off" span.unseen { ": " (employee_names::name(told, id)) } }
                }
            } } }
        };
        let failure = match self.attempt {
            Some((Tried::PutOn, failure)) => Some(failure),
            _ => None,
        };
        let others: Vec<EmployeeId> =
            self.project.employees.iter().copied().filter(|id| !task.employees.contains(id)).collect();
        let mut options: Vec<(String, String)> = employee_names::sorted(told, &others)
            .into_iter()
            .map(|id| (id.to_string(), employee_names::name(told, id).to_owned()))
            .collect();
        if options.len() > 1 {
            options.push(("*".to_owned(), "Everybody on the project".to_owned()));
        }
        html! {
            section #people {
                h2 { "People" }
                @if task.employees.is_empty() {
                    p.empty { "Nobody is on it yet, so nobody can track on it." }
                } @else if may_change {
                    form method="post" action=(self.action("take-off")) { (list) }
                } @else { (list) }
                @if may_change {
                    @if self.project.employees.is_empty() {
                        p.hint {
                            "Only who is on the project can be put on it, and nobody is: "
                            a href=(visitor.address(&places::project(self.project.id))) { "put people on " (self.project.name) } " first."
                        }
                    } @else if options.is_empty() && failure.is_none() {
                        p.hint { "Everybody on the project is on it." }
                    } @else {
                        form method="post" action=(self.action("put-on")) { (chooser("Put on the task", options, failure)) }
                    }
                }
            }
        }
    }

    fn change(&self) -> Markup {
        let (task, form) = (self.task, "task");
        let (filled, failure) = match self.attempt {
            Some((Tried::Update(filled), failure)) => (Some(filled), Some(failure)),
            _ => (None, None),
        };
        let of = |of: fn(&Filled) -> &Option<String>, stored: &str| {
            filled.map_or_else(|| stored.to_owned(), |filled| text(of(filled)).to_owned())
        };
        let now = [
            task.name.as_str(),
            task.description.as_ref().map_or("", Note::as_str),
            task.status.as_str(),
            task.priority.as_str(),
        ];
        let values = [
            of(|f| &f.name, now[0]),
            of(|f| &f.description, now[1]),
            of(|f| &f.status, now[2]),
            of(|f| &f.priority, now[3]),
        ];
        let hints: Vec<Option<String>> =
            values.iter().zip(now).map(|(value, now)| stored(failure, value, now)).collect();
        let input = |n: usize, name, label| {
            let hint = hints[n].as_deref();
            Input { form, name, label, value: &values[n], error: beside(failure, name), hint }
        };
        html! {
            section #change {
                h2 { "Change it" }
                form method="post" action=(self.action("update")) {
                    (seen(&self.tag))
                    (input(0, "name", "Name").line())
                    (input(1, "description", "Description").lines(3))
                    (input(2, "status", "Status").word(&self.project.statuses))
                    (input(3, "priority", "Priority").word(&self.project.priorities))
                    (tick("billable", "Its work is billed", filled.map_or(task.billable, |f| f.billable.is_some())))
                    p { button type="submit" { "Save" } }
                }
            }
        }
    }

    fn elsewhere(&self, projects: &[Project]) -> Markup {
        let mut others: Vec<&Project> = projects.iter().filter(|project| project.id != self.task.project_id).collect();
        others.sort_by_cached_key(|project| (project.name.as_str().to_lowercase(), project.id));
        if others.is_empty() {
            return html! {};
        }
        let failure = match self.attempt {
            Some((Tried::Move, failure)) => Some(failure),
            _ => None,
        };
        let mut options = vec![(String::new(), "Choose a project".to_owned())];
        options.extend(others.iter().map(|project| (project.id.to_string(), project.name.to_string())));
        let input = Input {
            form: "move",
            name: "project",
            label: "Move it to",
            value: "",
            error: beside(failure, "project"),
            hint: Some(
                "Whoever is not on that project is off the task then. A status or priority that it does not have \
                 becomes its usual one. Recorded hours stay with the project that they were worked for.",
            ),
        };
        html! {
            section {
                h2 { "Another project" }
                form method="post" action=(self.action("move")) {
                    (input.choice(&options))
                    p { button.quiet type="submit" { "Move" } }
                }
            }
        }
    }

    fn end(&self) -> Markup {
        html! {
            section {
                h2 { "Delete it" }
                details {
                    summary { "Delete " (self.task.name) "…" }
                    form method="post" action=(self.action("delete")) {
                        (seen(&self.tag))
                        p { "Its people are off it at once, nobody can track on it, and nothing brings it back. Recorded hours stay, and reports still show them under its name." }
                        p { button.grave type="submit" { "Delete the task" } }
                    }
                }
            }
        }
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
