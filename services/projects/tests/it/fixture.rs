use contracts::{
    Caller, CreateEmployee, CreateProject, CreateTask, Email, Employee, EmployeeId, Event, Failure, GetEmployee,
    GetProject, GetTask, Label, Name, Project, ProjectChanges, ProjectId, Request, Service, Task, TaskChanges, TaskId,
    UpdateProject, UpdateTask, stream,
};
use testkit::{Harness, Running, eventually};

/// A test harness in which directory and projects run.
pub(crate) struct Fixture {
    pub(crate) harness: Harness,
    pub(crate) directory: Running,
}

impl Fixture {
    pub(crate) async fn start() -> Self {
        Self::start_both().await.0
    }

    /// Starts directory and projects. Also returns projects, so that the test can stop it.
    pub(crate) async fn start_both() -> (Self, Running) {
        let harness = Harness::start().await;
        let directory = harness
            .spawn(directory::needs(), |deps, stop| directory::run(directory::Config::default(), deps, stop))
            .await;
        let fixture = Self { harness, directory };
        let projects = fixture.start_projects().await;
        (fixture, projects)
    }

    /// Starts a replica of projects.
    pub(crate) async fn start_projects(&self) -> Running {
        let run = |deps, stop| projects::run(projects::Config::default(), deps, stop);
        self.harness.spawn(projects::needs(), run).await
    }

    /// Starts another replica of directory.
    pub(crate) async fn start_directory(&self) -> Running {
        let run = |deps, stop| directory::run(directory::Config::default(), deps, stop);
        self.harness.spawn(directory::needs(), run).await
    }

    /// Starts two replicas of projects, so that requests are not put in order by one process.
    pub(crate) async fn start_replicated() -> Self {
        let fixture = Self::start().await;
        fixture.start_projects().await;
        fixture
    }

    /// Waits until all events are processed, checks that lists and edges are consistent, and
    /// finishes the harness.
    pub(crate) async fn finish(self) {
        self.harness.until_consumed(stream::EVENTS, Service::Projects).await;
        self.assert_consistent().await;
        self.harness.finish().await;
    }

    pub(crate) async fn ask<R: Request>(&self, request: &R) -> Result<R::Reply, Failure> {
        self.harness.ask(request).await
    }

    pub(crate) async fn ask_as<R: Request>(&self, employee: EmployeeId, request: &R) -> Result<R::Reply, Failure> {
        self.harness.bus().ask(Caller::Employee(employee), request).await
    }

    /// Creates an employee.
    pub(crate) async fn employee(&self) -> EmployeeId {
        let id: EmployeeId = kit::new_id();
        let email = Email::parse(&format!("{id}@example.org")).unwrap();
        self.ask(&CreateEmployee { name: name("Ann"), email }).await.unwrap().id
    }

    pub(crate) async fn project(&self, employees: &[EmployeeId]) -> Project {
        self.ask(&CreateProject { employees: Some(employees.to_vec()), ..new_project() }).await.unwrap()
    }

    pub(crate) async fn task(&self, project: ProjectId, employees: &[EmployeeId]) -> Task {
        self.ask(&CreateTask { employees: Some(employees.to_vec()), ..new_task(project) }).await.unwrap()
    }

    pub(crate) async fn change_project(&self, id: ProjectId, changes: ProjectChanges) -> Result<Project, Failure> {
        self.ask(&UpdateProject { id, changes }).await
    }

    pub(crate) async fn change_task(&self, id: TaskId, changes: TaskChanges) -> Result<Task, Failure> {
        self.ask(&UpdateTask { id, changes }).await
    }

    pub(crate) async fn put(&self, id: ProjectId, employees: &[EmployeeId]) -> Result<Project, Failure> {
        self.change_project(id, ProjectChanges { employees: Some(employees.to_vec()), ..Default::default() }).await
    }

    pub(crate) async fn members(&self, id: ProjectId) -> Vec<EmployeeId> {
        self.ask(&GetProject { id }).await.unwrap().employees
    }

    pub(crate) async fn assignees(&self, id: TaskId) -> Vec<EmployeeId> {
        self.ask(&GetTask { id }).await.unwrap().employees
    }

    /// Waits until directory shows the employee on this many projects, and returns the employee.
    pub(crate) async fn until_on(&self, id: EmployeeId, many: usize) -> Employee {
        eventually("directory shows the projects", async || {
            self.ask(&GetEmployee { id }).await.ok().filter(|employee| employee.projects.len() == many)
        })
        .await
    }

    /// Waits until the last event with the same subject as `like` fulfils `wanted`, and returns the
    /// event.
    pub(crate) async fn until_told<E: Event>(&self, like: &E, wanted: impl Fn(&E) -> bool) -> E {
        let stream = self.harness.bus().jetstream.get_stream(stream::EVENTS).await.unwrap();
        let subject = like.subject();
        eventually(&subject, async || {
            let message = stream.get_last_raw_message_by_subject(&subject).await.ok()?;
            Some(serde_json::from_slice(&message.payload).unwrap()).filter(&wanted)
        })
        .await
    }
}

pub(crate) fn new_project() -> CreateProject {
    CreateProject {
        name: name("Website"),
        description: None,
        billable: None,
        employees: None,
        statuses: None,
        priorities: None,
        screenshot_settings: None,
        payroll: None,
    }
}

pub(crate) fn new_task(project_id: ProjectId) -> CreateTask {
    CreateTask {
        name: name("Sketch"),
        project_id,
        description: None,
        billable: None,
        employees: None,
        status: None,
        priority: None,
    }
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(crate) fn labels(words: &[&str]) -> Vec<Label> {
    words.iter().map(|word| Label::parse(word).unwrap()).collect()
}
