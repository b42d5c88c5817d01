use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use bench::fleet::{ADMIN_KEY, Fleet, FleetOptions, Replica};
use bson::{Document, doc};
use contracts::{EmployeeId, Millis, ProjectId, Service, TaskId};
use futures::TryStreamExt;
use kit::Clock;
use mongodb::Database;
use reqwest::{Method, RequestBuilder, header};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{answer::Answer, late::Late, mails::Mails};

/// The services that run as two processes: all that make decisions or have copies.
const TWICE: [Service; 5] =
    [Service::Directory, Service::Projects, Service::Timetrack, Service::Analytics, Service::Gateway];
/// The time limit for an answer.
const ANSWER: Duration = Duration::from_secs(40);
/// How often a request that prepares a round is sent at most, and the pause between two attempts.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(250);
/// The services with an outbox.
const TELLING: [Service; 4] = [Service::Directory, Service::Projects, Service::Timetrack, Service::Mailer];
/// How long an event may stay in an outbox. Each replica reads its outbox every second.
const TOLD: Duration = Duration::from_secs(20);
/// The password of employees. The system refuses passwords that are easy to guess.
pub(super) const PASSWORD: &str = "lantern over the quiet harbour";

/// A system of real processes, two of each service in [`TWICE`], and a client for it.
pub(super) struct Testbed {
    fleet: Fleet,
    /// The second process of each service in [`TWICE`].
    _seconds: Vec<Replica>,
    /// The base URLs of the gateways. Each side of a race uses its own gateway.
    bases: [String; 2],
    http: reqwest::Client,
    clock: Clock,
    started: Instant,
    made: AtomicUsize,
    pub(super) mails: Mails,
    pub(super) late: Late,
    pub(super) directory: Database,
    pub(super) projects: Database,
    pub(super) timetrack: Database,
    mailer: Database,
}

/// An employee who is logged in.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) id: EmployeeId,
    /// The value of the header `Authorization`.
    pub(super) authorization: String,
}

/// The credentials of a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum As<'a> {
    Admin,
    Nobody,
    Employee(&'a Person),
}

impl Testbed {
    /// Starts the system, with a deliberate fault in the services if `mutant` names one.
    pub(super) async fn start(mutant: Option<String>) -> Result<Self> {
        let fleet = Fleet::start_with(FleetOptions { sync_always: true, mutant, ..Default::default() }).await?;
        let mut seconds = Vec::new();
        for service in TWICE {
            seconds.push(fleet.add(service).await.with_context(|| format!("a second {service}"))?);
        }
        let second = seconds.last().context("no second gateway")?.base.clone();
        let mongo = fleet.mongo().await?;
        let database = |service: Service| mongo.database(&format!("t3_db_{service}"));
        Ok(Self {
            bases: [fleet.base.clone(), second],
            http: reqwest::Client::builder().no_proxy().timeout(ANSWER).build()?,
            clock: Clock::system(),
            started: Instant::now(),
            made: AtomicUsize::new(0),
            mails: Mails::of(&fleet.data),
            late: Late::listen(fleet.bus().await?).await?,
            directory: database(Service::Directory),
            projects: database(Service::Projects),
            timetrack: database(Service::Timetrack),
            mailer: database(Service::Mailer),
            _seconds: seconds,
            fleet,
        })
    }

    /// Stops the system.
    pub(super) async fn stop(self) {
        drop(self._seconds);
        self.fleet.stop().await;
    }

    /// Returns the subjects of events that were committed, but not published within [`TOLD`].
    ///
    /// # Errors
    /// When MongoDB cannot be read.
    pub(super) async fn untold(&self) -> Result<Vec<String>> {
        let since = Instant::now();
        loop {
            let mut untold = Vec::new();
            for (service, database) in
                TELLING.into_iter().zip([&self.directory, &self.projects, &self.timetrack, &self.mailer])
            {
                let rows: Vec<Document> =
                    database.collection("outbox").find(doc! {}).sort(doc! { "_id": 1 }).await?.try_collect().await?;
                untold.extend(rows.iter().map(|row| format!("{service}: {}", row.get_str("subject").unwrap_or("?"))));
            }
            if untold.is_empty() || since.elapsed() > TOLD {
                return Ok(untold);
            }
            sleep(PAUSE).await;
        }
    }

