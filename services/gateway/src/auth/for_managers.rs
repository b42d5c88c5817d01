//! How each request is limited for managers.

use contracts::{
    AcceptCorrection, AdmitQuarantined, ApprovePeriod, AskCorrection, Bounded, Code, Conditional, CorrectWindow,
    CountQuarantine, CountUndelivered, CreateApiKey, CreateEmployee, CreatePayRun, CreateProject, CreateTask,
    CreateTeam, DatedRate, DeactivateEmployee, DeleteProject, DeleteRate, DeleteTask, DeleteTeam, DiscardQuarantined,
    Failure, Filter, GetApiKey, GetCorrection, GetEmployee, GetPayRun, GetPeriod, GetPeriodStates, GetPeriodSums,
    GetProject, GetProjectTime, GetRate, GetReprice, GetSettings, GetTask, GetTaskTime, GetTeam, GetTime, GetWindow,
    InviteEmployee, ListAdjustments, ListApiKeys, ListAuditEntries, ListCorrections, ListEmployees, ListLanes,
    ListLocks, ListLongDays, ListOverlaps, ListPaidPeriods, ListPayRuns, ListPeriods, ListProjects, ListQuarantine,
    ListRates, ListRoster, ListSilent, ListTasks, ListTeams, ListTracking, ListWindows, Lock, Page, Payee,
    PreviewReprice, Project, ProjectId, RateId, RateScope, ReactivateEmployee, RefuseCorrection, ReopenLock,
    ReopenPeriod, ReplayQuarantined, Request, RevokeApiKey, SendBackPeriod, SendReset, SetLock, SetMemberships,
    SetRate, SetRole, SetSettings, StartReprice, Task, TaskId, Team, TeamId, UpdateEmployee, UpdateProject, UpdateTask,
    UpdateTeam, UpdateWindows, VoidWindow, Within,
};

use super::asker::{ForManagers, Reach};

/// Requests that managers may never send: their scopes do not include them. A later scope that does must define a
/// limit here.
macro_rules! never {
    ($($name:ty),* $(,)?) => {$(
        impl ForManagers for $name {
            type Sent = Self;

            fn within(self, _: &Reach) -> Result<Self, Failure> {
                Err(Within::other_team())
            }
        }
    )*};
}

never! {
    CreateEmployee, UpdateEmployee, Conditional<UpdateEmployee>, DeactivateEmployee, Conditional<DeactivateEmployee>,
    ReactivateEmployee, InviteEmployee, SendReset, SetRole, Conditional<SetRole>, SetMemberships,
    Conditional<SetMemberships>, CreateProject, UpdateProject, Conditional<UpdateProject>, Conditional<DeleteProject>, CreateTask,
    Conditional<UpdateTask>, Conditional<DeleteTask>, CreateTeam, Conditional<UpdateTeam>, Conditional<DeleteTeam>,
    CreateApiKey, ListApiKeys, GetApiKey, RevokeApiKey, ListAuditEntries, SetSettings, SetRate, DeleteRate,
    PreviewReprice, StartReprice, GetReprice,
    Conditional<SetSettings>,
    // An employee asks for this only about themselves.
    AskCorrection,
}

/// Requests that settle time, or reopen what is settled, for everybody: only for owners and admins.
macro_rules! admins_alone {
    ($($name:ty),* $(,)?) => {$(
        impl ForManagers for $name {
            type Sent = Self;

            fn within(self, _: &Reach) -> Result<Self, Failure> {
                Err(Failure::new(Code::Forbidden, "Only owners and admins may do this."))
            }
        }
    )*};
}

admins_alone! {
    ReopenPeriod, SetLock, ReopenLock, CreatePayRun, GetPayRun, ListPayRuns, ListPaidPeriods,
}

/// Requests by id. Only the service knows whose data it is, so the limits are sent with the request.
macro_rules! bounded {
    ($($name:ty),* $(,)?) => {$(
        impl ForManagers for $name {
            type Sent = Bounded<Self>;

            fn within(self, reach: &Reach) -> Result<Bounded<Self>, Failure> {
                Ok(Bounded { asked: self, within: Some(reach.bounds()) })
            }
        }
    )*};
}

bounded! {
    GetWindow, CountQuarantine, Conditional<CorrectWindow>, Conditional<VoidWindow>, ReplayQuarantined, AdmitQuarantined, DiscardQuarantined, GetPeriod, Conditional<ApprovePeriod>, SendBackPeriod, GetCorrection, AcceptCorrection, RefuseCorrection,
}

