//! Fills an empty system with the demo company, through its HTTP API only.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use contracts::{DAY, HOUR};
use futures::{StreamExt, TryStreamExt, future::try_join_all, stream};
use kit::Clock;
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::{
    NOT_EMPTY,
    calendar::{Calendar, MINUTE, Planned},
    client::{Client, Credentials, id},
    mail::Mail,
    password::password,
    people::{ACTIVE, PEOPLE, Person, QUARANTINED, TRACKING},
    progress::Progress,
    projects::{PROJECTS, Place, assigned, foreign_task},
    tracking::{AtWork, Tracking},
    welcome::Welcome,
};

/// The path to which batches of windows are posted.
const BATCH: &str = "/api/v1/time-entries/batch";
/// The path of the organisation's settings.
const SETTINGS: &str = "/api/v1/settings";
/// The largest number of windows in a batch.
const BATCH_MOST: usize = 500;
/// How many batches are sent at the same time.
const BATCHES: usize = 4;
/// How often a batch is sent at most while some of its windows are only queued, and the pause
/// between two attempts.
const TRIES: usize = 100;
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// A person of the company with an account.
#[derive(Debug)]
struct Employee {
    id: String,
    token: String,
}

/// Fills the system with the data of the last `days` days. Returns the text for the user, and the
/// people who go on tracking.
pub async fn fill(client: Client, data: &Path, days: u16) -> Result<(Welcome, Tracking)> {
    let (started, progress) = (Instant::now(), Progress::new());
    ensure!(
        client.get("/api/v1/employee").await? == json!([]),
        "the servers that are named hold people already: {NOT_EMPTY}"
    );
    let mut settings = client.get(SETTINGS).await?;
    settings["currency"] = json!("EUR");
    client.put(SETTINGS, &settings).await?;
    progress.step("people are invited and choose a password");
    let password = password();
    let mail = Mail::of(data);
    let employees: Vec<Option<Employee>> = stream::iter(&PEOPLE)
        .enumerate()
        .map(|(at, person)| hire(&client, &mail, at, person, &password))
        .buffered(4)
        .try_collect()
        .await?;
    let employees: Vec<Employee> = employees.into_iter().flatten().collect();
    progress.step("projects and tasks");
    let tasks = projects(&client, &employees).await?;
    let company = Company { client, employees, tasks };

    let now = Clock::system().now().0;
    let calendar = Calendar::new(now, i64::from(days));
    let planned: Vec<Vec<Planned>> = (0..ACTIVE).map(|person| calendar.of(person)).collect();
    let windows: usize = planned.iter().map(Vec::len).sum();
    progress.step(&format!("{windows} windows of {days} days"));
    let mut done = 0;
    let batches =
        planned.iter().enumerate().flat_map(|(person, own)| own.chunks(BATCH_MOST).map(move |part| (person, part)));
    let mut sending = stream::iter(batches).map(|(person, part)| company.send(person, part)).buffer_unordered(BATCHES);
    while let Some(sent) = sending.try_next().await? {
        done += sent;
        progress.done("windows", done, windows);
    }
    drop(sending);
    progress.step("what needs somebody");
    company.quarantine_one(now).await?;
    progress.end();

    let at_work = TRACKING.into_iter().filter_map(|person| {
        let last = planned[person].last()?;
        let token = company.employees[person].token.clone();
        Some(AtWork { token, window: company.window(person, last), since: last.end })
    });
    let tracking = Tracking { at_work: at_work.collect(), client: company.client.clone() };
    Ok((Welcome { password, windows, days, took: started.elapsed() }, tracking))
}

/// Invites a person, activates the account and logs the person in. Returns `None` for the people
/// whose invitation stays open.
async fn hire(client: &Client, mail: &Mail, at: usize, person: &Person, password: &str) -> Result<Option<Employee>> {
    let hired = async {
        let email = person.email();
        let body = json!({ "name": person.name, "email": email });
        let path =
            format!("/api/v1/employee/{}", id(&client.post("/api/v1/employee", Credentials::AdminKey, &body).await?)?);
        client.put(&path, &json!({ "title": person.title })).await?;
        if at >= ACTIVE {
            return anyhow::Ok(None);
        }
        let body = json!({ "token": mail.invitation(&email).await?, "password": password });
        let employee = client.post("/api/auth/activate", Credentials::None, &body).await?;
        // The role is set before the log-in, because a change of role ends all sessions.
        if person.role != contracts::Role::Employee {
            client.put(&format!("{path}/role"), &json!({ "role": person.role })).await?;
        }
        let token = client.log_in(&email, password).await?;
        let may = |allowed: bool| if allowed { "authorized" } else { "denied" };
        let permissions =
            json!({ "accessibility": may(true), "screenAndSystemAudioRecording": may(at != QUARANTINED) });
        let entry = json!({ "computer": person.computer, "permissions": permissions });
        client.post(&format!("{path}/permissions"), Credentials::Token(&token), &entry).await?;
        Ok(Some(Employee { id: id(&employee)?, token }))
    };
    hired.await.with_context(|| person.name)
}

