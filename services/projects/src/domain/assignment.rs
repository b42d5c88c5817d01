use std::collections::{BTreeMap, HashMap};

use contracts::{AssignmentChanged, Code, EmployeeId, Failure, Millis, ProjectId, TaskId, TaskTerm};

use super::{Task, term};

/// The edge between a task and an employee, which hangs on the edge between the task's project
/// and the employee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) task: TaskId,
    pub(crate) project: ProjectId,
    pub(crate) employee: EmployeeId,
    pub(crate) terms: Vec<TaskTerm>,
    pub(crate) version: i64,
}

impl Assignment {
    /// The edge of an employee who was never on the task.
    pub(crate) fn new(task: TaskId, project: ProjectId, employee: EmployeeId) -> Self {
        Self { task, project, employee, terms: Vec::new(), version: 0 }
    }

    /// Whether the employee is on the task.
    pub(crate) fn is_on(&self) -> bool {
        self.terms.last().is_some_and(|last| last.term.until.is_none())
    }

    /// Puts the employee on the task, in this term of the membership.
    pub(crate) fn put_on(&mut self, member_term: u32, now: Millis) {
        if !self.is_on() {
            let last = self.terms.last().map(|last| last.term);
            self.terms.push(TaskTerm { term: term::next(last, now), member_term });
            self.version += 1;
        }
    }

    /// Takes the employee off the task.
    pub(crate) fn take_off(&mut self, at: Millis) {
        if let Some(open) = self.terms.last_mut().filter(|last| last.term.until.is_none()) {
            term::end(&mut open.term, at);
            self.version += 1;
        }
    }

    /// Follows the task to another project: what was there is over, its terms mean nothing here.
    fn move_to(&mut self, project: ProjectId) {
        self.project = project;
        self.terms.clear();
        self.version += 1;
    }

    /// What the others are told.
    pub(crate) fn changed(&self) -> AssignmentChanged {
        let Self { task: task_id, project: project_id, employee: employee_id, version, .. } = *self;
        AssignmentChanged { task_id, project_id, employee_id, version, terms: self.terms.clone() }
    }
}

/// The edges of a task that change so that exactly its employees are on it. `members` holds the
/// open term of whom of the project.
///
/// # Errors
/// 400 when somebody is not on the project.
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
            edge.move_to(project);
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

/// Nobody is on a task without being on its project.
pub(crate) fn not_on_project() -> Failure {
    Failure::new(Code::NotOnProject, "An employee is not on the task's project. Put them on the project first.")
}
