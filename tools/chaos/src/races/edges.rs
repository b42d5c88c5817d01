use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result};
use bson::{Bson, doc};
use contracts::{EmployeeId, ProjectId, TaskId, Term};
use kit::mongo::{one_of, value};
use tokio::time::{Instant, sleep};

use super::{
    rows::{
        AssignmentRow, Binding, BindingRow, EmployeeRow, EmployeeStateRow, MemberRow, ProjectRow, TaskRow, all,
        binding_keys, one,
    },
    testbed::Testbed,
};

/// How long copies may take to be equal to the data of their owner after the last change.
const QUIET: Duration = Duration::from_secs(20);
/// The first and the longest pause between two reads. Without pauses, the reads of many lanes would
/// slow down the services that they wait for.
const POLL: (Duration, Duration) = (Duration::from_millis(15), Duration::from_millis(250));

/// The data of all services about one employee, one task, and the projects that the task may belong
/// to.
#[derive(Clone, Debug)]
pub(super) struct Edges {
    pub(super) employee: EmployeeId,
    /// The projects; `None` for a deleted one.
    pub(super) projects: BTreeMap<ProjectId, Option<ProjectRow>>,
    pub(super) members: BTreeMap<ProjectId, MemberRow>,
    pub(super) task_row: Option<TaskRow>,
    pub(super) assignment: Option<AssignmentRow>,
    pub(super) employee_state: Option<EmployeeStateRow>,
    pub(super) person: EmployeeRow,
    /// The copies that timetrack stores.
    pub(super) copies: Vec<Binding>,
}

/// The result of [`Edges::quiet`]: the data at the last read, and what was wrong.
#[derive(Clone, Debug)]
pub(super) struct Quiet {
    pub(super) edges: Edges,
    /// What was wrong in the data of the owners at the first read.
    pub(super) at_once: Vec<String>,
    /// Whether something was wrong at the first read, in owners or copies.
    pub(super) was_late: bool,
    /// What is still wrong at the last read.
    pub(super) faults: Vec<String>,
}

impl Edges {
    /// Reads the data of all services.
    pub(super) async fn read(
        testbed: &Testbed,
        employee: EmployeeId,
        task: TaskId,
        projects: &[ProjectId],
    ) -> Result<Self> {
        let theirs = &testbed.projects;
        let keys = projects
            .iter()
            .map(|project| Bson::Document(doc! { "project": value(project), "employee": value(&employee) }));
        let keys = doc! { "_id": { "$in": keys.collect::<Vec<_>>() } };
        let assignment = Bson::Document(doc! { "task": value(&task), "employee": value(&employee) });
        let known = doc! { "_id": { "$in": binding_keys(employee, task, projects) } };
        let (found, members, task_row, assignment, employee_state, person, copies) = tokio::try_join!(
            all::<ProjectRow>(theirs, "projects", doc! { "_id": one_of(projects) }),
            all::<MemberRow>(theirs, "members", keys),
            one::<TaskRow>(theirs, "tasks", value(&task)),
            one::<AssignmentRow>(theirs, "assignments", assignment),
            one::<EmployeeStateRow>(theirs, "employee_refs", value(&employee)),
            one::<EmployeeRow>(&testbed.directory, "employees", value(&employee)),
            all::<BindingRow>(&testbed.timetrack, "bindings", known),
        )?;
        let mut of: BTreeMap<_, _> = projects.iter().map(|id| (*id, None)).collect();
        of.extend(found.into_iter().map(|row| (row.id, Some(row))));
        Ok(Self {
            employee,
            projects: of,
            members: members.into_iter().map(|row| (row.key.project, row)).collect(),
            task_row,
            assignment,
            employee_state,
            person: person.context("no such employee")?,
            copies: copies.into_iter().map(|row| row.binding).collect(),
        })
    }

