use std::collections::HashSet;

use contracts::{
    CREATOR, Code, CreateTask, EmployeeId, Failure, Label, Millis, ORGANIZATION, ProjectId, ProjectTerm, TaskChanged,
    TaskChanges, TaskId, Term,
};

use super::{
    Project,
    lists::{Unfit, distinct},
    not_on_project, set,
};

/// A task with its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) state: contracts::Task,
    pub(crate) version: i64,
    /// The projects that the task has belonged to, in order. Only the last term can be open.
    pub(crate) projects: Vec<ProjectTerm>,
}

impl Task {
    /// Makes a task. An archived project can get new tasks, although it accepts no time.
    ///
    /// # Errors
    /// 400 when an employee is not a member of the project, or the project lacks the status or
    /// priority.
    pub(crate) fn new(id: TaskId, request: CreateTask, project: &Project, now: Millis) -> Result<Self, Failure> {
        let project = &project.state;
        let state = contracts::Task {
            id,
            name: request.name,
            project_id: project.id,
            description: request.description,
            billable: request.billable.unwrap_or(true),
            employees: request.employees.unwrap_or_default(),
            status: request.status.unwrap_or_else(|| usual(&project.statuses, "To Do")),
            priority: request.priority.unwrap_or_else(|| usual(&project.priorities, "Medium")),
            creator_id: CREATOR.to_owned(),
            organization_id: ORGANIZATION.to_owned(),
            created_at: now,
        };
        require_status(project, &state.status)?;
        require_priority(project, &state.priority)?;
        require_members(project, &state.employees)?;
        let projects = vec![ProjectTerm { project_id: project.id, term: Term::ALWAYS }];
        Ok(Self { state, version: 1, projects })
    }

    /// Applies changes. `project` is the project that the task belongs to afterwards. New values
    /// must fit this project; if the task moves to it, all values must.
    ///
    /// # Errors
    /// 400 when an employee is not a member of the project, or the project lacks the status or
    /// priority; 409 when `project` is neither the task's project nor the requested one: another
    /// request has just moved the task.
    pub(crate) fn change(&mut self, changes: TaskChanges, project: &Project, now: Millis) -> Result<(), Failure> {
        let (state, project) = (&mut self.state, &project.state);
        let moves = state.project_id != project.id;
        if moves && changes.project_id.is_none() {
            let detail = "The task has just been moved to another project. Try again.";
            return Err(Failure::new(Code::Conflict, detail));
        }
        state.project_id = project.id;
        let checks_status = moves || changes.status.is_some();
        let checks_priority = moves || changes.priority.is_some();
        set(&mut state.name, changes.name);
        set(&mut state.description, changes.description);
        set(&mut state.billable, changes.billable);
        set(&mut state.employees, changes.employees);
        set(&mut state.status, changes.status);
        set(&mut state.priority, changes.priority);
        if checks_status {
            require_status(project, &state.status)?;
        }
        if checks_priority {
            require_priority(project, &state.priority)?;
        }
        require_members(project, &state.employees)?;
        if moves {
            self.move_to(project.id, now);
        }
        self.version += 1;
        Ok(())
    }

    fn move_to(&mut self, project_id: ProjectId, now: Millis) {
        self.leave_project(now);
        let last = self.projects.last().map(|last| last.term);
        self.projects.push(ProjectTerm { project_id, term: Term::after(last, now) });
    }

    fn leave_project(&mut self, now: Millis) {
        if let Some(last) = self.projects.last_mut() {
            last.term.end(now);
        }
    }

    /// The event about the last change.
    pub(crate) fn changed(&self) -> TaskChanged {
        let state = self.state.clone();
        TaskChanged {
            id: state.id,
            project_id: state.project_id,
            version: self.version,
            billable: state.billable,
            status: state.status,
            priority: state.priority,
            deleted: false,
            projects: Some(self.projects.clone()),
        }
    }

    /// The event about the deletion of the task.
    pub(crate) fn deleted(mut self, now: Millis) -> TaskChanged {
        self.leave_project(now);
        TaskChanged { version: self.version + 1, deleted: true, ..self.changed() }
    }
}

/// Checks the requested changes, and removes duplicates from the list of employees.
///
/// # Errors
/// 400 when there are no changes; 422 for invalid fields.
pub(crate) fn checked(mut changes: TaskChanges) -> Result<TaskChanges, Failure> {
    if changes == TaskChanges::default() {
        return Err(Failure::new(Code::NothingToChange, "There is nothing to change. Send at least one field."));
    }
    changes.employees = assignees(changes.employees)?;
    Ok(changes)
}