/// Lists. The limits are sent with the request; entries beyond them, from a version that does not know limits, are
/// removed from the reply.
macro_rules! bounded_list {
    ($($name:ty, $item:ident => $of:expr;)*) => {$(
        impl ForManagers for $name {
            type Sent = Bounded<Self>;

            fn within(self, reach: &Reach) -> Result<Bounded<Self>, Failure> {
                Ok(Bounded { asked: self, within: Some(reach.bounds()) })
            }

            fn shown(mut page: Self::Reply, reach: &Reach) -> Result<Self::Reply, Failure> {
                page.items.retain(|$item| reach.sees($of));
                Ok(page)
            }
        }
    )*};
}

bounded_list! {
    ListEmployees, employee => employee.id;
    ListQuarantine, held => held.employee_id;
    ListCorrections, correction => correction.employee_id;
}

/// A list that may be limited to a team already.
impl<R: Request + Clone + ForManagers<Sent = Self>> ForManagers for Bounded<R> {
    type Sent = Self;

    fn within(self, reach: &Reach) -> Result<Self, Failure> {
        let mut bounds = reach.bounds();
        if let Some(Within { employees, .. }) = self.within {
            bounds.employees.retain(|employee| employees.contains(employee));
        }
        Ok(Self { within: Some(bounds), ..self })
    }

    fn shown(reply: R::Reply, reach: &Reach) -> Result<R::Reply, Failure> {
        R::shown(reply, reach)
    }
}

impl ForManagers for GetEmployee {
    type Sent = Self;

    fn within(self, reach: &Reach) -> Result<Self, Failure> {
        reach.require_seen(self.id).map(|()| self)
    }
}

/// Settings apply to everybody, so managers may read them.
impl ForManagers for GetSettings {
    type Sent = Self;

    fn within(self, _: &Reach) -> Result<Self, Failure> {
        Ok(self)
    }
}

impl ForManagers for GetTaskTime {
    type Sent = Self;

    fn within(self, reach: &Reach) -> Result<Self, Failure> {
        reach.require_seen(self.employee_id).map(|()| self)
    }
}

fn filtered(filter: Filter, reach: &Reach) -> Result<Filter, Failure> {
    Ok(Filter { employees: reach.seen_of(filter.employees)?, ..filter })
}

impl ForManagers for GetTime {
    type Sent = Self;

    fn within(self, reach: &Reach) -> Result<Self, Failure> {
        Ok(Self { filter: filtered(self.filter, reach)?, ..self })
    }
}

impl ForManagers for GetProjectTime {
    type Sent = Self;

    fn within(self, reach: &Reach) -> Result<Self, Failure> {
        Ok(Self { filter: filtered(self.filter, reach)?, ..self })
    }
}

impl ForManagers for ListWindows {
    type Sent = Self;

    fn within(self, reach: &Reach) -> Result<Self, Failure> {
        Ok(Self { filter: filtered(self.filter, reach)?, ..self })
    }
}

/// Requests with a list of employees, which is limited to the manager's people.
macro_rules! of_employees {
    ($($name:ty),* $(,)?) => {$(
        impl ForManagers for $name {
            type Sent = Self;

            fn within(mut self, reach: &Reach) -> Result<Self, Failure> {
                self.employees = reach.seen_of(self.employees)?;
                Ok(self)
            }
        }
    )*};
}

of_employees! {
    ListOverlaps, ListLongDays, ListRoster, ListTracking, ListSilent, CountUndelivered, ListPeriods, ListAdjustments,
    GetPeriodSums, GetPeriodStates, ListLanes,
}

/// Locks apply to a manager's hours too: those of everybody, and of the projects that they see.
impl ForManagers for ListLocks {
    type Sent = Self;

    fn within(self, _: &Reach) -> Result<Self, Failure> {
        Ok(self)
    }

    fn shown(mut locks: Vec<Lock>, reach: &Reach) -> Result<Vec<Lock>, Failure> {
        locks.retain(|lock| lock.project_id.is_none_or(|project| reach.sees_project(project)));
        Ok(locks)
    }
}

impl ForManagers for UpdateWindows {
    type Sent = Self;

    fn within(self, reach: &Reach) -> Result<Self, Failure> {
        Ok(Self { employees: reach.decided_of(self.employees)?, ..self })
    }
}

