//! The race assign-deactivate: an employee is assigned and deactivated at once. Whichever comes
//! first, the deactivated employee is on nothing.

use anyhow::Result;
use contracts::{EmployeeId, ProjectId, TaskId};
use rand::{RngExt, rngs::StdRng};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    answer::Answer,
    edges::{Edges, Quiet},
    race::Race,
    start_barrier::StartBarrier,
    testbed::{As, Testbed, employee_path, project_path, task_path},
    verdict::Verdict,
};

pub(super) struct AssignDeactivate;

pub(super) struct Setup {
    employee: EmployeeId,
    project: ProjectId,
    task: TaskId,
    is_new: bool,
}

#[derive(Debug)]
pub(super) struct Outcome {
    /// Whether the employee was put on the task. Otherwise the employee was put on the project.
    on_task: bool,
    assign: Answer,
    deactivate: Answer,
    before: Edges,
    after: Quiet,
}

impl Race for AssignDeactivate {
    const NAME: &'static str = "assign-deactivate";
    const SIDES: [&'static str; 2] = ["assign", "deactivate"];
    type Setup = Setup;
    type Outcome = Outcome;

    async fn setup(testbed: &Testbed) -> Result<Setup> {
        let employee = testbed.employee().await?;
        let project = testbed.project(&[]).await?;
        Ok(Setup { employee, project, task: testbed.task(project, &[]).await?, is_new: true })
    }

    async fn round(testbed: &Testbed, setup: &mut Setup, barrier: &StartBarrier, rng: &mut StdRng) -> Result<Outcome> {
        let Setup { employee, project, task, .. } = *setup;
        let on_task = rng.random_bool(0.5);
        if !std::mem::take(&mut setup.is_new) {
            testbed.set(Method::POST, &format!("{}/reactivate", employee_path(employee)), &Value::Null).await?;
        }
        let employees = json!({ "employees": [employee] });
        let mut path = project_path(project);
        if on_task {
            testbed.set(Method::PUT, &path, &employees).await?;
            path = task_path(task);
        }
        let before = Edges::read(testbed, employee, task, &[project]).await?;
        let deactivate = format!("{}/deactivate", employee_path(employee));
        let (assign, deactivate) = tokio::join!(
            async {
                barrier.pass(0).await;
                testbed.ask(0, As::Admin, Method::PUT, &path, &employees).await
            },
            async {
                barrier.pass(1).await;
                testbed.ask(1, As::Admin, Method::POST, &deactivate, &Value::Null).await
            },
        );
        if deactivate.is_unknown() {
            // The next round must find the employee deactivated, so the request is sent once more.
            let _ = testbed
                .ask(1, As::Admin, Method::POST, &format!("{}/deactivate", employee_path(employee)), &Value::Null)
                .await;
        }
        let after = Edges::quiet(testbed, employee, task, &[project]).await?;
        Ok(Outcome { on_task, assign, deactivate, before, after })
    }

    fn judge(outcome: &Outcome) -> Verdict {
        let Outcome { on_task, assign, deactivate, before, after } = outcome;
        let edges = &after.edges;
        let mut faults = after.faults.clone();
        faults.extend(assign.unpromised("who assigned", &["employee_deactivated", "not_on_project"]));
        faults.extend(deactivate.unpromised("who deactivated", &[]));
        if deactivate.is_done() {
            if edges.person.deactivated_at.is_none() || edges.person.epoch != before.person.epoch + 1 {
                faults.push("a deactivation was answered and is not done once".into());
            }
            if !edges.person.projects.is_empty() || edges.members.values().any(|m| m.open) || edges.is_assigned() {
                faults.push("whoever was deactivated is on something".into());
            }
        }
        let terms = |edges: &Edges| match on_task {
            true => edges.task_terms(),
            false => edges.members.values().map(|m| m.terms.len()).sum(),
        };
        faults.extend(counts(assign, terms(before), terms(edges)));
        let first = match (assign.is_done(), assign.is_refused()) {
            (true, _) => Some(0),
            (_, true) => Some(1),
            _ => None,
        };
        let mut notes = Vec::new();
        if after.was_late {
            notes.push("not all was said everywhere when both were answered");
        }
        if assign.is_unknown() || deactivate.is_unknown() {
            notes.push("an answer that says nothing");
        }
        Verdict { first, faults, notes }
    }
}

/// Returns a sentence if the number of terms is wrong. A successful assignment adds one term, and a
/// refused one adds none.
pub(super) fn counts(assign: &Answer, before: usize, after: usize) -> Option<String> {
    let is_right = match (assign.is_done(), assign.is_refused()) {
        (true, _) => after == before + 1,
        (_, true) => after == before,
        _ => after == before || after == before + 1,
    };
    (!is_right).then(|| format!("the assignment was answered {}, and of {before} terms became {after}", assign.status))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            answer::tests::answered,
            edges::tests::{bound, deactivated, off},
        },
        *,
    };

    /// Returns the outcome in which the assignment came first, and the deactivation removed it.
    fn good() -> Outcome {
        let mut before = bound();
        off(&mut before);
        before.members.clear();
        let mut edges = bound();
        off(&mut edges);
        deactivated(&mut edges);
        let after = Quiet { edges, at_once: vec![], was_late: false, faults: vec![] };
        Outcome { on_task: false, assign: answered(200, ""), deactivate: answered(200, ""), before, after }
    }

    #[test]
    fn either_order_is_right() {
        let first = good();
        let verdict = AssignDeactivate::judge(&first);
        assert_eq!((verdict.faults, verdict.first), (vec![], Some(0)));
        let mut second = good();
        second.assign = answered(400, "employee_deactivated");
        second.before = second.after.edges.clone();
        second.before.person.epoch = 0;
        let verdict = AssignDeactivate::judge(&second);
        assert_eq!((verdict.faults, verdict.first), (vec![], Some(1)));
    }

    #[test]
    fn each_rule_can_be_broken() {
        let faults = |change: fn(&mut Outcome)| {
            let mut outcome = good();
            change(&mut outcome);
            AssignDeactivate::judge(&outcome).faults
        };
        assert_eq!(faults(|o| o.deactivate = answered(500, "internal")).len(), 1);
        assert_eq!(faults(|o| o.assign = answered(404, "not_found")).len(), 2, "a refusal that wrote something");
        assert_eq!(faults(|o| o.after.edges.person.deactivated_at = None).len(), 1);
        assert_eq!(faults(|o| o.after.edges.person.epoch = 2).len(), 1, "twice");
        assert_eq!(
            faults(|o| o.after.edges = {
                let mut e = bound();
                deactivated(&mut e);
                e
            })
            .len(),
            1,
            "not swept"
        );
        assert_eq!(faults(|o| o.after.edges.members.clear()).len(), 1, "answered and not done");
        assert_eq!(faults(|o| o.after.faults.push("behind".into())), ["behind"]);
    }
}
