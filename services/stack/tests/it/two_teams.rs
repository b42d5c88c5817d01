//! The fixture of tests about teams: a system with two teams, of which one has a manager.

use serde_json::{Value, json};

use crate::{
    api::{Person, Response},
    fixture::{HOUR, TEN, WINDOWS, id},
    support::System,
};

/// An employee with a project and a task of their own. The employee has windows of 17, 1 and 1
/// hours, of which the second overlaps the first, three quarantined windows, and two correction
/// requests.
pub struct Member {
    pub person: Person,
    pub team: String,
    pub project: String,
    pub task: String,
    pub windows: Vec<String>,
    pub quarantined: Vec<String>,
    /// The ids of the employee's correction requests.
    pub corrections: Vec<String>,
    pub rate: String,
}

impl Member {
    /// Returns the texts that must not appear in answers to members of other teams.
    pub fn secrets(&self) -> Vec<String> {
        let id = self.person.id.to_string();
        let own = [id, self.team.clone(), self.project.clone(), self.task.clone(), self.rate.clone()];
        own.into_iter()
            .chain(self.windows.clone())
            .chain(self.quarantined.clone())
            .chain(self.corrections.clone())
            .collect()
    }
}

/// Zoe manages the team Design, whose members are Ann and herself. Bob is in another team without a
/// manager. All three are also on a common project, whose payroll names each of them.
pub struct TwoTeams {
    pub system: System,
    pub ann: Member,
    pub bob: Member,
    pub zoe: Member,
    pub common: String,
    pub common_task: String,
}

impl TwoTeams {
    /// Starts the system, creates the teams, and records the hours of all three.
    pub async fn start() -> Self {
        let system = System::start().await;
        let mut people = Vec::new();
        for name in ["Ann", "Bob", "Zoe"] {
            people.push(system.new_employee(name, &format!("{name}@example.org")).await);
        }
        let ids: Vec<_> = people.iter().map(|person| person.id).collect();
        let payroll: Value = ids.iter().map(|id| (id.to_string(), json!({ "billRate": 50.0 }))).collect();
        let common = system.create_project(json!({ "name": "Common", "employees": ids, "payroll": payroll })).await;
        let common_task = id(&system.create_task(json!({ "projectId": common["id"], "employees": ids })).await);
        let common = id(&common);
        let [design, sales] = [("Design", &ids[2..], vec![ids[0], ids[2]]), ("Sales", &[][..], vec![ids[1]])]
            .map(|(name, managers, employees)| json!({ "name": name, "managers": managers, "employees": employees }));
        let design = id(&system.admin("POST", "/api/v1/team", design).await.expect(201));
        let sales = id(&system.admin("POST", "/api/v1/team", sales).await.expect(201));
        let role = format!("/api/v1/employee/{}/role", people[2].id);
        system.admin("PUT", &role, json!({ "role": "manager" })).await.expect(200);
        let log_in = system.login(&people[2].email, &people[2].password).await.expect(200);
        people[2].token = log_in["access_token"].as_str().unwrap().to_owned();
        let mut members = Vec::new();
        for (person, team) in people.into_iter().zip([&design, &sales, &design]) {
            members.push(create_member(&system, person, team).await);
        }
        let [ann, bob, zoe] = members.try_into().unwrap_or_else(|_| panic!("three"));
        Self { system, ann, bob, zoe, common, common_task }
    }

    /// Sends a request as the manager Zoe.
    pub async fn zoe(&self, method: &str, path: &str, body: Value) -> Response {
        self.system.employee(&self.zoe.person.token, method, path, body).await
    }

    /// Sends a GET as the manager Zoe, and returns the body. The body must contain nothing of Bob.
    pub async fn read(&self, path: &str) -> Value {
        let answer = self.zoe("GET", path, Value::Null).await;
        self.assert_tells_nothing_of_bob(path, &answer.text);
        answer.expect(200)
    }

    /// Fails the test if a text contains anything of Bob.
    pub fn assert_tells_nothing_of_bob(&self, path: &str, text: &str) {
        let leaked: Vec<_> = self.bob.secrets().into_iter().filter(|secret| text.contains(secret)).collect();
        assert!(leaked.is_empty() && !text.contains("Bob"), "{path} tells {leaked:?}: {text}");
    }
}

/// Creates an employee's project and task, windows, quarantined windows, correction requests and
/// rate.
async fn create_member(system: &System, person: Person, team: &str) -> Member {
    let only = json!({ "name": format!("Work of {}", person.id), "employees": [person.id] });
    let project = id(&system.create_project(only).await);
    let task = id(&system.create_task(json!({ "projectId": project, "employees": [person.id] })).await);
    let foreign = id(&system.create_task(json!({ "name": "Nobody's", "projectId": project })).await);
    let window = |task: &str, start: i64, end: i64| {
        json!({
            "id": kit::new_id::<contracts::WindowId>(), "start": start, "end": end, "timezoneOffset": 0,
            "projectId": project, "taskId": task, "computer": "a-pc", "user": "u", "os": "linux", "osVersion": "6",
            "hwid": "9f8e",
        })
    };
    let post = async |window: Value, status: u16| {
        system.employee(&person.token, "POST", WINDOWS, window.clone()).await.expect(status);
        id(&window)
    };
    let mut windows = Vec::new();
    for (from, until) in [(0, 17), (1, 2), (20, 21)] {
        windows.push(post(window(&task, TEN + from * HOUR, TEN + until * HOUR), 201).await);
    }
    let mut quarantined = Vec::new();
    for at in 30..33 {
        quarantined.push(post(window(&foreign, TEN + at * HOUR, TEN + (at + 1) * HOUR), 400).await);
    }
    let mut corrections = Vec::new();
    for at in 40..42 {
        let time = json!({
            "start": TEN + at * HOUR, "end": TEN + (at + 1) * HOUR, "projectId": project, "taskId": task,
            "reason": "The clock stood still.",
        });
        corrections.push(id(&system.employee(&person.token, "POST", "/api/v1/correction", time).await.expect(201)));
    }
    let rate = json!({ "scope": { "employee": person.id }, "kind": "pay", "amount": 20, "validFrom": "2150-01-01" });
    let rate = id(&system.admin("POST", "/api/v1/rate", rate).await.expect(201));
    Member { team: team.to_owned(), person, project, task, windows, quarantined, corrections, rate }
}
