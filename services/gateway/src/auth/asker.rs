use std::{collections::BTreeSet, sync::Arc, time::Duration};

use contracts::{
    Caller, Code, EmployeeId, Failure, GetReach, ManagedTeams, NOBODY, ProjectId, Request, TeamId, Within,
};

use crate::App;

/// In whose name a route or a page asks the services, and about whom: the one place that keeps a
/// manager to their teams.
#[derive(Clone, Debug)]
pub(crate) enum Asker {
    /// Somebody whose scopes are for everybody and everything.
    Whole,
    /// A manager: for the employees of their teams.
    Manager(Arc<Reach>),
    /// An employee, for themselves.
    Own(EmployeeId),
}

/// What a question or a change is to a manager: each says what becomes of it. What does not say so
/// cannot be asked.
pub(crate) trait ForManagers: Request {
    /// What is sent for a manager.
    type Sent: Request<Reply = Self::Reply>;

    /// The part of it that is about their people.
    ///
    /// # Errors
    /// 403 where it is about others, 404 where they are not to know that it is there.
    fn within(self, reach: &Reach) -> Result<Self::Sent, Failure>;

    /// The part of the answer that is theirs to see.
    ///
    /// # Errors
    /// As [`Self::within`].
    fn shown(reply: Self::Reply, _: &Reach) -> Result<Self::Reply, Failure> {
        Ok(reply)
    }
}

impl Asker {
    /// A manager, with what they manage at this moment.
    pub(super) async fn manager(app: &App, manager: EmployeeId) -> Result<Self, Failure> {
        let managed = app.ask(Caller::Service, &GetReach { manager }).await?;
        Ok(Self::Manager(Arc::new(Reach::new(manager, managed))))
    }

    /// Asks a service.
    pub(crate) async fn ask<R: ForManagers>(&self, app: &App, request: R) -> Result<R::Reply, Failure> {
        match self {
            Self::Whole => app.ask(Caller::Admin, &request).await,
            Self::Own(employee) => app.ask(Caller::Employee(*employee), &request).await,
            Self::Manager(reach) => {
                let reply = app.ask(Caller::Admin, &request.within(reach)?).await?;
                R::shown(reply, reach)
            }
        }
    }

    /// The same, where the answer may take so long.
    pub(crate) async fn ask_within<R: ForManagers>(
        &self,
        app: &App,
        patience: Duration,
        request: R,
    ) -> Result<R::Reply, Failure> {
        match self {
            Self::Whole => app.bus.ask_within(patience, Caller::Admin, &request).await,
            Self::Own(employee) => app.bus.ask_within(patience, Caller::Employee(*employee), &request).await,
            Self::Manager(reach) => {
                let reply = app.bus.ask_within(patience, Caller::Admin, &request.within(reach)?).await?;
                R::shown(reply, reach)
            }
        }
    }

    /// The employee who asks for themselves only.
    pub(crate) fn own(&self) -> Option<EmployeeId> {
        if let Self::Own(employee) = self { Some(*employee) } else { None }
    }

    /// Those of these about whom they decide; nobody decides about themselves.
    pub(crate) fn decides_about(&self, mut employees: Vec<EmployeeId>) -> Vec<EmployeeId> {
        if let Self::Manager(reach) = self
            && !employees.is_empty()
        {
            employees.retain(|employee| *employee != reach.manager);
            if employees.is_empty() {
                employees.push(NOBODY);
            }
        }
        employees
    }

    /// Refuses to ask about these employees and teams.
    ///
    /// # Errors
    /// 403.
    pub(crate) fn require_sight_of(&self, employees: &[EmployeeId], teams: &[TeamId]) -> Result<(), Failure> {
        match self {
            Self::Whole => Ok(()),
            Self::Manager(reach) => {
                employees.iter().try_for_each(|employee| reach.require_seen(*employee))?;
                teams.iter().try_for_each(|team| reach.require_managed(*team))
            }
            Self::Own(own) if teams.is_empty() && employees.iter().all(|employee| employee == own) => Ok(()),
            Self::Own(_) => Err(Failure::new(Code::Forbidden, "Employees may do this for themselves only.")),
        }
    }
}

