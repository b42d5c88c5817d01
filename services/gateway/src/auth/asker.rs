use std::{collections::BTreeSet, sync::Arc, time::Duration};

use contracts::{
    Caller, Code, EmployeeId, Failure, GetReach, ManagedTeams, NOBODY, ProjectId, Request, TeamId, Within,
};

use crate::App;

/// The caller for whom a request is sent to a service, and the data that the caller may access. A
/// request that is sent with [`Asker::ask`] for a manager is limited to the manager's teams.
#[derive(Clone, Debug)]
pub(crate) enum Asker {
    /// A caller with access to the data of everybody.
    Whole,
    /// A manager, with access to the data of their teams.
    Manager(Arc<Reach>),
    /// An employee, with access to their own data.
    Own(EmployeeId),
}

/// A request type that [`Asker::ask`] accepts. Each type defines what happens when the caller is a
/// manager: how the request is limited to the manager's teams, or that it is refused.
pub(crate) trait ForManagers: Request {
    /// The request type that the service receives when the caller is a manager.
    type Sent: Request<Reply = Self::Reply>;

    /// Limits the request to what the manager may access.
    ///
    /// # Errors
    /// 403 when managers may not send the request, or when it is about other teams or employees;
    /// 404 when the manager must not learn that the item exists.
    fn within(self, reach: &Reach) -> Result<Self::Sent, Failure>;

    /// Removes from the reply what the manager must not see. Without an implementation nothing is
    /// removed.
    ///
    /// # Errors
    /// As [`Self::within`].
    fn shown(reply: Self::Reply, _: &Reach) -> Result<Self::Reply, Failure> {
        Ok(reply)
    }
}

impl Asker {
    /// Makes the asker of a manager. Requests from directory which teams the manager manages at
    /// this moment.
    pub(super) async fn manager(app: &App, manager: EmployeeId) -> Result<Self, Failure> {
        let managed = app.ask(Caller::Service, &GetReach { manager }).await?;
        Ok(Self::Manager(Arc::new(Reach::new(manager, managed))))
    }

    /// Sends a request to a service for this caller.
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

    /// Sends a request as [`Self::ask`] does, and fails when no reply arrives within `patience`.
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

    /// The employee, if the caller may access only their own data.
    pub(crate) fn own(&self) -> Option<EmployeeId> {
        if let Self::Own(employee) = self { Some(*employee) } else { None }
    }

    /// Removes the manager from a list of employees whose time is to be decided on, because
    /// managers do not decide on their own time. A list that becomes empty gets [`NOBODY`], because
    /// an empty list means everybody.
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

    /// Refuses a request about employees or teams whose data the caller may not access.
    ///
    /// # Errors
    /// 403 when the caller may not access one of them.
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

/// The teams, employees and projects that a manager may access.
#[derive(Debug)]
pub(crate) struct Reach {
    manager: EmployeeId,
    teams: BTreeSet<TeamId>,
    /// The employees whose data the manager sees: the members of their teams, and the manager.
    seen: BTreeSet<EmployeeId>,
    /// The projects that these employees are on.
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

    /// Whether the manager sees the data of this employee.
    pub(super) fn sees(&self, employee: EmployeeId) -> bool {
        self.seen.contains(&employee)
    }

    /// Whether the manager sees this project.
    pub(super) fn sees_project(&self, project: ProjectId) -> bool {
        self.projects.contains(&project)
    }

    /// Whether the manager manages this team.
    pub(super) fn manages(&self, team: TeamId) -> bool {
        self.teams.contains(&team)
    }

    /// Refuses an employee whose data the manager does not see. [`NOBODY`] passes, because no
    /// employee has this id.
    pub(super) fn require_seen(&self, employee: EmployeeId) -> Result<(), Failure> {
        if self.sees(employee) || employee == NOBODY { Ok(()) } else { Err(Within::other_team()) }
    }

    /// Refuses a team that this manager does not manage.
    pub(super) fn require_managed(&self, team: TeamId) -> Result<(), Failure> {
        if self.manages(team) {
            return Ok(());
        }
        Err(Failure::new(Code::OtherTeam, "This is no team that you manage."))
    }

    /// The employees whose data a request reads: the employees that it names or, when it names
    /// none, all that the manager sees. Fails if the manager does not see one of the named
    /// employees.
    pub(super) fn seen_of(&self, asked: Vec<EmployeeId>) -> Result<Vec<EmployeeId>, Failure> {
        if asked.is_empty() {
            return Ok(self.seen.iter().copied().collect());
        }
        asked.iter().try_for_each(|employee| self.require_seen(*employee))?;
        Ok(asked)
    }

    /// The employees whose time a request changes: the employees that it names or, when it names
    /// none, all that the manager sees except the manager. Fails if the request names the manager,
    /// or an employee whom the manager does not see.
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

    /// The manager's limits, which are sent together with requests such as one for an item by its
    /// id: only the service that stores the item knows whose data it is.
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
        // A change by a manager without team members must affect nobody. An empty list would mean
        // everybody.
        let nobody = Reach::new(zoe, managed(Vec::new()));
        assert_eq!(code(nobody.decided_of(Vec::new())), Ok(vec![NOBODY]));
        assert_eq!(code(nobody.seen_of(vec![NOBODY])), Ok(vec![NOBODY]));
    }
}