/// Creates all projects with their tasks, and returns the ids of each project and of its tasks.
async fn projects(client: &Client, employees: &[Employee]) -> Result<Vec<(String, Vec<String>)>> {
    let ids = |people: &[usize]| people.iter().map(|person| employees[*person].id.clone()).collect::<Vec<_>>();
    let mut made = Vec::with_capacity(PROJECTS.len());
    for (at, project) in PROJECTS.iter().enumerate() {
        let line = |person: &usize| {
            let mut line = json!({ "payRate": PEOPLE[*person].pay });
            if let Some(bills) = project.bills {
                line["billRate"] = json!(bills);
            }
            (employees[*person].id.clone(), line)
        };
        let payroll: Map<String, Value> = project.members.iter().map(line).collect();
        let body = json!({
            "name": project.name, "description": project.description, "billable": project.bills.is_some(),
            "employees": ids(project.members), "payroll": payroll,
        });
        let project_id =
            id(&client.post("/api/v1/project", Credentials::AdminKey, &body).await.context(project.name)?)?;
        let tasks = project.tasks.iter().enumerate().map(async |(task, (name, status, priority))| {
            let body = json!({
                "name": name, "projectId": project_id, "employees": ids(&assigned((at, task))),
                "status": status, "priority": priority, "billable": project.bills.is_some(),
            });
            id(&client.post("/api/v1/task", Credentials::AdminKey, &body).await.context(*name)?)
        });
        let tasks = try_join_all(tasks).await?;
        made.push((project_id, tasks));
    }
    Ok(made)
}

/// The accounts, projects and tasks that were created.
struct Company {
    client: Client,
    employees: Vec<Employee>,
    /// For each project its id and the ids of its tasks.
    tasks: Vec<(String, Vec<String>)>,
}

impl Company {
    /// Returns the body of a request that records a window, as the desktop app sends it.
    fn window(&self, person: usize, planned: &Planned) -> Value {
        let (Person { user, offset, computer, system, .. }, place) = (&PEOPLE[person], planned.task);
        let computer = if planned.elsewhere { format!("{user}-laptop") } else { (*computer).to_owned() };
        let (project, tasks) = &self.tasks[place.0];
        json!({
            "start": planned.start, "end": planned.end, "timezoneOffset": offset * MINUTE,
            "projectId": project, "taskId": tasks[place.1], "user": user, "os": system.0, "osVersion": system.1,
            "hwid": format!("demo-{computer}"), "computer": computer,
        })
    }

    /// Sends windows of a person until all are stored, and returns their number.
    async fn send(&self, person: usize, planned: &[Planned]) -> Result<usize> {
        let windows: Vec<Value> = planned.iter().map(|planned| self.window(person, planned)).collect();
        let body = json!({ "windows": windows });
        for _ in 0..TRIES {
            let answer = self.client.post(BATCH, Credentials::Token(&self.employees[person].token), &body).await?;
            let items = answer["items"].as_array().context("a batch without an answer")?;
            let is = |item: &Value, word: &str| item["status"] == word;
            if let Some(refused) = items.iter().find(|item| is(item, "rejected") || is(item, "conflict")) {
                bail!("a window of {} was refused: {}", PEOPLE[person].name, refused["detail"]);
            }
            if !items.iter().any(|item| is(item, "queued")) {
                return Ok(planned.len());
            }
            // The same batch may be sent again, because each window is recorded once, however often
            // it is sent.
            sleep(RETRY_PAUSE).await;
        }
        bail!("windows of {} are still only queued", PEOPLE[person].name)
    }

    /// Sends a window on a project that the person is not a member of. The system quarantines this
    /// window, so that the demo has one to show.
    async fn quarantine_one(&self, now: i64) -> Result<()> {
        let task: Place = foreign_task(QUARANTINED).context("somebody is on every project")?;
        // 20:00 UTC of yesterday.
        let start = now - now.rem_euclid(DAY) - 4 * HOUR;
        let window = self.window(QUARANTINED, &Planned { task, start, end: start + 10 * MINUTE, elsewhere: false });
        let who = Credentials::Token(&self.employees[QUARANTINED].token);
        let (status, answer) = self.client.try_post("/api/v1/time-entries", who, &window).await?;
        ensure!(
            status.as_u16() == 400 || status.as_u16() == 202,
            "a foreign window was not quarantined: {status}: {answer}"
        );
        Ok(())
    }
}