/// The employees of a task, without duplicates.
///
/// # Errors
/// 422 when there are more than a project can have.
pub(crate) fn assignees(employees: Option<Vec<EmployeeId>>) -> Result<Option<Vec<EmployeeId>>, Failure> {
    let employees = employees.map(distinct);
    Unfit::default().employees(employees.as_ref()).check()?;
    Ok(employees)
}

/// The choice `word` if the project has it, otherwise the project's first choice.
fn usual(choices: &[Label], word: &str) -> Label {
    let usual = choices.iter().find(|choice| choice.as_str() == word);
    usual.unwrap_or(&choices[0]).clone() // a project always has at least one choice
}

fn require_status(project: &contracts::Project, status: &Label) -> Result<(), Failure> {
    if project.statuses.contains(status) {
        return Ok(());
    }
    let detail = "The project does not have this status. Choose one of its statuses, or add it to them.";
    Err(Failure::new(Code::UnknownStatus, detail))
}

fn require_priority(project: &contracts::Project, priority: &Label) -> Result<(), Failure> {
    if project.priorities.contains(priority) {
        return Ok(());
    }
    let detail = "The project does not have this priority. Choose one of its priorities, or add it to them.";
    Err(Failure::new(Code::UnknownPriority, detail))
}

fn require_members(project: &contracts::Project, employees: &[EmployeeId]) -> Result<(), Failure> {
    let on: HashSet<_> = project.employees.iter().collect();
    if employees.iter().all(|id| on.contains(id)) { Ok(()) } else { Err(not_on_project()) }
}

#[cfg(test)]
mod tests {
    use contracts::{CreateProject, Name};
    use uuid::Uuid;

    use super::*;

    fn project(id: u128, statuses: &[&str]) -> Project {
        let statuses = statuses.iter().map(|word| Label::parse(word).unwrap()).collect();
        let request = CreateProject {
            name: Name::parse("Website").unwrap(),
            description: None,
            billable: None,
            employees: None,
            statuses: Some(statuses),
            priorities: None,
            screenshot_settings: None,
            payroll: None,
        };
        Project::new(ProjectId(Uuid::from_u128(id)), request, Millis(0)).unwrap()
    }

    fn task(project: &Project) -> Task {
        let request = CreateTask {
            name: Name::parse("Sketch").unwrap(),
            project_id: project.state.id,
            description: None,
            billable: None,
            employees: None,
            status: None,
            priority: None,
        };
        Task::new(TaskId(Uuid::nil()), request, project, Millis(0)).unwrap()
    }

    #[test]
    fn a_new_task_is_to_do_or_where_there_is_no_such_status_the_first() {
        assert_eq!(task(&project(1, &["Done", "To Do"])).state.status.as_str(), "To Do");
        assert_eq!(task(&project(1, &["Later", "Now"])).state.status.as_str(), "Later");
    }

    #[test]
    fn a_task_moves_only_where_it_is_asked_to_and_fits() {
        let (old, new, odd) = (project(1, &["To Do"]), project(2, &["To Do"]), project(3, &["Odd"]));
        let to = |project: &Project| TaskChanges { project_id: Some(project.state.id), ..Default::default() };
        let renamed = TaskChanges { name: Name::parse("Draw").ok(), ..Default::default() };
        let mut task = task(&old);
        assert_eq!(task.clone().change(renamed, &new, Millis(10)).unwrap_err().code, Code::Conflict);
        assert_eq!(task.clone().change(to(&odd), &odd, Millis(10)).unwrap_err().code, Code::UnknownStatus);
        task.change(to(&new), &new, Millis(10)).unwrap();
        assert_eq!((task.state.project_id, task.version), (new.state.id, 2));
    }

    #[test]
    fn a_task_belongs_to_each_of_its_projects_from_move_to_move() {
        let (one, other) = (project(1, &["To Do"]), project(2, &["To Do"]));
        let to = |project: &Project| TaskChanges { project_id: Some(project.state.id), ..Default::default() };
        let on = |project: &Project, from: Option<i64>, until: Option<i64>| {
            let term = Term { from: from.map(Millis), until: until.map(Millis) };
            ProjectTerm { project_id: project.state.id, term }
        };
        let mut task = task(&one);
        task.change(to(&other), &other, Millis(10)).unwrap();
        // The task belongs to this project already, so this change is no move.
        task.change(to(&other), &other, Millis(15)).unwrap();
        assert_eq!(task.projects, [on(&one, None, Some(10)), on(&other, Some(10), None)]);
        // The clock of this change is behind the clock of the change before.
        task.change(to(&one), &one, Millis(5)).unwrap();
        let projects = [on(&one, None, Some(10)), on(&other, Some(10), Some(10)), on(&one, Some(10), None)];
        assert_eq!(task.projects, projects);
        let event = task.deleted(Millis(20)).projects.unwrap();
        assert_eq!(event.last(), Some(&on(&one, Some(10), Some(20))));
    }
}
