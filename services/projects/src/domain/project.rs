use std::collections::HashSet;

use contracts::{
    CREATOR, Code, CreateProject, EmployeeId, Failure, Label, MEMBERS_MOST, Millis, ORGANIZATION, Payee, Payroll,
    ProjectChanged, ProjectChanges, ProjectId, Term,
};

use super::{
    lists::{Unfit, distinct},
    set,
};

/// A project with its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Project {
    pub(crate) state: contracts::Project,
    pub(crate) version: i64,
    /// The intervals in which the project was not archived and so accepted time. Only the last
    /// interval can be open.
    pub(crate) open: Vec<Term>,
}

impl Project {
    /// Makes a project.
    ///
    /// # Errors
    /// 422 for invalid fields; 400 when the payroll names an employee who is not a member.
    pub(crate) fn new(id: ProjectId, request: CreateProject, now: Millis) -> Result<Self, Failure> {
        let employees = request.employees.map(distinct);
        Unfit::default()
            .employees(employees.as_ref())
            .choices("statuses", request.statuses.as_ref())
            .choices("priorities", request.priorities.as_ref())
            .check()?;
        let state = contracts::Project {
            id,
            name: request.name,
            description: request.description,
            billable: request.billable.unwrap_or(true),
            employees: employees.unwrap_or_default(),
            screenshot_settings: request.screenshot_settings.unwrap_or_default(),
            payroll: request.payroll.unwrap_or_default(),
            creator_id: CREATOR.to_owned(),
            organization_id: ORGANIZATION.to_owned(),
            archived: false,
            statuses: request.statuses.unwrap_or_else(|| labels(["To Do", "In Progress", "Done"])),
            priorities: request.priorities.unwrap_or_else(|| labels(["Low", "Medium", "High"])),
            created_at: now,
        };
        require_payees(&state.payroll, &state.employees)?;
        Ok(Self { state, version: 1, open: vec![Term::ALWAYS] })
    }

    /// Applies changes. The payroll loses the lines of employees who are no longer members.
    ///
    /// # Errors
    /// 400 when the payroll names an employee who is not a member afterwards.
    pub(crate) fn change(&mut self, changes: ProjectChanges, now: Millis) -> Result<(), Failure> {
        if let Some(archived) = changes.archived {
            self.archive(archived, now);
        }
        let state = &mut self.state;
        set(&mut state.name, changes.name);
        set(&mut state.description, changes.description);
        set(&mut state.billable, changes.billable);
        set(&mut state.statuses, changes.statuses);
        set(&mut state.priorities, changes.priorities);
        set(&mut state.screenshot_settings, changes.screenshot_settings);
        if let Some(employees) = changes.employees {
            state.employees = employees;
            drop_lines(&mut state.payroll, &state.employees);
        }
        if let Some(payroll) = changes.payroll {
            require_payees(&payroll, &state.employees)?;
            state.payroll = payroll;
        }
        self.version += 1;
        Ok(())
    }

    /// Adds an employee to the project's list.
    ///
    /// # Errors
    /// 400 when the project is archived, 422 when the list is full.
    pub(crate) fn put_on(&mut self, employee: EmployeeId) -> Result<(), Failure> {
        if self.state.archived {
            let detail = "One of the projects is archived. Bring it back first (`archived: false`), or leave it out.";
            return Err(Failure::new(Code::ProjectArchived, detail));
        }
        if !self.state.employees.contains(&employee) {
            self.state.employees.push(employee);
        }
        if self.state.employees.len() > MEMBERS_MOST {
            let message = format!("must hold no project that has {MEMBERS_MOST} employees already");
            return Err(Failure::field("projects", message));
        }
        self.version += 1;
        Ok(())
    }

    /// Archives or unarchives the project. Does nothing if the project already is in the requested
    /// state.
    fn archive(&mut self, archived: bool, now: Millis) {
        match (self.state.archived, archived) {
            (false, true) => end_last(&mut self.open, now),
            (true, false) => self.open.push(Term::after(self.open.last().copied(), now)),
            _ => {}
        }
        self.state.archived = archived;
    }

    /// Removes an employee from the project's list and from the payroll.
    pub(crate) fn take_off(&mut self, employee: EmployeeId) {
        self.state.employees.retain(|id| *id != employee);
        drop_lines(&mut self.state.payroll, &self.state.employees);
        self.version += 1;
    }

    /// The event about the last change.
    pub(crate) fn changed(&self) -> ProjectChanged {
        ProjectChanged {
            id: self.state.id,
            version: self.version,
            payroll: self.state.payroll.clone(),
            archived: self.state.archived,
            deleted: false,
            open: Some(self.open.clone()),
        }
    }

    /// The event about the deletion of the project.
    pub(crate) fn deleted(mut self, now: Millis) -> ProjectChanged {
        end_last(&mut self.open, now);
        ProjectChanged { version: self.version + 1, deleted: true, ..self.changed() }
    }
}

fn end_last(terms: &mut [Term], now: Millis) {
    if let Some(last) = terms.last_mut() {
        last.end(now);
    }
}

/// Checks the requested changes, and removes duplicates from the list of employees.
///
/// # Errors
/// 400 when there are no changes; 422 for invalid fields.
pub(crate) fn checked(mut changes: ProjectChanges) -> Result<ProjectChanges, Failure> {
    if changes == ProjectChanges::default() {
        return Err(Failure::new(Code::NothingToChange, "There is nothing to change. Send at least one field."));
    }
    changes.employees = changes.employees.map(distinct);
    Unfit::default()
        .employees(changes.employees.as_ref())
        .choices("statuses", changes.statuses.as_ref())
        .choices("priorities", changes.priorities.as_ref())
        .check()?;
    Ok(changes)
}

