//! The race delete-add: a project is deleted while a member, task or assignee is added to it.
//! Whichever comes first, nothing of the project is left.

use anyhow::Result;
use bson::{Document, doc};
use contracts::{EmployeeId, ProjectId, TaskId};
use kit::mongo::value;
use rand::{RngExt, rngs::StdRng};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    answer::Answer,
    edges::{Edges, Quiet},
    race::Race,
    rows::all,
    start_barrier::StartBarrier,
    testbed::{As, Testbed, employee_path, project_path, task_path},
    verdict::Verdict,
};

pub(super) struct DeleteAdd;

pub(super) struct Setup {
    employee: EmployeeId,
}

/// What the second request adds to the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Add {
    MemberByProject,
    MemberByEmployee,
    Task,
    Assignee,
}

const ADDS: [Add; 4] = [Add::MemberByProject, Add::MemberByEmployee, Add::Task, Add::Assignee];

#[derive(Debug)]
pub(super) struct Outcome {
    what: Add,
    project: ProjectId,
    delete: Answer,
    add: Answer,
    /// The number of tasks that still belong to the project.
    tasks: usize,
    before: Edges,
    after: Quiet,
}

impl Race for DeleteAdd {
    const NAME: &'static str = "delete-add";
    const SIDES: [&'static str; 2] = ["delete", "add"];
    type Setup = Setup;
    type Outcome = Outcome;

    async fn setup(testbed: &Testbed) -> Result<Setup> {
        Ok(Setup { employee: testbed.employee().await? })
    }

    async fn round(testbed: &Testbed, setup: &mut Setup, barrier: &StartBarrier, rng: &mut StdRng) -> Result<Outcome> {
        let employee = setup.employee;
        let what = ADDS[rng.random_range(0..ADDS.len())];
        let members = if what == Add::Assignee { vec![employee] } else { vec![] };
        let project = testbed.project(&members).await?;
        let task: TaskId = testbed.task(project, &[]).await?;
        let employees = json!({ "employees": [employee] });
        let (method, path, body) = match what {
            Add::MemberByProject => (Method::PUT, project_path(project), employees),
            Add::MemberByEmployee => (Method::PUT, employee_path(employee), json!({ "projects": [project] })),
            Add::Task => (Method::POST, "/api/v1/task".to_owned(), json!({ "name": "One more", "projectId": project })),
            Add::Assignee => (Method::PUT, task_path(task), employees),
        };
        let before = Edges::read(testbed, employee, task, &[project]).await?;
        let (delete, add) = tokio::join!(
            async {
                barrier.pass(0).await;
                testbed.ask(0, As::Admin, Method::DELETE, &project_path(project), &Value::Null).await
            },
            async {
                barrier.pass(1).await;
                testbed.ask(1, As::Admin, method, &path, &body).await
            },
        );
        let after = Edges::quiet(testbed, employee, task, &[project]).await?;
        let tasks: Vec<Document> = all(&testbed.projects, "tasks", doc! { "project_id": value(&project) }).await?;
        Ok(Outcome { what, project, delete, add, tasks: tasks.len(), before, after })
    }

    fn judge(outcome: &Outcome) -> Verdict {
        let Outcome { what, project, delete, add, tasks, before, after } = outcome;
        let edges = &after.edges;
        let mut faults = after.faults.clone();
        faults.extend(delete.unpromised("who deleted", &[]));
        faults.extend(add.unpromised("who added", &["not_found", "unknown_project"]));
        if !delete.is_unknown() && !add.is_unknown() {
            faults.extend(after.at_once.iter().map(|fault| format!("at once: {fault}")));
        }
        if delete.is_done() {
            if edges.projects.values().any(Option::is_some) {
                faults.push("a project was deleted and is there".into());
            }
            if *tasks > 0 || edges.task_row.is_some() {
                faults.push("a task has outlived its project".into());
            }
            if edges.is_member(*project) || edges.is_assigned() {
                faults.push("somebody is on a project that is deleted".into());
            }
        }
        let terms = |edges: &Edges| match what {
            Add::MemberByProject | Add::MemberByEmployee => edges.member_terms(*project),
            Add::Assignee => edges.task_terms(),
            // Nobody is put on the task that is added, so there are no terms to count.
            Add::Task => 0,
        };
        let added = terms(edges) as i64 - terms(before) as i64;
        let is_right = match (add.is_done(), add.is_refused()) {
            _ if *what == Add::Task => true,
            (true, _) => added == 1,
            (_, true) => added == 0,
            _ => true,
        };
        if !is_right {
            faults.push(format!("adding was answered {} and has added {added} terms", add.status));
        }
        let first = match (add.is_done(), add.is_refused()) {
            (true, _) => Some(1),
            (_, true) => Some(0),
            _ => None,
        };
        let mut notes = Vec::new();
        if after.was_late {
            notes.push("not all was said everywhere when both were answered");
        }
        if delete.is_unknown() || add.is_unknown() {
            notes.push("an answer that says nothing");
        }
        Verdict { first, faults, notes }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            answer::tests::answered,
            edges::tests::{bound, off, project},
        },
        *,
    };

    /// Returns the outcome in which the member was added first, and then removed with the project.
    fn good() -> Outcome {
        let mut before = bound();
        before.members.clear();
        let mut edges = bound();
        off(&mut edges);
        edges.projects = [(project(1), None)].into();
        edges.task_row = None;
        let after = Quiet { edges, at_once: vec![], was_late: false, faults: vec![] };
        let (delete, add) = (answered(204, ""), answered(200, ""));
        Outcome { what: Add::MemberByProject, project: project(1), delete, add, tasks: 0, before, after }
    }

    #[test]
    fn either_order_is_right() {
        let verdict = DeleteAdd::judge(&good());
        assert_eq!((verdict.faults, verdict.first), (vec![], Some(1)));
        let mut other = good();
        other.add = answered(404, "not_found");
        other.after.edges.members.clear();
        let verdict = DeleteAdd::judge(&other);
        assert_eq!((verdict.faults, verdict.first), (vec![], Some(0)));
    }

    #[test]
    fn each_rule_can_be_broken() {
        let faults = |change: fn(&mut Outcome)| {
            let mut outcome = good();
            change(&mut outcome);
            DeleteAdd::judge(&outcome).faults
        };
        assert_eq!(faults(|o| o.delete = answered(404, "not_found")).len(), 1);
        assert_eq!(faults(|o| o.add = answered(400, "employee_deactivated")).len(), 2);
        assert_eq!(faults(|o| o.tasks = 1), ["a task has outlived its project"]);
        assert_eq!(faults(|o| o.after.edges.projects = bound().projects), ["a project was deleted and is there"]);
        assert_eq!(faults(|o| o.after.edges.members = bound().members), ["somebody is on a project that is deleted"]);
        assert_eq!(faults(|o| o.after.edges.members.clear()).len(), 1, "answered and not done");
        assert_eq!(faults(|o| o.after.at_once.push("half".into())), ["at once: half"]);
    }
}
