//! The race reactivate-assign: an employee is reactivated and at once assigned, while earlier
//! events about the employee are published again. The new assignment stays.

use anyhow::Result;
use contracts::{EmployeeId, ProjectId, TaskId};
use rand::{RngExt, rngs::StdRng, seq::SliceRandom};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use super::{
    answer::Answer,
    edges::{Edges, Quiet},
    race::Race,
    start_barrier::StartBarrier,
    testbed::{As, Testbed, employee_path, project_path, task_path},
    verdict::Verdict,
};

pub(super) struct ReactivateAssign;

pub(super) struct Setup {
    employee: EmployeeId,
    project: ProjectId,
    task: TaskId,
    /// Other projects of the employee. They make the removal of all memberships take longer.
    others: Vec<ProjectId>,
}

#[derive(Debug)]
pub(super) struct Outcome {
    /// Whether the reactivation was sent while memberships were still being ended.
    in_sweep: bool,
    reactivate: Answer,
    assign: Answer,
    on_task: Answer,
    /// When all repeated events were published, in microseconds since the start of the system.
    late: u64,
    others: Vec<ProjectId>,
    after: Quiet,
}

const OTHERS: usize = 3;
/// How often the reactivation is tried until the deactivation is done.
const TRIES: usize = 200;

impl Race for ReactivateAssign {
    const NAME: &'static str = "reactivate-assign";
    const SIDES: [&'static str; 2] = ["assign", "late events"];
    type Setup = Setup;
    type Outcome = Outcome;

    async fn setup(testbed: &Testbed) -> Result<Setup> {
        let employee = testbed.employee().await?;
        let project = testbed.project(&[employee]).await?;
        let task = testbed.task(project, &[employee]).await?;
        let mut others = Vec::new();
        for _ in 0..OTHERS {
            others.push(testbed.project(&[]).await?);
        }
        Ok(Setup { employee, project, task, others })
    }

    async fn round(testbed: &Testbed, setup: &mut Setup, barrier: &StartBarrier, rng: &mut StdRng) -> Result<Outcome> {
        let Setup { employee, project, task, others } = &*setup;
        let (employee, project, task) = (*employee, *project, *task);
        let all: Vec<ProjectId> = others.iter().chain([&project]).copied().collect();
        testbed.set(Method::PUT, &employee_path(employee), &json!({ "projects": all })).await?;
        let [off, on] = ["deactivate", "reactivate"].map(|verb| format!("{}/{verb}", employee_path(employee)));
        let in_sweep = rng.random_bool(0.5);
        let before = Edges::read(testbed, employee, task, &all).await?.person.epoch;
        if !in_sweep {
            testbed.set(Method::POST, &off, &Value::Null).await?;
        }
        let mut order: Vec<usize> = (0..testbed.late.known(employee)).collect();
        order.shuffle(rng);
        let employees = json!({ "employees": [employee] });
        let back_again = async {
            barrier.pass(0).await;
            let mut reactivate = Answer::default();
            for _ in 0..TRIES {
                reactivate = testbed.ask(0, As::Admin, Method::POST, &on, &Value::Null).await;
                if reactivate.code != "not_deactivated" {
                    break;
                }
                sleep(Duration::from_millis(2)).await;
            }
            let assign = testbed.ask(0, As::Admin, Method::PUT, &project_path(project), &employees).await;
            (reactivate, assign, testbed.ask(0, As::Admin, Method::PUT, &task_path(task), &employees).await)
        };
        let late = async {
            barrier.pass(1).await;
            let last = testbed.late.again(employee, &order).await?;
            anyhow::Ok((last, testbed.micros()))
        };
        // This request is sent once, because a second one would deactivate the reactivated employee
        // again.
        let ended = async {
            if in_sweep {
                testbed.ask(1, As::Admin, Method::POST, &off, &Value::Null).await;
            }
        };
        let ((reactivate, assign, on_task), late, ()) = tokio::join!(back_again, late, ended);
        let (last, late) = late?;
        testbed.late.until_taken(last).await?;
        let after = Edges::quiet(testbed, employee, task, &all).await?;
        if after.edges.person.deactivated_at.is_some() {
            testbed.set(Method::POST, &on, &Value::Null).await?;
        }
        anyhow::ensure!(
            after.edges.person.epoch == before + 1,
            "the scene was not set: it was deactivated {} times",
            after.edges.person.epoch - before
        );
        Ok(Outcome { in_sweep, reactivate, assign, on_task, late, others: others.clone(), after })
    }

    fn judge(outcome: &Outcome) -> Verdict {
        let Outcome { in_sweep, reactivate, assign, on_task, late, others, after } = outcome;
        let edges = &after.edges;
        let mut faults = after.faults.clone();
        faults.extend(reactivate.unpromised("who reactivated", &[]));
        if reactivate.is_done() {
            faults.extend(assign.unpromised("who assigned to the project", &[]));
        }
        if assign.is_done() {
            faults.extend(on_task.unpromised("who assigned to the task", &[]));
            let project = edges.task_row.as_ref().map(|task| task.project_id);
            if !project.is_some_and(|project| edges.is_member(project)) {
                faults.push("a membership from after the reactivation is gone".into());
            }
        }
        if on_task.is_done() && !edges.is_assigned() {
            faults.push("an assignment from after the reactivation is gone".into());
        }
        if reactivate.is_done() && edges.person.deactivated_at.is_some() {
            faults.push("a reactivation was answered and is not done".into());
        }
        if others.iter().any(|other| edges.is_member(*other)) {
            faults.push("a membership has outlived a deactivation".into());
        }
        let first = usize::from(*late < assign.sent);
        let mut notes = vec![if *in_sweep { "while it was swept" } else { "after it was swept" }];
        if [reactivate, assign, on_task].into_iter().any(Answer::is_unknown) {
            notes.push("an answer that says nothing");
        }
        Verdict { first: Some(first), faults, notes }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            answer::tests::answered,
            edges::tests::{bound, deactivated, off, project},
        },
        *,
    };

    fn good() -> Outcome {
        let after = Quiet { edges: bound(), at_once: vec![], was_late: false, faults: vec![] };
        let done = || answered(200, "");
        let (reactivate, assign, on_task) = (done(), done(), done());
        Outcome { in_sweep: true, reactivate, assign, on_task, late: 0, others: vec![project(2)], after }
    }

    #[test]
    fn what_was_assigned_after_the_reactivation_and_stays_is_right() {
        assert_eq!(ReactivateAssign::judge(&good()).faults, [""; 0]);
    }

    #[test]
    fn each_rule_can_be_broken() {
        let faults = |change: fn(&mut Outcome)| {
            let mut outcome = good();
            change(&mut outcome);
            ReactivateAssign::judge(&outcome).faults
        };
        assert_eq!(faults(|o| off(&mut o.after.edges)).len(), 2, "swept once more");
        assert_eq!(faults(|o| o.after.edges.assignment = None).len(), 1);
        assert_eq!(faults(|o| o.assign = answered(400, "employee_deactivated")).len(), 1);
        assert_eq!(faults(|o| o.on_task = answered(400, "not_on_project")).len(), 1);
        assert_eq!(faults(|o| o.reactivate = answered(409, "not_deactivated")).len(), 1);
        assert_eq!(faults(|o| deactivated(&mut o.after.edges)).len(), 1);
        let stays = faults(|o| {
            let mut row = o.after.edges.members[&project(1)].clone();
            row.key.project = project(2);
            o.after.edges.members.insert(project(2), row);
        });
        assert_eq!(stays, ["a membership has outlived a deactivation"]);
    }
}
