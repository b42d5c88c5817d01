use std::collections::BTreeSet;

use contracts::{
    Code, CreateTeam, EmployeeId, Failure, MANAGERS_MOST, Name, TEAM_MOST, TeamChanged, TeamChanges, TeamId,
};

use super::composed;

/// A team with its managers and members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Team {
    pub(crate) id: TeamId,
    /// The number of changes, the creation included.
    pub(crate) version: i64,
    pub(crate) name: Name,
    pub(crate) managers: BTreeSet<EmployeeId>,
    /// The members. They are stored in the employees' documents.
    pub(crate) employees: BTreeSet<EmployeeId>,
}

impl Team {
    /// Makes a team.
    pub(crate) fn create(id: TeamId, request: CreateTeam) -> Result<Self, Failure> {
        let CreateTeam { name, managers, employees } = request;
        let managers = each_once("managers", managers.unwrap_or_default(), MANAGERS_MOST)?;
        let employees = each_once("employees", employees.unwrap_or_default(), TEAM_MOST)?;
        Ok(Self { id, version: 1, name, managers, employees })
    }

    /// Applies changes.
    pub(crate) fn update(&mut self, changes: TeamChanges) -> Result<(), Failure> {
        if changes == TeamChanges::default() {
            return Err(Failure::new(Code::NothingToChange, "Nothing to change: send name, managers or employees."));
        }
        let TeamChanges { name, managers, employees } = changes;
        if let Some(managers) = managers {
            self.managers = each_once("managers", managers, MANAGERS_MOST)?;
        }
        if let Some(employees) = employees {
            self.employees = each_once("employees", employees, TEAM_MOST)?;
        }
        self.name = name.unwrap_or_else(|| self.name.clone());
        self.version += 1;
        Ok(())
    }

    /// The normalised name, for the comparison with the names of other teams.
    pub(crate) fn name_key(&self) -> String {
        composed(&self.name.as_str().to_lowercase())
    }

    /// The event about the last change.
    pub(crate) fn changed(&self) -> TeamChanged {
        TeamChanged { team: self.clone().shown(), version: self.version, deleted: false }
    }

    /// The event about the deletion of the team.
    pub(crate) fn deleted(&self) -> TeamChanged {
        TeamChanged { version: self.version + 1, deleted: true, ..self.changed() }
    }

    /// The team as the API shows it.
    pub(crate) fn shown(self) -> contracts::Team {
        let (managers, employees) = (self.managers.into_iter().collect(), self.employees.into_iter().collect());
        contracts::Team { id: self.id, name: self.name, managers, employees }
    }
}

/// Refuses a list with duplicates, or with too many ids.
fn each_once(field: &str, ids: Vec<EmployeeId>, most: usize) -> Result<BTreeSet<EmployeeId>, Failure> {
    if ids.len() > most {
        return Err(Failure::field(field, format!("must be at most {most} employees")));
    }
    let (many, ids) = (ids.len(), BTreeSet::from_iter(ids));
    if ids.len() < many {
        return Err(Failure::field(field, "must name each employee once"));
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn team(name: &str) -> Team {
        let name = Name::parse(name).unwrap();
        Team::create(kit::new_id(), CreateTeam { name, managers: None, employees: None }).unwrap()
    }

    #[test]
    fn two_spellings_of_a_name_are_one_name() {
        assert_eq!(team("Entwurf & Cafe\u{301}").name_key(), team("ENTWURF & CAF\u{c9}").name_key());
        assert_ne!(team("Design").name_key(), team("Design 2").name_key());
    }

    #[test]
    fn a_list_replaces_what_was_there_and_names_each_once() {
        let (mut team, ann) = (team("Design"), kit::new_id());
        assert_eq!(team.update(TeamChanges::default()).unwrap_err().code, Code::NothingToChange);
        team.update(TeamChanges { employees: Some(vec![ann]), ..Default::default() }).unwrap();
        team.update(TeamChanges { managers: Some(vec![ann]), ..Default::default() }).unwrap();
        assert_eq!((team.employees.len(), team.managers.len(), team.version), (1, 1, 3));
        let twice = TeamChanges { employees: Some(vec![ann, ann]), ..Default::default() };
        assert_eq!(team.update(twice).unwrap_err().errors[0].field, "employees");
        team.update(TeamChanges { employees: Some(Vec::new()), ..Default::default() }).unwrap();
        assert!(team.employees.is_empty());
    }
}