    /// Reads the data until nothing is wrong, or until [`QUIET`] has passed.
    pub(super) async fn quiet(
        testbed: &Testbed,
        employee: EmployeeId,
        task: TaskId,
        projects: &[ProjectId],
    ) -> Result<Quiet> {
        let since = Instant::now();
        let (mut first, mut pause) = (None, POLL.0);
        loop {
            let edges = Self::read(testbed, employee, task, projects).await?;
            let (authority, copies) = (edges.authority(), edges.behind());
            let is_wrong = !authority.is_empty() || !copies.is_empty();
            let (at_once, was_late) = first.get_or_insert((authority.clone(), is_wrong)).clone();
            if !is_wrong || since.elapsed() > QUIET {
                let faults = authority.into_iter().chain(copies).collect();
                return Ok(Quiet { edges, at_once, was_late, faults });
            }
            sleep(pause).await;
            pause = (pause * 2).min(POLL.1);
        }
    }

    /// Returns whether the employee is on a project.
    pub(super) fn is_member(&self, project: ProjectId) -> bool {
        self.members.get(&project).is_some_and(|member| member.open)
    }

    /// Returns whether the employee is on the task.
    pub(super) fn is_assigned(&self) -> bool {
        self.assignment.as_ref().is_some_and(|assignment| assignment.open)
    }

    /// Returns the number of terms of a membership.
    pub(super) fn member_terms(&self, project: ProjectId) -> usize {
        self.members.get(&project).map_or(0, |member| member.terms.len())
    }

    /// Returns the number of terms of the assignment, on all projects together.
    pub(super) fn task_terms(&self) -> usize {
        let terms = |row: &AssignmentRow| row.terms.len() + row.former.iter().map(|f| f.terms.len()).sum::<usize>();
        self.assignment.as_ref().map_or(0, terms)
    }

    /// Returns a sentence for each rule that the data of projects and directory violates.
    pub(super) fn authority(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut check = |holds: bool, what: &str| {
            if !holds {
                faults.push(what.to_owned());
            }
        };
        for (id, project) in &self.projects {
            let listed = project.as_ref().is_some_and(|project| project.employees.contains(&self.employee));
            check(listed == self.is_member(*id), "a project's list and the membership disagree");
            let Some(member) = self.members.get(id) else { continue };
            check(are_in_order(&member.terms), "the terms of a membership are not in order");
            check(ends_open(&member.terms) == member.open, "a membership and its terms disagree");
            if member.open {
                check(project.is_some(), "somebody is on a project that is deleted");
                check(self.person.deactivated_at.is_none(), "somebody deactivated is on a project");
                check(member.epoch >= self.person.epoch, "a membership has outlived a deactivation");
            }
        }
        let assigned = self.task_row.as_ref().is_some_and(|task| task.employees.contains(&self.employee));
        check(assigned == self.is_assigned(), "a task's list and the assignment disagree");
        if let Some(task) = &self.task_row {
            check(self.projects.get(&task.project_id).is_some_and(Option::is_some), "a task has no project");
            let terms: Vec<_> = task.projects.iter().map(|on| on.term).collect();
            check(are_in_order(&terms) && ends_open(&terms), "the terms of a task are not in order");
            let last = task.projects.last().map(|on| on.project_id);
            check(last == Some(task.project_id), "a task and its terms disagree");
        }
        if let Some(assignment) = &self.assignment {
            let terms: Vec<_> = assignment.terms.iter().map(|term| term.term).collect();
            check(are_in_order(&terms), "the terms of an assignment are not in order");
            check(ends_open(&terms) == assignment.open, "an assignment and its terms disagree");
            if assignment.open {
                let project = self.task_row.as_ref().map(|task| task.project_id);
                check(project == Some(assignment.project), "an assignment is on another project than its task");
                check(self.is_member(assignment.project), "somebody is on a task without being on its project");
                let last = assignment.terms.last().map(|term| term.member_term as usize + 1);
                check(
                    last == Some(self.member_terms(assignment.project)),
                    "an assignment hangs on a former membership",
                );
            }
        }
        faults
    }
}