fn labels(words: [&str; 3]) -> Vec<Label> {
    words.into_iter().filter_map(|word| Label::parse(word).ok()).collect()
}

/// Refuses payroll lines of employees who are not members: such a line would never apply.
fn require_payees(payroll: &Payroll, employees: &[EmployeeId]) -> Result<(), Failure> {
    if strangers(payroll, employees).next().is_some() {
        let detail = "The payroll names somebody who is not on the project. Put them on it, or leave the line out.";
        return Err(Failure::new(Code::PayrollNotOnProject, detail));
    }
    Ok(())
}

fn drop_lines(payroll: &mut Payroll, employees: &[EmployeeId]) {
    let gone: Vec<_> = strangers(payroll, employees).collect();
    for payee in gone {
        payroll.0.remove(&payee);
    }
}

fn strangers(payroll: &Payroll, employees: &[EmployeeId]) -> impl Iterator<Item = Payee> {
    let on: HashSet<_> = employees.iter().copied().collect();
    payroll.0.keys().copied().filter(move |payee| match payee {
        Payee::Everybody => false,
        Payee::Employee(id) => !on.contains(id),
    })
}

#[cfg(test)]
mod tests {
    use contracts::{Name, PayrollLine};
    use uuid::Uuid;

    use super::*;

    fn employee(n: u128) -> EmployeeId {
        EmployeeId(Uuid::from_u128(n))
    }

    fn payroll(of: &[u128]) -> Payroll {
        let own = of.iter().map(|n| (Payee::Employee(employee(*n)), PayrollLine::default()));
        Payroll(own.chain([(Payee::Everybody, PayrollLine::default())]).collect())
    }

    fn request() -> CreateProject {
        CreateProject {
            name: Name::parse("Website").unwrap(),
            description: None,
            billable: None,
            employees: Some(vec![employee(1), employee(2), employee(1)]),
            statuses: None,
            priorities: None,
            screenshot_settings: None,
            payroll: Some(payroll(&[1, 2])),
        }
    }

    fn project() -> Project {
        Project::new(ProjectId(Uuid::nil()), request(), Millis(0)).unwrap()
    }

    #[test]
    fn a_new_project_lists_each_employee_once_and_has_three_statuses_and_priorities() {
        let project = project();
        assert_eq!(project.state.employees, [employee(1), employee(2)]);
        assert_eq!((project.state.statuses.len(), project.state.priorities.len(), project.version), (3, 3, 1));
    }

    #[test]
    fn every_list_that_does_not_fit_is_named() {
        let twice = vec![Label::parse("a").unwrap(); 2];
        let request = CreateProject {
            employees: Some((0..=1_000).map(employee).collect()),
            statuses: Some(Vec::new()),
            priorities: Some(twice),
            ..request()
        };
        let refused = Project::new(ProjectId(Uuid::nil()), request, Millis(0)).unwrap_err();
        let fields: Vec<_> = refused.errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!((refused.code, fields), (Code::Invalid, vec!["employees", "statuses", "priorities"]));
    }

    #[test]
    fn an_empty_word_is_no_status() {
        let changes = ProjectChanges { statuses: Some(vec![Label::parse("").unwrap()]), ..Default::default() };
        assert_eq!(checked(changes).unwrap_err().code, Code::Invalid);
    }

    #[test]
    fn the_payroll_names_nobody_who_is_not_on_the_project() {
        let mut project = project();
        let with = |of: &[u128]| ProjectChanges { payroll: Some(payroll(of)), ..Default::default() };
        assert_eq!(project.clone().change(with(&[3]), Millis(1)).unwrap_err().code, Code::PayrollNotOnProject);
        let both = ProjectChanges { employees: Some(vec![employee(3)]), ..with(&[3]) };
        assert_eq!(project.change(both, Millis(1)), Ok(()));
    }

    #[test]
    fn whoever_is_taken_off_loses_their_line_of_the_payroll() {
        let mut project = project();
        let changes = ProjectChanges { employees: Some(vec![employee(2)]), ..Default::default() };
        project.change(changes, Millis(1)).unwrap();
        assert_eq!(project.state.payroll, payroll(&[2]));
        project.take_off(employee(2));
        assert_eq!(project.state.payroll, payroll(&[]));
    }

    #[test]
    fn a_project_takes_time_until_it_is_archived_and_again_once_it_is_brought_back() {
        let mut project = project();
        let archived = |archived| ProjectChanges { archived: Some(archived), ..Default::default() };
        let term = |from: Option<i64>, until: Option<i64>| Term { from: from.map(Millis), until: until.map(Millis) };
        assert_eq!(project.changed().open, Some(vec![Term::ALWAYS]));
        project.change(archived(true), Millis(10)).unwrap();
        project.change(archived(true), Millis(15)).unwrap();
        assert_eq!(project.changed().open, Some(vec![term(None, Some(10))]));
        project.change(archived(false), Millis(20)).unwrap();
        project.change(archived(false), Millis(25)).unwrap();
        assert_eq!(project.changed().open, Some(vec![term(None, Some(10)), term(Some(20), None)]));
        let deleted = project.deleted(Millis(30));
        assert_eq!(deleted.open, Some(vec![term(None, Some(10)), term(Some(20), Some(30))]));
    }

    #[test]
    fn an_archived_project_that_is_deleted_took_no_time_since_it_was_archived() {
        let mut project = project();
        project.change(ProjectChanges { archived: Some(true), ..Default::default() }, Millis(10)).unwrap();
        assert_eq!(project.deleted(Millis(30)).open, Some(vec![Term { from: None, until: Some(Millis(10)) }]));
    }
}