    /// Returns the present time.
    pub(super) fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Returns the microseconds since the start of the system.
    pub(super) fn micros(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Returns a number that was not returned before.
    pub(super) fn number(&self) -> usize {
        self.made.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a request once, through the gateway of this side.
    pub(super) async fn ask(&self, side: usize, who: As<'_>, method: Method, path: &str, body: &Value) -> Answer {
        self.send(self.request(side, who, method, path, body)).await
    }

    /// Sends an admin's request with the condition `If-Match`.
    pub(super) async fn ask_if(&self, side: usize, method: Method, path: &str, body: &Value, tag: &str) -> Answer {
        self.send(self.request(side, As::Admin, method, path, body).header(header::IF_MATCH, tag)).await
    }

    /// Sends a log-in through the gateway of this side.
    pub(super) async fn log_in(&self, side: usize, email: &str, password: &str) -> Answer {
        let request = self.http.post(format!("{}/api/auth/login", self.bases[side % 2]));
        self.send(request.form(&[("username", email), ("password", password)])).await
    }

    fn request(&self, side: usize, who: As<'_>, method: Method, path: &str, body: &Value) -> RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.bases[side % 2]));
        if !body.is_null() {
            request = request.json(body);
        }
        match who {
            As::Admin => request.header("X-API-Key", ADMIN_KEY),
            As::Nobody => request,
            As::Employee(person) => request.header(header::AUTHORIZATION, &person.authorization),
        }
    }

    async fn send(&self, request: RequestBuilder) -> Answer {
        let sent = self.micros();
        let mut answer = Answer { sent, ..Answer::default() };
        if let Ok(response) = request.send().await {
            answer.status = response.status().as_u16();
            let tag = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
            answer.tag = tag.unwrap_or_default().to_owned();
            let body = response.bytes().await.unwrap_or_default();
            answer.body = serde_json::from_slice(&body).unwrap_or_default();
            answer.code = answer.body["code"].as_str().unwrap_or_default().to_owned();
        }
        (answer.heard, answer.heard_at) = (self.micros(), self.now());
        answer
    }

    /// Repeats an admin's request that prepares a round, until it succeeds.
    ///
    /// # Errors
    /// When the request is refused, or never gets a definite answer.
    pub(super) async fn set(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        Ok(self.settled(As::Admin, method, path, body).await?.body)
    }

    /// Repeats a request with any credentials until it succeeds or is refused. A refusal is an
    /// error.
    pub(super) async fn settled(&self, who: As<'_>, method: Method, path: &str, body: &Value) -> Result<Answer> {
        let mut last = Answer::default();
        for n in 0..TRIES {
            last = self.ask(n as usize, who, method.clone(), path, body).await;
            match last.status {
                200..=299 => return Ok(last),
                0 | 429 | 503 | 504 => sleep(PAUSE).await,
                _ => break,
            }
        }
        bail!("{method} {path}: {last:?} {}", last.body["detail"].as_str().unwrap_or_default())
    }

    /// Creates an object with an admin's POST, and returns its id.
    pub(super) async fn make<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T> {
        let made = self.set(Method::POST, path, body).await?;
        serde_json::from_value(made["id"].clone()).with_context(|| format!("no id from {path}"))
    }

    /// Returns a new e-mail address.
    pub(super) fn address(&self) -> String {
        format!("somebody-{}@races.example", self.number())
    }

    /// Creates an employee whose account is not activated.
    pub(super) async fn employee(&self) -> Result<EmployeeId> {
        self.make("/api/v1/employee", &json!({ "name": "Somebody", "email": self.address() })).await
    }

    /// Creates a project with these members.
    pub(super) async fn project(&self, employees: &[EmployeeId]) -> Result<ProjectId> {
        let payroll = json!({ "*": { "billRate": 50 } });
        self.make("/api/v1/project", &json!({ "name": "Race", "employees": employees, "payroll": payroll })).await
    }

    /// Creates a task of a project with these assignees.
    pub(super) async fn task(&self, project: ProjectId, employees: &[EmployeeId]) -> Result<TaskId> {
        self.make("/api/v1/task", &json!({ "name": "To run", "projectId": project, "employees": employees })).await
    }

    /// Creates an employee, activates the account and logs in.
    pub(super) async fn person(&self) -> Result<Person> {
        let email = self.address();
        let id = self.make("/api/v1/employee", &json!({ "name": "Somebody", "email": email })).await?;
        let token = self.mails.invitation(&email).await?;
        let activate = json!({ "token": token, "password": PASSWORD });
        self.settled(As::Nobody, Method::POST, "/api/auth/activate", &activate).await?;
        for n in 0..TRIES as usize {
            let login = self.log_in(n, &email, PASSWORD).await;
            if let Some(token) = login.body["access_token"].as_str() {
                return Ok(Person { id, authorization: format!("Bearer {token}") });
            }
            sleep(PAUSE).await;
        }
        bail!("{email} cannot log in")
    }
}

/// Returns the path of a project in the API.
pub(super) fn project_path(id: ProjectId) -> String {
    format!("/api/v1/project/{id}")
}

/// Returns the path of a task in the API.
pub(super) fn task_path(id: TaskId) -> String {
    format!("/api/v1/task/{id}")
}

/// Returns the path of an employee in the API.
pub(super) fn employee_path(id: EmployeeId) -> String {
    format!("/api/v1/employee/{id}")
}
