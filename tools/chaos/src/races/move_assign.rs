//! The race move-assign: a task is moved to another project, and an employee is assigned to it at
//! once. Whichever comes first, nobody is on the task without being on its new project.

use anyhow::Result;
use contracts::{EmployeeId, ProjectId, TaskId};
use rand::{RngExt, rngs::StdRng};
use reqwest::Method;
use serde_json::json;

use super::{
    answer::Answer,
    edges::{Edges, Quiet},
    race::Race,
    start_barrier::StartBarrier,
    testbed::{As, Testbed, employee_path, task_path},
    verdict::Verdict,
};

pub(super) struct MoveAssign;

pub(super) struct Setup {
    employee: EmployeeId,
    from: ProjectId,
    to: ProjectId,
    task: TaskId,
}

#[derive(Debug)]
pub(super) struct Outcome {
    /// Whether the employee is on the project that the task moves to.
    on_both: bool,
    to: ProjectId,
    moves: Answer,
    assign: Answer,
    before: Edges,
    after: Quiet,
}

impl Race for MoveAssign {
    const NAME: &'static str = "move-assign";
    const SIDES: [&'static str; 2] = ["move", "assign"];
    type Setup = Setup;
    type Outcome = Outcome;

    async fn setup(testbed: &Testbed) -> Result<Setup> {
        let employee = testbed.employee().await?;
        let (from, to) = (testbed.project(&[employee]).await?, testbed.project(&[]).await?);
        Ok(Setup { employee, from, to, task: testbed.task(from, &[]).await? })
    }

    async fn round(testbed: &Testbed, setup: &mut Setup, barrier: &StartBarrier, rng: &mut StdRng) -> Result<Outcome> {
        let Setup { employee, from, to, task } = *setup;
        let on_both = rng.random_bool(0.5);
        let back = json!({ "projectId": from, "employees": [] });
        testbed.set(Method::PUT, &task_path(task), &back).await?;
        let projects = if on_both { vec![from, to] } else { vec![from] };
        testbed.set(Method::PUT, &employee_path(employee), &json!({ "projects": projects })).await?;
        let before = Edges::read(testbed, employee, task, &[from, to]).await?;
        let (moves, assign) = tokio::join!(
            async {
                barrier.pass(0).await;
                testbed.ask(0, As::Admin, Method::PUT, &task_path(task), &json!({ "projectId": to })).await
            },
            async {
                barrier.pass(1).await;
                testbed.ask(1, As::Admin, Method::PUT, &task_path(task), &json!({ "employees": [employee] })).await
            },
        );
        let after = Edges::quiet(testbed, employee, task, &[from, to]).await?;
        Ok(Outcome { on_both, to, moves, assign, before, after })
    }

    fn judge(outcome: &Outcome) -> Verdict {
        let Outcome { on_both, to, moves, assign, before, after } = outcome;
        let edges = &after.edges;
        let mut faults = after.faults.clone();
        let (not_on, just_moved): (&[&str], &[&str]) = match on_both {
            true => (&[], &["conflict"]),
            false => (&["not_on_project"], &["conflict", "not_on_project"]),
        };
        faults.extend(moves.unpromised("who moved", not_on));
        faults.extend(assign.unpromised("who assigned", just_moved));
        if !moves.is_unknown() && !assign.is_unknown() {
            faults.extend(after.at_once.iter().map(|fault| format!("at once: {fault}")));
            if moves.is_refused() && assign.is_refused() {
                faults.push("each was refused because of the other".into());
            }
        }
        let is_moved = edges.task_row.as_ref().is_some_and(|task| task.project_id == *to);
        if !moves.is_unknown() && moves.is_done() != is_moved {
            faults.push("the task is not where the answer says".into());
        }
        if !assign.is_unknown() && assign.is_done() != edges.is_assigned() {
            faults.push("the employee is not on the task as the answer says".into());
        }
        let terms = |edges: &Edges| edges.task_row.as_ref().map_or(0, |task| task.projects.len());
        if terms(edges) != terms(before) + usize::from(is_moved) {
            faults.push("the task has not moved as often as it was moved".into());
        }
        let on_former = |edges: &Edges| {
            let former = edges.assignment.iter().flat_map(|row| &row.former);
            let of_others = former.filter(|former| former.project_id != *to).map(|former| former.terms.len());
            let here = edges.assignment.iter().filter(|row| row.project != *to).map(|row| row.terms.len());
            of_others.chain(here).sum::<usize>()
        };
        // If the assignment came before the move, it has added a term in the former project.
        let was_on_former = on_former(edges) > on_former(before);
        let first = match (moves.is_done(), assign.is_done()) {
            (true, true) => Some(usize::from(was_on_former)),
            (true, false) => Some(0),
            (false, true) => Some(1),
            (false, false) => None,
        };
        let mut notes = Vec::new();
        if assign.code == "conflict" {
            notes.push("told that the task has just moved");
        }
        if moves.is_unknown() || assign.is_unknown() {
            notes.push("an answer that says nothing");
        }
        if after.was_late {
            notes.push("not all was said everywhere when both were answered");
        }
        Verdict { first, faults, notes }
    }
}

#[cfg(test)]
mod tests {
    use contracts::{ProjectTerm, Term};

    use super::{
        super::{
            answer::tests::answered,
            edges::tests::{bound, project},
        },
        *,
    };

    /// Returns the outcome in which the move came first, and the assignment was refused.
    fn good() -> Outcome {
        let mut before = bound();
        before.assignment = None;
        before.task_row.as_mut().unwrap().employees.clear();
        let mut edges = before.clone();
        let task = edges.task_row.as_mut().unwrap();
        task.project_id = project(2);
        task.projects.push(ProjectTerm { project_id: project(2), term: Term::ALWAYS });
        let after = Quiet { edges, at_once: vec![], was_late: false, faults: vec![] };
        let (moves, assign) = (answered(200, ""), answered(409, "conflict"));
        Outcome { on_both: true, to: project(2), moves, assign, before, after }
    }

    #[test]
    fn either_order_is_right() {
        let verdict = MoveAssign::judge(&good());
        assert_eq!((verdict.faults, verdict.first), (vec![], Some(0)));
        let mut other = good();
        other.on_both = false;
        (other.moves, other.assign) = (answered(400, "not_on_project"), answered(200, ""));
        other.after.edges = bound();
        let verdict = MoveAssign::judge(&other);
        assert_eq!((verdict.faults, verdict.first), (vec![], Some(1)));
    }

    #[test]
    fn each_rule_can_be_broken() {
        let faults = |change: fn(&mut Outcome)| {
            let mut outcome = good();
            change(&mut outcome);
            MoveAssign::judge(&outcome).faults
        };
        assert_eq!(faults(|o| o.moves = answered(400, "not_on_project")).len(), 3, "it is on both, and has moved");
        assert_eq!(faults(|o| o.assign = answered(404, "not_found")).len(), 1);
        assert_eq!(faults(|o| o.assign = answered(200, "")).len(), 1, "answered and not done");
        assert_eq!(faults(|o| o.after.edges.assignment = bound().assignment).len(), 1, "refused and done");
        assert_eq!(faults(|o| o.after.edges.task_row = o.before.task_row.clone()).len(), 1, "answered and not moved");
        assert_eq!(faults(|o| o.after.edges.task_row.as_mut().unwrap().projects.truncate(1)).len(), 1);
        assert_eq!(faults(|o| o.after.at_once.push("half".into())), ["at once: half"]);
    }
}
