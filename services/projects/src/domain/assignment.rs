use std::collections::{BTreeMap, HashMap};

use contracts::{AssignmentChanged, Code, EmployeeId, Failure, FormerTerms, Millis, ProjectId, TaskId, TaskTerm, Term};

use super::Task;

/// The edge between a task and an employee. It depends on the edge between the task's project and
/// the employee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) task: TaskId,
    pub(crate) project: ProjectId,
    pub(crate) employee: EmployeeId,
    /// The intervals (terms) in which the employee was on the task, while the task belonged to its
    /// current project.
    pub(crate) terms: Vec<TaskTerm>,
    /// The terms while the task belonged to other projects, one entry for each project.
    pub(crate) former: Vec<FormerTerms>,
    pub(crate) version: i64,
}

impl Assignment {
    /// The edge of an employee who was never on the task.
    pub(crate) fn new(task: TaskId, project: ProjectId, employee: EmployeeId) -> Self {
        Self { task, project, employee, terms: Vec::new(), former: Vec::new(), version: 0 }
    }

    /// Whether the employee is on the task now.
    pub(crate) fn is_on(&self) -> bool {
        self.terms.last().is_some_and(|last| last.term.until.is_none())
    }

    /// Puts the employee on the task. `member_term` is the index of the current term of the
    /// membership.
    pub(crate) fn put_on(&mut self, member_term: u32, now: Millis) {
        if !self.is_on() {
            let last = self.terms.last().map(|last| last.term);
            self.terms.push(TaskTerm { term: Term::after(last, now), member_term });
            self.version += 1;
        }
    }

    /// Takes the employee off the task.
    pub(crate) fn take_off(&mut self, at: Millis) {
        if let Some(open) = self.terms.last_mut().filter(|last| last.term.until.is_none()) {
            open.term.end(at);
            self.version += 1;
        }
    }

    /// Moves the edge to another project, together with its task. The terms on the current project
    /// end and are kept in `former`. Earlier terms on the new project become the current terms
    /// again.
    fn move_to(&mut self, project: ProjectId, now: Millis) {
        if let Some(last) = self.terms.last_mut() {
            last.term.end(now);
        }
        let left = FormerTerms { project_id: self.project, terms: std::mem::take(&mut self.terms) };
        if let Some(place) = self.former.iter().position(|former| former.project_id == project) {
            self.terms = self.former.remove(place).terms;
        }
        if !left.terms.is_empty() {
            self.former.push(left);
        }
        self.project = project;
        self.version += 1;
    }

    /// The event about the last change of the edge.
    pub(crate) fn changed(&self) -> AssignmentChanged {
        let Self { task: task_id, project: project_id, employee: employee_id, version, .. } = *self;
        let (terms, former) = (self.terms.clone(), self.former.clone());
        AssignmentChanged { task_id, project_id, employee_id, version, terms, former }
    }
}

/// The edges that must change so that exactly the task's employees are on the task. `members` has
/// the index of each member's open term.
///
/// # Errors
/// 400 when an employee is not a member of the project.
pub(crate) fn reassigned(
    edges: Vec<Assignment>,
    task: &Task,
    members: &HashMap<EmployeeId, u32>,
    now: Millis,
) -> Result<Vec<Assignment>, Failure> {
    let (id, project) = (task.state.id, task.state.project_id);
    let before: BTreeMap<_, _> = edges.into_iter().map(|edge| (edge.employee, edge)).collect();
    let mut after = before.clone();
    for edge in after.values_mut() {
        if edge.project != project {
            edge.move_to(project, now);
        }
        if !task.state.employees.contains(&edge.employee) {
            edge.take_off(now);
        }
    }
    for employee in &task.state.employees {
        let term = members.get(employee).ok_or_else(not_on_project)?;
        after.entry(*employee).or_insert_with(|| Assignment::new(id, project, *employee)).put_on(*term, now);
    }
    Ok(after.into_values().filter(|edge| before.get(&edge.employee) != Some(edge)).collect())
}

/// The failure for an employee who is on a task but not a member of its project.
pub(crate) fn not_on_project() -> Failure {
    Failure::new(Code::NotOnProject, "An employee is not on the task's project. Put them on the project first.")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn project(n: u128) -> ProjectId {
        ProjectId(Uuid::from_u128(n))
    }

    fn task_term(from: Option<i64>, until: Option<i64>, member_term: u32) -> TaskTerm {
        TaskTerm { term: Term { from: from.map(Millis), until: until.map(Millis) }, member_term }
    }

    #[test]
    fn a_move_ends_the_terms_on_the_former_project_and_keeps_them() {
        let mut edge = Assignment::new(TaskId(Uuid::nil()), project(1), EmployeeId(Uuid::nil()));
        edge.put_on(3, Millis(0));
        edge.move_to(project(2), Millis(10));
        edge.put_on(0, Millis(10));
        let event = edge.changed();
        assert_eq!(event.terms_on(project(1)), [task_term(None, Some(10), 3)]);
        assert_eq!(event.terms_on(project(2)), [task_term(None, None, 0)]);
        assert_eq!(event.terms_on(project(3)), []);
    }

    #[test]
    fn coming_back_to_a_project_goes_on_with_its_terms() {
        let mut edge = Assignment::new(TaskId(Uuid::nil()), project(1), EmployeeId(Uuid::nil()));
        edge.put_on(0, Millis(0));
        edge.move_to(project(2), Millis(10));
        edge.move_to(project(1), Millis(20));
        edge.put_on(1, Millis(20));
        assert_eq!(edge.terms, [task_term(None, Some(10), 0), task_term(Some(20), None, 1)]);
        assert_eq!(edge.former, [], "the employee was never on the task there");
    }
}