/// Returns whether at most the last term is open, no term begins before the end of the previous
/// one, and none ends before it begins.
fn are_in_order(terms: &[Term]) -> bool {
    let pairs = terms.iter().zip(terms.iter().skip(1));
    pairs.into_iter().all(|(one, next)| one.until.is_some() && next.from >= one.until)
        && terms.iter().all(|term| term.from.zip(term.until).is_none_or(|(from, until)| from <= until))
}

fn ends_open(terms: &[Term]) -> bool {
    terms.last().is_some_and(Term::is_open)
}

#[cfg(test)]
pub(super) mod tests {
    use contracts::{AssignmentChanged, MemberChanged, Millis, ProjectTerm, TaskTerm};
    use uuid::Uuid;

    use super::{super::rows::MemberKey, *};

    pub(in crate::races) fn project(n: u128) -> ProjectId {
        ProjectId(Uuid::from_u128(n))
    }

    pub(in crate::races) const EMPLOYEE: EmployeeId = EmployeeId(Uuid::from_u128(100));
    pub(in crate::races) const TASK: TaskId = TaskId(Uuid::from_u128(200));

    /// Returns the data of an employee who is on project 1 and on its task, and was never on
    /// project 2.
    pub(in crate::races) fn bound() -> Edges {
        let always = vec![Term::ALWAYS];
        let row = |n, employees| ProjectRow {
            id: project(n),
            employees,
            archived: false,
            open: vec![Term::ALWAYS],
            version: 1,
        };
        let member = MemberRow {
            key: MemberKey { project: project(1) },
            epoch: 0,
            open: true,
            terms: always.clone(),
            version: 1,
        };
        let on = vec![ProjectTerm { project_id: project(1), term: Term::ALWAYS }];
        let task_terms = vec![TaskTerm { term: Term::ALWAYS, member_term: 0 }];
        let mut edges = Edges {
            employee: EMPLOYEE,
            projects: [(project(1), Some(row(1, vec![EMPLOYEE]))), (project(2), Some(row(2, vec![])))].into(),
            members: [(project(1), member)].into(),
            task_row: Some(TaskRow { project_id: project(1), employees: vec![EMPLOYEE], projects: on }),
            assignment: Some(AssignmentRow { project: project(1), open: true, terms: task_terms, former: Vec::new() }),
            employee_state: Some(EmployeeStateRow { version: 1, epoch: 0, deactivated_at: None }),
            person: EmployeeRow {
                id: EMPLOYEE,
                version: 1,
                epoch: 0,
                email: "ann@x.org".into(),
                projects: vec![project(1)],
                activated_at: None,
                deactivated_at: None,
                active: always,
            },
            copies: Vec::new(),
        };
        complete_copies(&mut edges);
        edges
    }

    /// Replaces the copies in timetrack by copies that are equal to the data of their owners.
    pub(in crate::races) fn complete_copies(edges: &mut Edges) {
        use contracts::{EmployeeChanged, EmployeeState, Label, Payroll, ProjectChanged, TaskChanged};
        let label = |text: &str| -> Label { serde_json::from_value(text.into()).unwrap() };
        let EmployeeRow { id, version, epoch, deactivated_at, active, .. } = edges.person.clone();
        let employee_state = EmployeeState { id, version, epoch, deactivated_at, active: Some(active) };
        let mut copies = vec![Binding::Employee(EmployeeChanged(employee_state))];
        for (id, row) in &edges.projects {
            let open = row.as_ref().map_or(Vec::new(), |row| row.open.clone());
            copies.push(Binding::Project(ProjectChanged {
                id: *id,
                version: row.as_ref().map_or(9, |row| row.version),
                payroll: Payroll::default(),
                archived: row.as_ref().is_some_and(|row| row.archived),
                deleted: row.is_none(),
                open: Some(open),
            }));
        }
        for (id, row) in &edges.members {
            let (version, terms) = (row.version, row.terms.clone());
            copies.push(Binding::Member(MemberChanged { project_id: *id, employee_id: EMPLOYEE, version, terms }));
        }
        if let Some(row) = &edges.task_row {
            copies.push(Binding::Task(TaskChanged {
                id: TASK,
                project_id: row.project_id,
                version: 1,
                billable: true,
                status: label("To Do"),
                priority: label("Medium"),
                deleted: false,
                projects: Some(row.projects.clone()),
            }));
        }
        if let Some(row) = &edges.assignment {
            copies.push(Binding::Assignment(AssignmentChanged {
                task_id: TASK,
                project_id: row.project,
                employee_id: EMPLOYEE,
                version: 1,
                terms: row.terms.clone(),
                former: row.former.clone(),
            }));
        }
        edges.copies = copies;
    }

