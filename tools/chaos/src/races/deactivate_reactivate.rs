//! The race deactivate-reactivate: an employee is deactivated and reactivated at once, and then the
//! last events about the employee are repeated in any order. A deactivated employee is on nothing,
//! and all services agree on the state.

use anyhow::Result;
use contracts::{EmployeeId, ProjectId, TaskId};
use rand::{rngs::StdRng, seq::SliceRandom};
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

pub(super) struct DeactivateReactivate;

pub(super) struct Setup {
    employee: EmployeeId,
    project: ProjectId,
    task: TaskId,
}

#[derive(Debug)]
pub(super) struct Outcome {
    deactivate: Answer,
    reactivate: Answer,
    before: Edges,
    after: Quiet,
}

impl Race for DeactivateReactivate {
    const NAME: &'static str = "deactivate-reactivate";
    const SIDES: [&'static str; 2] = ["deactivate", "reactivate"];
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
        testbed.set(Method::PUT, &task_path(task), &employees).await?;
        let before = Edges::read(testbed, employee, task, &[project]).await?;
        let [off, on] = ["deactivate", "reactivate"].map(|verb| format!("{}/{verb}", employee_path(employee)));
        let (deactivate, reactivate) = tokio::join!(
            async {
                barrier.pass(0).await;
                testbed.ask(0, As::Admin, Method::POST, &off, &Value::Null).await
            },
            async {
                barrier.pass(1).await;
                testbed.ask(1, As::Admin, Method::POST, &on, &Value::Null).await
            },
        );
        let mut order: Vec<usize> = (0..testbed.late.known(employee)).collect();
        order.shuffle(rng);
        let last = testbed.late.again(employee, &order).await?;
        testbed.late.until_taken(last).await?;
        let after = Edges::quiet(testbed, employee, task, &[project]).await?;
        if after.edges.person.deactivated_at.is_some() {
            testbed.set(Method::POST, &on, &Value::Null).await?;
        }
        Ok(Outcome { deactivate, reactivate, before, after })
    }

    fn judge(outcome: &Outcome) -> Verdict {
        let Outcome { deactivate, reactivate, before, after } = outcome;
        let edges = &after.edges;
        let mut faults = after.faults.clone();
        faults.extend(deactivate.unpromised("who deactivated", &[]));
        faults.extend(reactivate.unpromised("who reactivated", &["not_deactivated"]));
        if deactivate.is_done() {
            if edges.person.epoch != before.person.epoch + 1 {
                faults.push("a deactivation was answered and is not done once".into());
            }
            if edges.members.values().any(|m| m.open) || edges.is_assigned() {
                faults.push("a membership has outlived a deactivation".into());
            }
        }
        if !deactivate.is_unknown() && !reactivate.is_unknown() {
            if reactivate.is_done() == edges.person.deactivated_at.is_some() {
                faults.push("the employee does not stand as the answers say".into());
            }
            if edges.person.active.len() != before.person.active.len() + usize::from(reactivate.is_done()) {
                faults.push("the employee was not active as often as the answers say".into());
            }
        }
        let first = match (reactivate.is_done(), reactivate.is_refused()) {
            (true, _) => Some(0),
            (_, true) => Some(1),
            _ => None,
        };
        let is_unknown = deactivate.is_unknown() || reactivate.is_unknown();
        let notes = is_unknown.then_some("an answer that says nothing").into_iter().collect();
        Verdict { first, faults, notes }
    }
}

#[cfg(test)]
mod tests {
    use contracts::Term;

    use super::{
        super::{
            answer::tests::answered,
            edges::tests::{bound, deactivated, off},
        },
        *,
    };

    /// Returns the outcome in which the reactivation came first and was refused.
    fn good() -> Outcome {
        let mut edges = bound();
        off(&mut edges);
        deactivated(&mut edges);
        let after = Quiet { edges, at_once: vec![], was_late: false, faults: vec![] };
        let (deactivate, reactivate) = (answered(200, ""), answered(409, "not_deactivated"));
        Outcome { deactivate, reactivate, before: bound(), after }
    }

    #[test]
    fn either_order_is_right() {
        assert_eq!(DeactivateReactivate::judge(&good()), Verdict { first: Some(1), ..Verdict::default() });
        let mut other = good();
        other.reactivate = answered(200, "");
        other.after.edges.person.deactivated_at = None;
        other.after.edges.person.active.push(Term::ALWAYS);
        assert_eq!(DeactivateReactivate::judge(&other), Verdict { first: Some(0), ..Verdict::default() });
    }

    #[test]
    fn each_rule_can_be_broken() {
        let faults = |change: fn(&mut Outcome)| {
            let mut outcome = good();
            change(&mut outcome);
            DeactivateReactivate::judge(&outcome).faults
        };
        assert_eq!(faults(|o| o.deactivate = answered(409, "already_deactivated")).len(), 1);
        assert_eq!(faults(|o| o.reactivate = answered(404, "not_found")).len(), 1);
        assert_eq!(faults(|o| o.after.edges.person.epoch = 2).len(), 1);
        assert_eq!(faults(|o| o.after.edges.person.epoch = 0).len(), 1);
        assert_eq!(faults(|o| o.after.edges.members = bound().members), ["a membership has outlived a deactivation"]);
        assert_eq!(
            faults(|o| o.after.edges.assignment = bound().assignment),
            ["a membership has outlived a deactivation"]
        );
        assert_eq!(faults(|o| o.after.edges.person.deactivated_at = None).len(), 1);
        assert_eq!(faults(|o| o.after.edges.person.active.push(Term::ALWAYS)).len(), 1);
    }
}