/// Reduces a project to the manager's people and their rates.
fn seen(project: Project, reach: &Reach) -> Option<Project> {
    let mut project = Some(project).filter(|project| reach.sees_project(project.id))?;
    project.employees.retain(|employee| reach.sees(*employee));
    project.payroll.0.retain(|payee, _| match payee {
        Payee::Everybody => true,
        Payee::Employee(employee) => reach.sees(*employee),
    });
    Some(project)
}

impl ForManagers for GetProject {
    type Sent = Self;

    fn within(self, _: &Reach) -> Result<Self, Failure> {
        Ok(self)
    }

    fn shown(project: Project, reach: &Reach) -> Result<Project, Failure> {
        seen(project, reach).ok_or_else(|| Failure::not_found("project"))
    }
}

impl ForManagers for ListProjects {
    type Sent = Self;

    fn within(self, _: &Reach) -> Result<Self, Failure> {
        Ok(self)
    }

    fn shown(page: Page<Project, ProjectId>, reach: &Reach) -> Result<Page<Project, ProjectId>, Failure> {
        let items = page.items.into_iter().filter_map(|project| seen(project, reach)).collect();
        Ok(Page { items, next: page.next })
    }
}

/// Whether a manager sees a rate: one for everybody or for their people, of a project of their people. A rate of a
/// task only is hidden, because its project is not known here.
fn sees_rate(rate: &DatedRate, reach: &Reach) -> bool {
    let RateScope { project, task, employee } = rate.scope;
    let is_theirs = employee.is_none_or(|employee| reach.sees(employee));
    let is_near = project.is_none_or(|project| reach.sees_project(project)) && (task.is_none() || employee.is_some());
    is_theirs && is_near
}

impl ForManagers for GetRate {
    type Sent = Self;

    fn within(self, _: &Reach) -> Result<Self, Failure> {
        Ok(self)
    }

    fn shown(rate: DatedRate, reach: &Reach) -> Result<DatedRate, Failure> {
        Some(rate).filter(|rate| sees_rate(rate, reach)).ok_or_else(|| Failure::not_found("rate"))
    }
}

impl ForManagers for ListRates {
    type Sent = Self;

    fn within(self, reach: &Reach) -> Result<Self, Failure> {
        self.employees.iter().try_for_each(|employee| reach.require_seen(*employee)).map(|()| self)
    }

    fn shown(mut page: Page<DatedRate, RateId>, reach: &Reach) -> Result<Page<DatedRate, RateId>, Failure> {
        page.items.retain(|rate| sees_rate(rate, reach));
        Ok(page)
    }
}

/// Reduces a task to the manager's people.
fn seen_task(task: Task, reach: &Reach) -> Option<Task> {
    let mut task = Some(task).filter(|task| reach.sees_project(task.project_id))?;
    task.employees.retain(|employee| reach.sees(*employee));
    Some(task)
}

impl ForManagers for GetTask {
    type Sent = Self;

    fn within(self, _: &Reach) -> Result<Self, Failure> {
        Ok(self)
    }

    fn shown(task: Task, reach: &Reach) -> Result<Task, Failure> {
        seen_task(task, reach).ok_or_else(|| Failure::not_found("task"))
    }
}

impl ForManagers for ListTasks {
    type Sent = Self;

    fn within(self, reach: &Reach) -> Result<Self, Failure> {
        match self.project_id {
            Some(project) if !reach.sees_project(project) => Err(Failure::not_found("project")),
            _ => Ok(self),
        }
    }

    fn shown(page: Page<Task, TaskId>, reach: &Reach) -> Result<Page<Task, TaskId>, Failure> {
        let items = page.items.into_iter().filter_map(|task| seen_task(task, reach)).collect();
        Ok(Page { items, next: page.next })
    }
}

impl ForManagers for GetTeam {
    type Sent = Self;

    fn within(self, reach: &Reach) -> Result<Self, Failure> {
        reach.require_managed(self.id).map(|()| self)
    }
}

impl ForManagers for ListTeams {
    type Sent = Self;

    fn within(self, _: &Reach) -> Result<Self, Failure> {
        Ok(self)
    }

    fn shown(page: Page<Team, TeamId>, reach: &Reach) -> Result<Page<Team, TeamId>, Failure> {
        let items = page.items.into_iter().filter(|team| reach.manages(team.id)).collect();
        Ok(Page { items, next: page.next })
    }
}
