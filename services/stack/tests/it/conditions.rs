//! Tests of conditional changes (`If-Match`).

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    api::{Response, send},
    fixture::{Fixture, HOUR, TEN, WINDOWS, id},
    shapes::without_invitations,
};

/// An id that no object has.
const NOBODY: &str = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071";

/// A conditional change, and another change that is made after the tag for the condition was read.
struct Change {
    /// The operation, as the OpenAPI document names it.
    call: &'static str,
    /// The path from which the tag is read.
    reads: String,
    /// The path to which the change is sent.
    path: String,
    /// The body of the change.
    body: Value,
    /// The method, path and body of the other change.
    meanwhile: (&'static str, String, Value),
}

impl Change {
    fn method(&self) -> &'static str {
        self.call.split(' ').next().unwrap()
    }
}

impl Fixture {
    /// Sends a request as Ann if the operation is for employees, otherwise as an admin.
    async fn ask(&self, method: &str, path: &str, body: Value, header: Option<(&str, &str)>) -> Response {
        let request = self.system.request(method, path);
        let request = match path.ends_with("/permissions") || path.starts_with("/api/auth/") {
            true => request.bearer_auth(&self.ann.token),
            false => request.header("X-API-Key", self.system.admin_key),
        };
        let request = match header {
            Some((name, value)) => request.header(name, value),
            None => request,
        };
        send(request, body).await
    }

    /// Sends a conditional change, and repeats it after 503.
    async fn change(&self, method: &str, path: &str, body: Value, seen: &str) -> Response {
        loop {
            let answer = self.ask(method, path, body.clone(), Some(("If-Match", seen))).await;
            if answer.status != 503 {
                return answer;
            }
        }
    }

    /// Returns the ETag of the response at this path.
    async fn tag(&self, path: &str) -> String {
        let read = self.ask("GET", path, Value::Null, None).await;
        assert_eq!(read.status, 200, "{}", read.text);
        read.headers["ETag"].to_str().unwrap().to_owned()
    }

    /// Returns a change for every operation that supports conditions.
    async fn changes(&self) -> Vec<Change> {
        let bob = id(&self.system.invite("Bob", "bob@example.org").await);
        let other = id(&self.system.create_project(json!({ "name": "Shed" })).await);
        let of_other = id(&self.system.create_task(json!({ "projectId": other })).await);
        let (first, second) = (self.record(TEN, TEN + HOUR).await, self.record(TEN + HOUR, TEN + 2 * HOUR).await);
        let at = |noun: &str, id: &str| format!("/api/v1/{noun}/{id}");
        let window = |window: &Value| format!("{WINDOWS}/{}", id(window));
        let (ann, bob) = (at("employee", &self.ann.id.to_string()), at("employee", &bob));
        let titled = |path: &String| ("PUT", path.clone(), json!({ "title": "Engineer" }));
        let permissions = |computer: &str| {
            let allowed = json!({ "accessibility": "denied", "screenAndSystemAudioRecording": "denied" });
            json!({ "computer": computer, "permissions": allowed })
        };
        let change = |call, reads: &String, path: String, body, meanwhile| {
            let reads = reads.clone();
            Change { call, reads, path, body, meanwhile }
        };
        let named = |path: &String| ("PUT", path.clone(), json!({ "name": "Renamed" }));
        let staffed = |path: &String| ("PUT", path.clone(), json!({ "managers": [self.ann.id] }));
        let noted = |path: &String| ("PATCH", path.clone(), json!({ "note": "corrected" }));
        let (project, task) = (self.project_path(), self.task_path());
        let (other, of_other) = (at("project", &other), at("task", &of_other));
        let (first, second) = (window(&first), window(&second));
        let team = async |name: &str| {
            let team = self.system.admin("POST", "/api/v1/team", json!({ "name": name })).await.expect(201);
            at("team", &id(&team))
        };
        let (team, gone) = (team("Design").await, team("Crew").await);
        let settings = "/api/v1/settings".to_owned();
        let weeks_from =
            |day| json!({ "timezone": "UTC", "payPeriod": "week", "anchor": "2026-01-05", "weekStart": day });
        let me = "/api/auth/me".to_owned();
        // The change of the settings below comes before the change of this period, and sets the pay
        // period to a week.
        let period = at("period", &format!("{}_2025-10-06", self.ann.id));
        vec![
            change("PUT /api/v1/employee/{id}", &ann, ann.clone(), json!({ "name": "Anna" }), titled(&ann)),
            change(
                "PUT /api/v1/employee/{id}/role",
                &bob,
                bob.clone() + "/role",
                json!({ "role": "manager" }),
                titled(&bob),
            ),
            change(
                "POST /api/v1/employee/{id}/deactivate",
                &bob,
                bob.clone() + "/deactivate",
                Value::Null,
                named(&bob),
            ),
            change(
                "POST /api/v1/employee/{id}/permissions",
                &me,
                ann.clone() + "/permissions",
                permissions("mac"),
                ("POST", ann.clone() + "/permissions", permissions("pc")),
            ),
            change(
                "PUT /api/v1/project/{id}",
                &project,
                project.clone(),
                json!({ "billable": false }),
                named(&project),
            ),
            change(
                "PUT /api/v1/settings",
                &settings,
                settings.clone(),
                weeks_from("monday"),
                ("PUT", settings.clone(), weeks_from("sunday")),
            ),
            change("PUT /api/v1/team/{id}", &team, team.clone(), json!({ "employees": [] }), named(&team)),
            change("DELETE /api/v1/team/{id}", &gone, gone.clone(), Value::Null, staffed(&gone)),
            change("PUT /api/v1/task/{id}", &task, task.clone(), json!({ "status": "Done" }), named(&task)),
            change("DELETE /api/v1/task/{id}", &of_other, of_other.clone(), Value::Null, named(&of_other)),
            change("DELETE /api/v1/project/{id}", &other, other.clone(), Value::Null, named(&other)),
            change("PATCH /api/v1/time-entries/{id}", &first, first.clone(), json!({ "paid": true }), noted(&first)),
            change("DELETE /api/v1/time-entries/{id}", &second, second.clone(), Value::Null, noted(&second)),
            change(
                "POST /api/v1/period/{id}/approve",
                &period,
                period.clone() + "/approve",
                Value::Null,
                ("PATCH", first.clone(), json!({ "end": TEN + HOUR - 1 })),
            ),
        ]
    }