    /// Removes the employee from project 1 and from the task.
    pub(in crate::races) fn off(edges: &mut Edges) {
        let until = Some(Millis(50));
        let row = edges.projects.get_mut(&project(1)).unwrap().as_mut().unwrap();
        row.employees.clear();
        let member = edges.members.get_mut(&project(1)).unwrap();
        (member.open, member.terms[0].until) = (false, until);
        if let Some(task) = &mut edges.task_row {
            task.employees.clear();
        }
        if let Some(assignment) = &mut edges.assignment {
            (assignment.open, assignment.terms[0].term.until) = (false, until);
        }
        edges.person.projects.clear();
        complete_copies(edges);
    }

    /// Deactivates the employee, but leaves all memberships and assignments.
    pub(in crate::races) fn deactivated(edges: &mut Edges) {
        let person = &mut edges.person;
        (person.epoch, person.version, person.deactivated_at) = (1, 2, Some(Millis(50)));
        person.active[0].until = Some(Millis(50));
        edges.employee_state = Some(EmployeeStateRow { version: 2, epoch: 1, deactivated_at: Some(Millis(50)) });
        complete_copies(edges);
    }

    fn broken(change: impl FnOnce(&mut Edges)) -> Vec<String> {
        let mut edges = bound();
        change(&mut edges);
        edges.authority()
    }

    #[test]
    fn who_is_on_a_project_and_a_task_of_it_breaks_no_rule_and_neither_does_who_is_on_nothing() {
        let mut edges = bound();
        assert_eq!((edges.authority(), edges.behind()), (vec![], vec![]));
        off(&mut edges);
        assert_eq!((edges.authority(), edges.behind()), (vec![], vec![]));
        deactivated(&mut edges);
        assert_eq!((edges.authority(), edges.behind()), (vec![], vec![]));
    }

    #[test]
    fn each_rule_of_the_authority_can_be_broken() {
        let says = |faults: Vec<String>, what: &str| assert!(faults.iter().any(|f| f == what), "{what}: {faults:?}");
        says(broken(deactivated), "somebody deactivated is on a project");
        says(broken(deactivated), "a membership has outlived a deactivation");
        let member = |change: fn(&mut MemberRow)| broken(|edges| change(edges.members.get_mut(&project(1)).unwrap()));
        says(member(|m| m.open = false), "a project's list and the membership disagree");
        says(member(|m| m.open = false), "a membership and its terms disagree");
        says(member(|m| m.open = false), "somebody is on a task without being on its project");
        says(member(|m| m.terms.push(Term::ALWAYS)), "the terms of a membership are not in order");
        says(member(|m| m.terms.push(Term::ALWAYS)), "an assignment hangs on a former membership");
        says(broken(|e| drop(e.projects.insert(project(1), None))), "somebody is on a project that is deleted");
        says(broken(|e| drop(e.projects.insert(project(1), None))), "a task has no project");
        says(broken(|e| e.assignment = None), "a task's list and the assignment disagree");
        says(broken(|e| e.task_row = None), "a task's list and the assignment disagree");
        let moved = |edges: &mut Edges| edges.task_row.as_mut().unwrap().project_id = project(2);
        says(broken(moved), "a task and its terms disagree");
        says(broken(moved), "an assignment is on another project than its task");
    }
}
