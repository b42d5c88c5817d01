//! The race assign-remove: an employee is assigned to a task and removed from its project at once.
//! Whichever comes first, nobody is on a task without being on its project.

use anyhow::Result;
use contracts::{EmployeeId, ProjectId, TaskId};
use rand::{RngExt, rngs::StdRng};
use reqwest::Method;
use serde_json::json;

use super::{
    answer::Answer,
    assign_deactivate::counts,
    edges::{Edges, Quiet},
    race::Race,
    start_barrier::StartBarrier,
    testbed::{As, Testbed, employee_path, project_path, task_path},
    verdict::Verdict,
};

pub(super) struct AssignRemove;

pub(super) struct Setup {
    employee: EmployeeId,
    project: ProjectId,
    task: TaskId,
}

#[derive(Debug)]
pub(super) struct Outcome {
    assign: Answer,
    remove: Answer,
    before: Edges,
    after: Quiet,
}

impl Race for AssignRemove {
    const NAME: &'static str = "assign-remove";
    const SIDES: [&'static str; 2] = ["assign", "remove"];
    type Setup = Setup;
    type Outcome = Outcome;

    async fn setup(testbed: &Testbed) -> Result<Setup> {
        let employee = testbed.employee().await?;
        let project = testbed.project(&[]).await?;
        Ok(Setup { employee, project, task: testbed.task(project, &[]).await? })
    }

    async fn round(testbed: &Testbed, setup: &mut Setup, barrier: &StartBarrier, rng: &mut StdRng) -> Result<Outcome> {
        let Setup { employee, project, task } = *setup;
        let employees = json!({ "employees": [employee] });
        testbed.set(Method::PUT, &project_path(project), &employees).await?;
        // The employee is removed either through the project's list of members, or through the
        // employee's list of projects.
        let (path, nothing) = match rng.random_bool(0.5) {
            true => (project_path(project), json!({ "employees": [] })),
            false => (employee_path(employee), json!({ "projects": [] })),
        };
        let before = Edges::read(testbed, employee, task, &[project]).await?;
        let (assign, remove) = tokio::join!(
            async {
                barrier.pass(0).await;
                testbed.ask(0, As::Admin, Method::PUT, &task_path(task), &employees).await
            },
            async {
                barrier.pass(1).await;
                testbed.ask(1, As::Admin, Method::PUT, &path, &nothing).await
            },
        );
        let after = Edges::quiet(testbed, employee, task, &[project]).await?;
        if remove.is_unknown() {
            testbed.set(Method::PUT, &project_path(project), &json!({ "employees": [] })).await?;
        }
        Ok(Outcome { assign, remove, before, after })
    }

    fn judge(outcome: &Outcome) -> Verdict {
        let Outcome { assign, remove, before, after } = outcome;
        let edges = &after.edges;
        let mut faults = after.faults.clone();
        faults.extend(assign.unpromised("who assigned", &["not_on_project"]));
        faults.extend(remove.unpromised("who removed", &[]));
        // One transaction removes the employee from the project and from the task. So the data must
        // be right at the first read too.
        if !assign.is_unknown() && !remove.is_unknown() {
            faults.extend(after.at_once.iter().map(|fault| format!("at once: {fault}")));
        }
        if remove.is_done() && (edges.members.values().any(|m| m.open) || edges.is_assigned()) {
            faults.push("whoever was removed is still there".into());
        }
        faults.extend(counts(assign, before.task_terms(), edges.task_terms()));
        let first = match (assign.is_done(), assign.is_refused()) {
            (true, _) => Some(0),
            (_, true) => Some(1),
            _ => None,
        };
        let mut notes = Vec::new();
        if after.was_late {
            notes.push("not all was said everywhere when both were answered");
        }
        if assign.is_unknown() || remove.is_unknown() {
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
            edges::tests::{bound, off},
        },
        *,
    };

    /// Returns the outcome in which the assignment came first, and was removed with the membership.
    fn good() -> Outcome {
        let (mut before, mut edges) = (bound(), bound());
        before.assignment = None;
        off(&mut edges);
        let after = Quiet { edges, at_once: vec![], was_late: false, faults: vec![] };
        Outcome { assign: answered(200, ""), remove: answered(200, ""), before, after }
    }

    #[test]
    fn either_order_is_right() {
        assert_eq!(AssignRemove::judge(&good()), Verdict { first: Some(0), ..Verdict::default() });
        let mut second = good();
        second.assign = answered(400, "not_on_project");
        second.after.edges.assignment = None;
        assert_eq!(AssignRemove::judge(&second), Verdict { first: Some(1), ..Verdict::default() });
    }

    #[test]
    fn each_rule_can_be_broken() {
        let faults = |change: fn(&mut Outcome)| {
            let mut outcome = good();
            change(&mut outcome);
            AssignRemove::judge(&outcome).faults
        };
        assert_eq!(faults(|o| o.remove = answered(404, "not_found")).len(), 1);
        assert_eq!(faults(|o| o.assign = answered(400, "employee_deactivated")).len(), 2);
        assert_eq!(faults(|o| o.after.edges = bound()), ["whoever was removed is still there"]);
        assert_eq!(faults(|o| o.after.edges.assignment = None).len(), 1, "answered and not done");
        assert_eq!(faults(|o| o.after.at_once.push("half".into())), ["at once: half"]);
        assert_eq!(faults(|o| o.after.faults.push("behind".into())), ["behind"]);
    }
}
