use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use contracts::{EmployeeId, ProjectId, TaskId};

use super::{
    Finding, Outcome,
    state::{Edges, State},
};
use crate::kill::ledger::Book;

/// Checks I4: an assignee is a member of the task's project, which exists; members exist and are
/// active; and projects and tasks have the people whom answered requests put on them.
pub(crate) fn bound(book: &Book, state: &State) -> Outcome {
    let mut outcome = Outcome::new("I4 who is on what");
    let edges = &state.edges;
    outcome.checked +=
        (edges.projects.len() + edges.tasks.len() + edges.members.len() + edges.assignments.len()) as u64;
    outcome.findings = structure(edges);
    for member in edges.members.iter().filter(|member| member.open) {
        let employee = edges.employees.get(&member.key.employee);
        let is_active = employee.is_some_and(|employee| employee.deactivated_at.is_none());
        outcome
            .check(is_active, member.key.employee, || format!("is deactivated and on project {}", member.key.project));
        // A deactivation ends every membership of an earlier epoch. So a late event must have
        // restored an open membership of an earlier epoch.
        let is_of_now = employee.is_none_or(|employee| member.epoch == employee.epoch);
        outcome.check(is_of_now, member.key.employee, || {
            format!("is on project {} since epoch {}, and stands at {employee:?}", member.key.project, member.epoch)
        });
    }
    for (project, on) in &book.expected.projects {
        let Some(on) = on else { continue };
        let is: Option<BTreeSet<EmployeeId>> =
            edges.projects.get(project).map(|stored| stored.employees.iter().copied().collect());
        outcome.check(is.as_ref() == Some(on), project, || format!("project {project} was told {on:?} and has {is:?}"));
    }
    for (task, expected) in &book.expected.tasks {
        let Some((project, on)) = expected else { continue };
        let is = edges.tasks.get(task).map(|stored| (stored.project_id, stored.employees.iter().copied().collect()));
        let must = Some((*project, on.clone()));
        outcome.check(is == must, task, || format!("task {task} was told {must:?} and has {is:?}"));
    }
    for (employee, deactivated) in &book.expected.deactivated {
        let Some(deactivated) = deactivated else { continue };
        let is = edges.employees.get(employee).map(|stored| stored.deactivated_at.is_some());
        outcome.check(is == Some(*deactivated), employee, || format!("deactivated: {is:?}, was told {deactivated}"));
    }
    outcome
}

/// Checks what must hold in every snapshot: the employees that projects and tasks list are those of
/// the open memberships and assignments, and whoever is on a task is on its project.
pub(crate) fn structure(edges: &Edges) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |about: String, says: String| findings.push(Finding { about, says, at: None });
    let mut on_project: HashMap<ProjectId, HashSet<EmployeeId>> = HashMap::new();
    for member in edges.members.iter().filter(|member| member.open) {
        on_project.entry(member.key.project).or_default().insert(member.key.employee);
        if !edges.employees.contains_key(&member.key.employee) {
            find(member.key.employee.to_string(), format!("does not exist and is on project {}", member.key.project));
        }
        if !edges.projects.contains_key(&member.key.project) {
            find(member.key.project.to_string(), format!("is gone, and {} is on it", member.key.employee));
        }
    }
    let mut on_task: BTreeMap<TaskId, HashSet<EmployeeId>> = BTreeMap::new();
    for edge in edges.assignments.iter().filter(|edge| edge.open) {
        on_task.entry(edge.key.task).or_default().insert(edge.key.employee);
        let (task, employee) = (edge.key.task, edge.key.employee);
        if !on_project.get(&edge.project).is_some_and(|on| on.contains(&employee)) {
            find(task.to_string(), format!("{employee} is on it and not on its project {}", edge.project));
        }
        let Some(stored) = edges.tasks.get(&task) else { continue };
        if stored.project_id != edge.project {
            find(
                task.to_string(),
                format!("belongs to {}, and {employee}'s edge to {}", stored.project_id, edge.project),
            );
        }
    }
    for project in edges.projects.values() {
        let listed: HashSet<EmployeeId> = project.employees.iter().copied().collect();
        let on = on_project.remove(&project.id).unwrap_or_default();
        if listed != on || listed.len() != project.employees.len() {
            find(project.id.to_string(), format!("lists {:?}, and on it are {on:?}", project.employees));
        }
    }
    for task in edges.tasks.values() {
        let listed: HashSet<EmployeeId> = task.employees.iter().copied().collect();
        let on = on_task.remove(&task.id).unwrap_or_default();
        if listed != on || listed.len() != task.employees.len() {
            find(task.id.to_string(), format!("lists {:?}, and on it are {on:?}", task.employees));
        }
        let members = edges.projects.get(&task.project_id).map(|project| &project.employees);
        for employee in &task.employees {
            if !members.is_some_and(|members| members.contains(employee)) {
                find(task.id.to_string(), format!("{employee} is on it and not on its project {}", task.project_id));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use contracts::Millis;

    use super::*;
    use crate::kill::check::tests::{ANN, PROJECT, TASK, edges};

    fn state(edges: Edges) -> State {
        State { edges, ..State::default() }
    }

    #[test]
    fn lists_and_edges_that_agree_are_no_finding() {
        assert_eq!(bound(&Book::default(), &state(edges())).findings, []);
    }

    #[test]
    fn somebody_on_a_task_and_not_on_its_project_is_found() {
        let mut edges = edges();
        edges.members[0].open = false;
        edges.projects.values_mut().for_each(|project| project.employees.clear());
        assert!(structure(&edges).iter().any(|found| found.says.contains("not on its project")));
    }

    #[test]
    fn a_list_that_is_not_what_the_edges_say_is_found() {
        let mut edges = edges();
        edges.assignments[0].open = false;
        assert!(structure(&edges).iter().any(|found| found.says.contains("lists")));
    }

    #[test]
    fn somebody_deactivated_or_of_an_older_epoch_who_is_on_a_project_is_found() {
        let mut away = edges();
        away.employees.values_mut().for_each(|employee| employee.deactivated_at = Some(Millis(5)));
        assert_eq!(bound(&Book::default(), &state(away)).findings.len(), 1);
        let mut older = edges();
        older.employees.values_mut().for_each(|employee| employee.epoch = 1);
        assert_eq!(bound(&Book::default(), &state(older)).findings.len(), 1);
    }

    #[test]
    fn an_assignment_that_was_answered_and_is_gone_is_found() {
        let mut book = Book::default();
        book.expected.projects.insert(PROJECT, Some([ANN].into()));
        book.expected.tasks.insert(TASK, Some((PROJECT, [ANN].into())));
        assert_eq!(bound(&book, &state(edges())).findings, []);
        assert_eq!(bound(&book, &State::default()).findings.len(), 2);
    }
}