/// What a manager manages, and so may see and decide about.
#[derive(Debug)]
pub(crate) struct Reach {
    manager: EmployeeId,
    teams: BTreeSet<TeamId>,
    /// Whose data they see: everybody's in their teams, and, as every employee does, their own.
    seen: BTreeSet<EmployeeId>,
    /// The projects that one of these is on.
    projects: BTreeSet<ProjectId>,
}

impl Reach {
    fn new(manager: EmployeeId, ManagedTeams { teams, employees, projects }: ManagedTeams) -> Self {
        Self {
            manager,
            teams: teams.into_iter().collect(),
            seen: employees.into_iter().chain([manager]).collect(),
            projects: projects.into_iter().collect(),
        }
    }

    /// Whether they see what belongs to this employee.
    pub(super) fn sees(&self, employee: EmployeeId) -> bool {
        self.seen.contains(&employee)
    }

    /// Whether they see this project.
    pub(super) fn sees_project(&self, project: ProjectId) -> bool {
        self.projects.contains(&project)
    }

    /// Whether they manage this team.
    pub(super) fn manages(&self, team: TeamId) -> bool {
        self.teams.contains(&team)
    }

    /// Refuses to show what belongs to others.
    pub(super) fn require_seen(&self, employee: EmployeeId) -> Result<(), Failure> {
        if self.sees(employee) || employee == NOBODY { Ok(()) } else { Err(Within::other_team()) }
    }

    /// Refuses a team that others manage.
    pub(super) fn require_managed(&self, team: TeamId) -> Result<(), Failure> {
        if self.manages(team) {
            return Ok(());
        }
        Err(Failure::new(Code::OtherTeam, "This is no team that you manage."))
    }

    /// Of whom a list is that may be of these; of all whom they see where none are named.
    pub(super) fn seen_of(&self, asked: Vec<EmployeeId>) -> Result<Vec<EmployeeId>, Failure> {
        if asked.is_empty() {
            return Ok(self.seen.iter().copied().collect());
        }
        asked.iter().try_for_each(|employee| self.require_seen(*employee))?;
        Ok(asked)
    }

    /// Of whom a change is that may be of these; of all about whom they decide where none are named.
    pub(super) fn decided_of(&self, asked: Vec<EmployeeId>) -> Result<Vec<EmployeeId>, Failure> {
        if asked.is_empty() {
            let others: Vec<_> = self.seen.iter().copied().filter(|employee| *employee != self.manager).collect();
            return Ok(if others.is_empty() { vec![NOBODY] } else { others });
        }
        if asked.contains(&self.manager) {
            return Err(Within::own_time());
        }
        self.seen_of(asked)
    }

    /// The same for a service, which knows whose something is that has an id.
    pub(super) fn bounds(&self) -> Within {
        Within { employees: self.seen.iter().copied().collect(), manager: Some(self.manager) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manager_sees_their_people_and_themselves_and_decides_about_others_only() {
        let [zoe, ann, bob]: [EmployeeId; 3] = std::array::from_fn(|_| kit::new_id());
        let managed = |employees| ManagedTeams { teams: Vec::new(), employees, projects: Vec::new() };
        let reach = Reach::new(zoe, managed(vec![ann]));
        let code = |outcome: Result<Vec<EmployeeId>, Failure>| outcome.map_err(|failure| failure.code);
        assert_eq!(code(reach.seen_of(Vec::new())).map(BTreeSet::from_iter), Ok(BTreeSet::from([zoe, ann])));
        assert_eq!(code(reach.seen_of(vec![ann, bob])), Err(Code::OtherTeam));
        assert_eq!(code(reach.decided_of(Vec::new())), Ok(vec![ann]));
        assert_eq!(code(reach.decided_of(vec![ann, zoe])), Err(Code::OwnTime));
        assert_eq!(code(reach.decided_of(vec![bob])), Err(Code::OtherTeam));
        // Without a team a change is about nobody, which must never read as everybody.
        let nobody = Reach::new(zoe, managed(Vec::new()));
        assert_eq!(code(nobody.decided_of(Vec::new())), Ok(vec![NOBODY]));
        assert_eq!(code(nobody.seen_of(vec![NOBODY])), Ok(vec![NOBODY]));
    }
}