    /// Returns the operations that change data, from the OpenAPI document, and whether they support
    /// conditions.
    async fn described(&self) -> Vec<(String, bool)> {
        let api = self.system.anybody("GET", "/openapi.json", Value::Null).await.expect(200);
        let mut calls = Vec::new();
        for (path, item) in api["paths"].as_object().unwrap() {
            for (method, call) in item.as_object().unwrap() {
                if path.starts_with("/api/") && method != "get" {
                    let takes = call["parameters"].as_array().into_iter().flatten().any(|p| p["name"] == "If-Match");
                    assert_eq!(call["responses"]["412"].is_object(), takes, "{method} {path}");
                    assert!(call["responses"]["400"].is_object(), "{method} {path}");
                    calls.push((format!("{} {path}", method.to_uppercase()), takes));
                }
            }
        }
        calls
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_on_condition_is_made_on_what_was_seen_or_not_at_all() {
    let fixture = Fixture::start().await;
    let changes = fixture.changes().await;
    let described = fixture.described().await.into_iter().filter(|(_, takes)| *takes).map(|(call, _)| call);
    let tried: BTreeSet<String> = changes.iter().map(|change| change.call.to_owned()).collect();
    assert_eq!(tried, described.collect(), "each call that takes If-Match is tried here");
    for change in changes {
        let Change { call, reads, path, body, meanwhile: (method, place, other) } = &change;
        let seen = fixture.tag(reads).await;
        let done = fixture.ask(method, place, other.clone(), None).await;
        assert!((200..300).contains(&done.status), "{call}: {}", done.text);
        let shown = async || without_invitations(fixture.ask("GET", reads, Value::Null, None).await.expect(200));
        let (now, before) = (fixture.tag(reads).await, shown().await);
        let refused = async |condition: &str| {
            let answer = fixture.ask(change.method(), path, body.clone(), Some(("If-Match", condition))).await;
            (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned())
        };
        let code = if call.contains("/period/") { "period_changed" } else { "precondition_failed" };
        let failed = (412, code.to_owned());
        assert_eq!(refused(&seen).await, failed, "{call}");
        assert_eq!(refused(&format!("W/{now}, \"x\"")).await, failed, "{call}: a weak tag");
        for malformed in ["", "x", "*, \"x\""] {
            assert_eq!(refused(malformed).await, (400, "bad_precondition".to_owned()), "{call}: {malformed}");
        }
        assert_eq!(shown().await, before, "{call}");
        let condition = format!("\"x\", {now}");
        let answer = fixture.ask(change.method(), path, body.clone(), Some(("If-Match", &condition))).await;
        assert!((200..300).contains(&answer.status), "{call}: {}", answer.text);
    }
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_is_not_found_whatever_the_condition_and_any_will_do_for_a_star() {
    let fixture = Fixture::start().await;
    for condition in ["*", "\"x\""] {
        for (method, noun, body) in [
            ("PUT", "project", json!({ "name": "Shed" })),
            ("DELETE", "task", Value::Null),
            ("PUT", "employee", json!({ "name": "Ann" })),
            ("DELETE", "time-entries", Value::Null),
        ] {
            let path = format!("/api/v1/{noun}/{NOBODY}");
            let answer = fixture.ask(method, &path, body, Some(("If-Match", condition))).await;
            assert_eq!(answer.refused(404), "not_found", "{path} {condition}");
        }
    }
    let renamed = json!({ "name": "Shed" });
    fixture.ask("PUT", &fixture.project_path(), renamed, Some(("If-Match", "*"))).await.expect(200);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_takes_no_condition_is_refused_with_one() {
    let fixture = Fixture::start().await;
    let mut refused = 0;
    for (call, takes) in fixture.described().await {
        let (method, path) = call.split_once(' ').unwrap();
        let path = path.replace("{id}", NOBODY);
        for header in ["If-Match", "If-None-Match"] {
            if takes && header == "If-Match" {
                continue;
            }
            let request = fixture.system.request(method, &path).header(header, "\"x\"");
            // The request is sent as an admin, or as an employee if the operation is for employees.
            let as_admin = request.try_clone().unwrap().header("X-API-Key", fixture.system.admin_key);
            let mut answer = send(as_admin, Value::Null).await;
            if answer.status == 401 {
                answer = send(request.bearer_auth(&fixture.ann.token), Value::Null).await;
            }
            assert_eq!(answer.refused(400), "bad_precondition", "{call} {header}");
            refused += 1;
        }
    }
    assert!(refused > 20, "{refused}");
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_by_itself_stands_in_nobodys_way() {
    let fixture = Fixture::start().await;
    let ann = format!("/api/v1/employee/{}", fixture.ann.id);
    // Two things change that a change of the title does not compare: the permissions of a computer,
    // and the list of projects.
    let seen = fixture.tag(&ann).await;
    let allowed = json!({ "accessibility": "denied", "screenAndSystemAudioRecording": "denied" });
    let permissions = json!({ "computer": "mac", "permissions": allowed });
    fixture.ask("POST", &format!("{ann}/permissions"), permissions, None).await.expect(200);
    let shed = fixture.system.create_project(json!({ "name": "Shed", "employees": [fixture.ann.id] })).await;
    assert_ne!(fixture.tag(&ann).await, seen, "whoever only reads is told");
    let titled = json!({ "title": "Engineer" });
    fixture.ask("PUT", &ann, titled, Some(("If-Match", &seen))).await.expect(200);
    // A change of projects compares the list of projects, which has changed since the tag was read.
    let projects = json!({ "projects": [fixture.project] });
    let refused = fixture.ask("PUT", &ann, projects.clone(), Some(("If-Match", &seen))).await;
    assert_eq!(refused.refused(412), "precondition_failed");
    let on = fixture.system.get(&format!("/api/v1/project/{}", id(&shed))).await;
    assert_eq!(on["employees"], json!([fixture.ann.id]));
    let seen = fixture.tag(&ann).await;
    let now = fixture.ask("PUT", &ann, projects, Some(("If-Match", &seen))).await.expect(200);
    assert_eq!(now["projects"], json!([fixture.project]));

    // A new window that begins earlier takes time from this window. That changes the tag, but not
    // what a correction compares.
    let window = format!("{WINDOWS}/{}", id(&fixture.record(TEN, TEN + HOUR).await));
    let seen = fixture.tag(&window).await;
    fixture.record(TEN - HOUR, TEN + HOUR / 2).await;
    assert_ne!(fixture.tag(&window).await, seen, "whoever only reads is told");
    fixture.ask("PATCH", &window, json!({ "paid": true }), Some(("If-Match", &seen))).await.expect(200);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_change_what_they_have_all_seen_one_does() {
    const MANY: usize = 8;
    type Body<'a> = Box<dyn Fn(usize) -> Value + 'a>;
    let fixture = Fixture::start().await;
    let mut projects = Vec::new();
    for n in 0..MANY {
        projects.push(id(&fixture.system.create_project(json!({ "name": format!("Shed {n}") })).await));
    }
    let window = format!("{WINDOWS}/{}", id(&fixture.record(TEN, TEN + HOUR).await));
    let ann = format!("/api/v1/employee/{}", fixture.ann.id);
    let name = |n: usize| json!({ "name": format!("Name {n}") });
    let changes: [(&str, String, Body<'_>); 6] = [
        ("PUT", fixture.project_path(), Box::new(name)),
        ("PUT", fixture.task_path(), Box::new(name)),
        ("PUT", ann.clone(), Box::new(name)),
        ("PUT", ann.clone(), Box::new(|n| json!({ "projects": [projects[n]] }))),
        // Each change has another title. Otherwise several would succeed, because the second of two
        // identical changes changes nothing.
        ("PUT", ann, Box::new(|n| json!({ "projects": [], "title": format!("Title {n}") }))),
        ("PATCH", window, Box::new(|n| json!({ "note": format!("note {n}") }))),
    ];
    for (method, path, body) in changes {
        let seen = fixture.tag(&path).await;
        let answers = join_all((0..MANY).map(|n| fixture.change(method, &path, body(n), &seen))).await;
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        let count = |status| statuses.iter().filter(|given| **given == status).count();
        assert_eq!((count(200), count(412)), (1, MANY - 1), "{path}: {statuses:?}");
        let won = answers.into_iter().position(|answer| answer.status == 200).unwrap();
        let now = fixture.system.get(&path).await;
        for (field, value) in body(won).as_object().unwrap() {
            assert_eq!(&now[field], value, "{path}");
        }
    }
    fixture.system.finish().await;
}
