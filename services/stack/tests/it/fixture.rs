//! The fixture of most tests: a system with one employee, Ann, on a task of a project.

use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    api::{Api, Person, Response},
    support::System,
};

/// 2025-10-09 08:53:20 UTC, in milliseconds since 1970. The windows of most tests begin at or after
/// it.
pub const TEN: i64 = 1_760_000_000_000;
/// Milliseconds in a minute.
pub const MINUTE: i64 = 60_000;
/// Milliseconds in an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// The path to which windows are posted.
pub const WINDOWS: &str = "/api/v1/time-entries";

/// A system with Ann on a task of a project.
pub struct Fixture {
    /// The system.
    pub system: System,
    /// The employee on the task, who is logged in.
    pub ann: Person,
    /// The id of the project, whose bill rate is 50 per hour.
    pub project: String,
    /// The id of the task.
    pub task: String,
}

impl Fixture {
    /// Starts a system, and creates Ann, the project and the task.
    pub async fn start() -> Self {
        Self::start_in(System::start().await).await
    }

    /// Creates Ann, the project and the task in a running system.
    pub async fn start_in(system: System) -> Self {
        let ann = system.new_employee("Ann", "ann@example.org").await;
        let payroll = json!({ "*": { "billRate": 50.0 } });
        let project = system.create_project(json!({ "employees": [ann.id], "payroll": payroll })).await;
        let task = system.create_task(json!({ "projectId": project["id"], "employees": [ann.id] })).await;
        let (project, task) = (id(&project), id(&task));
        Self { system, ann, project, task }
    }

    /// Does the same as [`Fixture::start`], and creates Bob, who is on the project and the task
    /// too.
    pub async fn start_with_bob() -> (Self, Person) {
        let fixture = Self::start().await;
        let bob = fixture.system.new_employee("Bob", "bob@example.org").await;
        let both = json!({ "employees": [fixture.ann.id, bob.id] });
        fixture.system.put(&fixture.project_path(), both.clone()).await;
        fixture.system.put(&fixture.task_path(), both).await;
        (fixture, bob)
    }

    /// Returns the path of the project.
    pub fn project_path(&self) -> String {
        format!("/api/v1/project/{}", self.project)
    }

    /// Returns the path of the task.
    pub fn task_path(&self) -> String {
        format!("/api/v1/task/{}", self.task)
    }

    /// Returns the body of a request that records a window on the task.
    pub fn window(&self, start: i64, end: i64) -> Value {
        json!({
            "start": start, "end": end, "timezoneOffset": 0, "projectId": self.project, "taskId": self.task,
            "computer": "anns-pc", "user": "ann", "os": "linux", "osVersion": "6", "hwid": "9f8e",
        })
    }

    /// Advances the clock, and waits until the gateway accepts tokens again. By the new clock, the
    /// gateway's list of revoked tokens may be out of date. So it answers 503 until the next
    /// heartbeat confirms the list.
    pub async fn advance(&self, millis: i64) {
        self.system.harness.clock.advance(millis);
        eventually("the gateway has heard of revocations since", async || {
            let me = self.system.employee(&self.ann.token, "GET", "/api/auth/me", Value::Null).await;
            (me.status != 503).then_some(())
        })
        .await;
    }

    /// Posts a window as Ann.
    pub async fn post(&self, window: Value) -> Response {
        self.system.employee(&self.ann.token, "POST", WINDOWS, window).await
    }

    /// Records a window of Ann on the task, and returns it.
    pub async fn record(&self, start: i64, end: i64) -> Value {
        self.post(self.window(start, end)).await.expect(201)
    }

    /// Returns the milliseconds, costs and income of the project in this range, from the report
    /// project-time.
    pub async fn project_time(&self, start: i64, end: i64) -> (i64, f64, f64) {
        let query = format!("start={start}&end={end}&projectId={}", self.project);
        let times = self.system.get(&format!("/api/v1/analytics/project-time?{query}")).await;
        match &times.as_array().unwrap()[..] {
            [] => (0, 0.0, 0.0),
            [time] => {
                assert_eq!(time["id"], *self.project);
                (time["time"].as_i64().unwrap(), time["costs"].as_f64().unwrap(), time["income"].as_f64().unwrap())
            }
            more => panic!("one project was asked for: {more:?}"),
        }
    }

    /// Returns the windows that overlap a range, without the names that a list has beside ids. So
    /// they equal the answers to posts.
    pub async fn windows(&self, start: i64, end: i64) -> Vec<Value> {
        let windows = self.system.get(&format!("/api/v1/analytics/window?start={start}&end={end}")).await;
        windows.as_array().unwrap().iter().map(nameless).collect()
    }
}

impl Api {
    /// Sends a GET as an admin, and returns the body.
    pub async fn get(&self, path: &str) -> Value {
        self.admin("GET", path, Value::Null).await.expect(200)
    }

    /// Sends a PUT as an admin, and returns the body.
    pub async fn put(&self, path: &str, changes: Value) -> Value {
        self.admin("PUT", path, changes).await.expect(200)
    }

    /// Creates a project with these fields, and returns it. Its default name is Website.
    pub async fn create_project(&self, fields: Value) -> Value {
        self.admin("POST", "/api/v1/project", merged(json!({ "name": "Website" }), fields)).await.expect(201)
    }

    /// Creates a task with these fields, and returns it. Its default name is Front page.
    pub async fn create_task(&self, fields: Value) -> Value {
        self.admin("POST", "/api/v1/task", merged(json!({ "name": "Front page" }), fields)).await.expect(201)
    }

    /// Creates an employee without activating the account, and returns the employee.
    pub async fn invite(&self, name: &str, email: &str) -> Value {
        self.admin("POST", "/api/v1/employee", json!({ "name": name, "email": email })).await.expect(201)
    }
}

/// Returns a row without the names that lists have beside ids.
pub fn nameless(row: &Value) -> Value {
    let mut row = row.clone();
    for name in ["projectName", "taskName", "employeeName"] {
        row.as_object_mut().unwrap().remove(name);
    }
    row
}

/// Returns the field `id` of an object.
pub fn id(of: &Value) -> String {
    of["id"].as_str().unwrap_or_else(|| panic!("no id: {of}")).to_owned()
}

/// Sets each field of `fields` in `object`, and returns `object`.
pub fn merged(mut object: Value, fields: Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        object[name] = value.clone();
    }
    object
}
