//! Compares copies with the data of their owners.

use std::collections::BTreeMap;

use contracts::Term;

use super::{edges::Edges, rows::Binding};

impl Edges {
    /// Returns a sentence for each copy that differs from its owner.
    pub(super) fn behind(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut check = |holds: bool, what: &str| {
            if !holds {
                faults.push(what.to_owned());
            }
        };
        for id in self.projects.keys() {
            let listed = self.person.projects.contains(id);
            check(listed == self.is_member(*id), "directory's list of projects is not what projects says");
        }
        let person = &self.person;
        // The service projects may have no copy of an employee who was never put on anything and
        // never changed.
        if let Some(known) = &self.employee_state {
            let same = (known.version, known.epoch, known.deactivated_at)
                == (person.version, person.epoch, person.deactivated_at);
            check(same, "projects does not know how the employee stands");
        }
        let mut known_members = BTreeMap::new();
        for copy in &self.copies {
            if let Binding::Member(copy) = copy {
                known_members.insert(copy.project_id, copy);
            }
        }
        for (id, member) in &self.members {
            let known = known_members.get(id);
            let same = known.is_some_and(|known| (known.version, &known.terms) == (member.version, &member.terms));
            check(same, "timetrack does not know a membership");
        }
        let (mut knows_employee, mut known_projects, mut knows_task, mut known_assignment) = (false, 0, false, None);
        for copy in &self.copies {
            match copy {
                Binding::Employee(copy) => {
                    knows_employee = copy.0.version == person.version && copy.0.active.as_ref() == Some(&person.active);
                }
                Binding::Project(copy) => {
                    let same = match self.projects.get(&copy.id).and_then(Option::as_ref) {
                        Some(row) => {
                            !copy.deleted
                                && (copy.version, copy.archived) == (row.version, row.archived)
                                && copy.open.as_ref() == Some(&row.open)
                        }
                        None => copy.deleted,
                    };
                    known_projects += usize::from(same);
                }
                Binding::Task(copy) => {
                    // Deleting a project causes no events about its tasks, so timetrack may still
                    // have them.
                    knows_task = self.task_row.as_ref().is_none_or(|row| copy.projects.as_ref() == Some(&row.projects));
                }
                Binding::Member(_) => {}
                Binding::Assignment(copy) => known_assignment = Some(copy),
            }
        }
        check(knows_employee, "timetrack does not know when the employee was active");
        check(known_projects == self.projects.len(), "timetrack does not know a project");
        check(knows_task || self.task_row.is_none(), "timetrack does not know where the task belongs");
        match (&self.assignment, known_assignment) {
            (Some(row), Some(copy)) if row.open => {
                let same = (copy.project_id, &copy.terms) == (row.project, &row.terms);
                check(same, "timetrack does not know an assignment");
            }
            (Some(row), None) if row.open => check(false, "timetrack does not know an assignment"),
            // An assignment that ended with its membership has no event of its own. So it goes on
            // only if the term of its membership is open too.
            (_, Some(copy)) => {
                let goes_on = copy.terms.last().is_some_and(|last| {
                    let member = known_members
                        .get(&copy.project_id)
                        .and_then(|known| known.terms.get(last.member_term as usize));
                    last.term.is_open() && member.is_some_and(Term::is_open)
                });
                let is_on_task = self.task_row.as_ref().is_some_and(|task| task.project_id == copy.project_id);
                check(!(goes_on && is_on_task), "timetrack takes an assignment for one that goes on");
            }
            _ => {}
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::edges::tests::{bound, project},
        *,
    };

    #[test]
    fn each_copy_can_be_behind() {
        let behind = |change: fn(&mut Edges)| {
            let mut edges = bound();
            change(&mut edges);
            edges.behind()
        };
        let says = |faults: Vec<String>, what: &str| assert!(faults.iter().any(|f| f == what), "{what}: {faults:?}");
        says(behind(|e| e.person.projects.clear()), "directory's list of projects is not what projects says");
        says(
            behind(|e| e.employee_state.as_mut().unwrap().epoch = 7),
            "projects does not know how the employee stands",
        );
        says(behind(|e| e.person.version = 7), "timetrack does not know when the employee was active");
        says(
            behind(|e| e.projects.get_mut(&project(1)).unwrap().as_mut().unwrap().archived = true),
            "timetrack does not know a project",
        );
        says(behind(|e| drop(e.projects.insert(project(2), None))), "timetrack does not know a project");
        says(behind(|e| e.members.get_mut(&project(1)).unwrap().terms.clear()), "timetrack does not know a membership");
        says(behind(|e| e.assignment.as_mut().unwrap().terms.clear()), "timetrack does not know an assignment");
        says(behind(|e| e.assignment = None), "timetrack takes an assignment for one that goes on");
        says(
            behind(|e| e.task_row.as_mut().unwrap().projects.clear()),
            "timetrack does not know where the task belongs",
        );
    }
}
