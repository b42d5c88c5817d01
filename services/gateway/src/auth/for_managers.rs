//! How each request type is limited when a manager sends it.

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

/// Request types that are always refused for managers, because their role has no scope for them.
/// Before managers get such a scope, the request type must get a limit instead.
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
    // Employees ask for corrections of their own time only, never as managers.
    AskCorrection,
}

/// Request types that are refused for managers although their role has the scope: managers do not
/// reopen periods, set or reopen locks, or make or read pay runs.
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

/// Request types that are sent together with the manager's limits. Most name an item by its id, and
/// only the service that stores the item knows whose data it is.
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

/// Request types for lists, which are sent together with the manager's limits. An older version of
/// the service ignores the limits, so entries outside the limits are also removed from the reply.
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

/// A request that may already be limited to some employees. For a manager, both limits apply.
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

/// Managers may read the settings, which apply to everybody.
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

/// Request types with a list of employees. A request without employees is limited to those that the
/// manager sees. A request that names another employee is refused.
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

/// A manager sees the lock of the organisation and the locks of the projects that they see, because
/// these locks apply to the hours of their teams.
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

/// The project without the employees whom the manager does not see, and without the rates of these
/// employees. Rates for everybody stay. `None` when the manager does not see the project.
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

/// Whether a manager sees a rate. The rate's employee and its project must be visible to the
/// manager, if the rate names them. A rate that names a task but no employee is hidden, because the
/// task's project is not known here.
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

/// The task with only those employees that the manager sees; `None` when the manager does not see
/// the task's project.
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
