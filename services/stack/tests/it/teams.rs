//! Tests of teams over HTTP: members, filters, and what a manager may see and decide. The table of
//! operations is compared with the OpenAPI document, so that a new route cannot be forgotten.

use std::collections::BTreeSet;

use contracts::{Role, Scope};
use serde_json::{Value, json};

use crate::{
    api::send,
    fixture::{HOUR, TEN, WINDOWS, id},
    support::System,
    two_teams::{Member, TwoTeams},
};

/// How a request names the data that it is about.
enum About {
    /// It names nobody: the answer lists everything that the manager may see. The text has other
    /// query parameters.
    List(&'static str),
    /// The query parameter `employeeId` names the employees. The text has other query parameters.
    Employees(&'static str),
    /// The path has the id of an object that belongs to a member.
    Thing(fn(&Member) -> String),
}
use About::{Employees, List, Thing};

/// The expected status and code if a manager sends the request about a member of their team, about
/// a member of another team, and about themselves.
type Expected = [(u16, &'static str); 3];
const READ: Expected = [(200, ""), (403, "other_team"), (200, "")];
const HIDDEN: Expected = [(200, ""), (404, "not_found"), (200, "")];
const CHANGED: Expected = [(200, ""), (403, "other_team"), (403, "own_time")];
const DONE: Expected = [(204, ""), (403, "other_team"), (403, "own_time")];

const ALONE: Expected = [(403, "forbidden"), (403, "forbidden"), (403, "forbidden")];

const RANGE: &str = "start=1759000000000&end=1761000000000";
const LONG: &str = "start=1759000000000&end=1761000000000&hours=2";

/// Returns the id of a member's period of October 2025.
fn period(member: &Member) -> String {
    format!("{}_2025-10-01", member.person.id)
}

/// Returns every operation whose scope the role of a manager has, with its expected answers.
/// Operations that remove a window, or decide about a quarantined one, have a window of their own,
/// so that the other operations find theirs.
fn calls() -> Vec<(&'static str, About, Value, Expected)> {
    let none = Value::Null;
    vec![
        ("GET /api/v1/employee", List(""), none.clone(), READ),
        ("GET /api/v1/employee/{id}", Thing(|w| w.person.id.to_string()), none.clone(), READ),
        ("GET /api/v1/project", List(""), none.clone(), READ),
        ("GET /api/v1/project/{id}", Thing(|w| w.project.clone()), none.clone(), HIDDEN),
        ("GET /api/v1/task", List(""), none.clone(), READ),
        ("GET /api/v1/task/{id}", Thing(|w| w.task.clone()), none.clone(), HIDDEN),
        ("GET /api/v1/team", List(""), none.clone(), READ),
        ("GET /api/v1/team/{id}", Thing(|w| w.team.clone()), none.clone(), READ),
        ("GET /api/v1/analytics/window", Employees(RANGE), none.clone(), READ),
        ("GET /api/v1/analytics/project-time", Employees(RANGE), none.clone(), READ),
        (
            "GET /api/v1/analytics/time",
            Employees("start=1759000000000&end=1761000000000&groupBy=employee,project,task"),
            none.clone(),
            READ,
        ),
        ("GET /api/v1/analytics/overlaps", Employees(RANGE), none.clone(), READ),
        ("GET /api/v1/analytics/long-days", Employees(LONG), none.clone(), READ),
        ("GET /api/v1/analytics/task-time", Thing(|w| w.person.id.to_string()), none.clone(), READ),
        ("GET /api/v1/time-entries/{id}", Thing(|w| w.windows[0].clone()), none.clone(), READ),
        ("GET /api/v1/quarantine", Employees(""), none.clone(), READ),
        ("GET /api/v1/correction", Employees(""), none.clone(), READ),
        ("GET /api/v1/correction/{id}", Thing(|w| w.corrections[0].clone()), none.clone(), READ),
        (
            "POST /api/v1/correction/{id}/refuse",
            Thing(|w| w.corrections[1].clone()),
            json!({ "reason": "No." }),
            CHANGED,
        ),
        ("GET /api/v1/rate", Employees(""), none.clone(), READ),
        ("GET /api/v1/rate/{id}", Thing(|w| w.rate.clone()), none.clone(), HIDDEN),
        // A repricing job belongs to no team.
        ("GET /api/v1/reprice/{id}", Thing(|w| w.rate.clone()), none.clone(), [(403, "other_team"); 3]),
        ("PUT /api/v1/time-entries/update", Employees(""), json!({ "note": "looked at" }), CHANGED),
        ("PATCH /api/v1/time-entries/{id}", Thing(|w| w.windows[0].clone()), json!({ "note": "mended" }), CHANGED),
        ("POST /api/v1/quarantine/{id}/replay", Thing(|w| w.quarantined[0].clone()), none.clone(), CHANGED),
        ("POST /api/v1/quarantine/{id}/admit", Thing(|w| w.quarantined[1].clone()), none.clone(), CHANGED),
        ("POST /api/v1/quarantine/{id}/discard", Thing(|w| w.quarantined[2].clone()), none.clone(), DONE),
        ("DELETE /api/v1/time-entries/{id}", Thing(|w| w.windows[1].clone()), none.clone(), DONE),
        ("GET /api/v1/period", Employees(RANGE), none.clone(), READ),
        ("GET /api/v1/period/{id}", Thing(period), none.clone(), READ),
        // In this test no hours arrive late, so there are no adjustments.
        ("GET /api/v1/adjustment", Thing(|w| w.person.id.to_string()), none.clone(), READ),
        (
            "POST /api/v1/period/{id}/approve",
            Thing(period),
            none.clone(),
            [(400, "bad_precondition"), (403, "other_team"), (403, "own_period")],
        ),
        (
            "POST /api/v1/period/{id}/send-back",
            Thing(period),
            json!({ "note": "Friday is missing." }),
            [(409, "period_not_submitted"), (403, "other_team"), (403, "own_period")],
        ),
        ("POST /api/v1/period/{id}/reopen", Thing(period), json!({ "reason": "A sheet was found." }), ALONE),
        ("POST /api/v1/pay-run", Thing(period), json!({ "start": TEN, "end": TEN + HOUR }), ALONE),
        ("GET /api/v1/pay-run", Thing(period), none.clone(), ALONE),
        ("GET /api/v1/pay-run/{id}", Thing(|w| w.person.id.to_string()), none.clone(), ALONE),
        ("GET /api/v1/lock", Thing(period), none.clone(), [(200, ""), (200, ""), (200, "")]),
        ("PUT /api/v1/lock", Thing(period), json!({ "lockedUntil": TEN }), ALONE),
        ("POST /api/v1/lock/reopen", Thing(period), json!({ "reason": "A sheet was found." }), ALONE),
        ("POST /api/v1/correction/{id}/accept", Thing(|w| w.corrections[0].clone()), none.clone(), CHANGED),
    ]
}

/// Returns the operations whose scope the role of a manager has, from the OpenAPI document.
async fn open_to_managers(system: &System) -> BTreeSet<String> {
    let api = system.anybody("GET", "/openapi.json", Value::Null).await.expect(200);
    let mut calls = BTreeSet::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, call) in item.as_object().unwrap() {
            let access = call["x-access"].as_str().unwrap();
            let scope = access.trim_end_matches(" or own").parse::<Scope>();
            if scope.is_ok_and(|scope| Role::Manager.scopes().allow(scope)) {
                calls.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    calls
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_makes_every_call_for_their_team_and_none_for_others_or_against_themselves() {
    let company = TwoTeams::start().await;
    let described = open_to_managers(&company.system).await;
    let tried: BTreeSet<String> = calls().iter().map(|(call, ..)| (*call).to_owned()).collect();
    assert_eq!(tried, described, "each call that a manager may make is tried here");
    for (call, about, body, expected) in calls() {
        let (method, path) = call.split_once(' ').unwrap();
        let members = [&company.ann, &company.bob, &company.zoe];
        for ((status, code), member) in expected.into_iter().zip(members) {
            let path = match &about {
                List(_) => continue,
                Employees(query) => format!("{path}?{query}&employeeId={}", member.person.id).replace("?&", "?"),
                Thing(of) if path.ends_with("task-time") => {
                    format!("{path}?employeeId={}&taskId={}", of(member), member.task)
                }
                Thing(of) if path.ends_with("adjustment") => format!("{path}?{RANGE}&employeeId={}", of(member)),
                Thing(of) => path.replace("{id}", &of(member)),
            };
            let answer = company.zoe(method, &path, body.clone()).await;
            assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
            if status >= 400 {
                assert_eq!(answer.body["code"], code, "{method} {path}");
            }
            company.assert_tells_nothing_of_bob(&path, &answer.text);
        }
        if let (List(query) | Employees(query), "GET") = (&about, method) {
            let whole = company.read(&format!("{path}?{query}")).await.to_string();
            let theirs = |member: &Member| member.secrets().iter().any(|secret| whole.contains(secret));
            assert!(theirs(&company.ann), "{call}: {whole}");
            // The report project-time has no pages.
            for limit in [1, 2].into_iter().filter(|_| !path.ends_with("project-time")) {
                company.read(&format!("{path}?{query}&limit={limit}").replace("?&", "?")).await;
            }
        }
    }
    // None of the requests has changed the windows of Bob or of the manager.
    for member in [&company.bob, &company.zoe] {
        for window in &member.windows {
            assert_eq!(company.system.get(&format!("{WINDOWS}/{window}")).await["note"], Value::Null);
        }
        let quarantined = company.system.get(&format!("/api/v1/quarantine?employeeId={}", member.person.id)).await;
        assert_eq!(quarantined.as_array().unwrap().len(), 3);
    }
    company.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_s_sums_and_lists_are_those_of_their_people() {
    let company = TwoTeams::start().await;
    let (design, sales) = (&company.ann.team, &company.bob.team);
    let time = async |token: Option<&str>, query: &str| {
        let path = format!("/api/v1/analytics/time?{RANGE}&groupBy=month&{query}");
        let answer = match token {
            Some(token) => company.system.employee(token, "GET", &path, Value::Null).await,
            None => company.system.admin("GET", &path, Value::Null).await,
        };
        answer.expect(200).as_array().unwrap().iter().map(|row| row["time"].as_i64().unwrap()).sum::<i64>() / HOUR
    };
    let zoe = Some(company.zoe.person.token.as_str());
    // Each of the three employees has worked 18 hours, and two of them are in the manager's team.
    assert_eq!((time(None, "").await, time(zoe, "").await), (54, 36));
    assert_eq!((time(None, &format!("teamId={design}")).await, time(zoe, &format!("teamId={design}")).await), (36, 36));
    assert_eq!(time(None, &format!("teamId={design},{sales}")).await, 54);
    assert_eq!(time(None, &format!("teamId={design}&employeeId={}", company.bob.person.id)).await, 0);
    assert_eq!(time(None, &format!("teamId={design}&employeeId={}", company.ann.person.id)).await, 18);
    let empty = id(&company.system.admin("POST", "/api/v1/team", json!({ "name": "Empty" })).await.expect(201));
    for path in [
        format!("/api/v1/employee?teamId={empty}"),
        format!("/api/v1/quarantine?teamId={empty}"),
        format!("/api/v1/analytics/window?{RANGE}&teamId={empty}"),
        format!("/api/v1/analytics/project-time?{RANGE}&teamId={empty}"),
        format!("/api/v1/analytics/overlaps?{RANGE}&teamId={empty}"),
        format!("/api/v1/analytics/long-days?{LONG}&teamId={empty}"),
    ] {
        assert_eq!(company.system.get(&path).await, json!([]), "{path}");
        let filled = company.system.get(&path.replace(&empty, sales)).await;
        let text = filled.to_string();
        assert!(text.contains(&company.bob.person.id.to_string()) || text.contains(&company.bob.project), "{path}");
        let refused = company.zoe("GET", &path.replace(&empty, sales), Value::Null).await;
        assert_eq!(refused.refused(403), "other_team", "{path}");
    }
    let path = format!("/api/v1/analytics/time?{RANGE}&groupBy=month&teamId={design}");
    let by_ann = company.system.employee(&company.ann.person.token, "GET", &path, Value::Null).await;
    assert_eq!(by_ann.refused(403), "forbidden", "a team is not an employee's to ask about");

    // Of a project with members of other teams, the manager sees only her own people and their
    // rates.
    let common = company.read(&format!("/api/v1/project/{}", company.common)).await;
    let ids: Vec<_> = common["employees"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2);
    assert!(
        ids.iter().all(|id| common["payroll"][id].is_object()) && common["payroll"].as_object().unwrap().len() == 2
    );
    company.read(&format!("/api/v1/task/{}", company.common_task)).await;
    let refused = company.zoe("GET", &format!("/api/v1/task?projectId={}", company.bob.project), Value::Null).await;
    assert_eq!(refused.refused(404), "not_found");

    // The same limits hold for the pages of the console.
    for (path, access) in gateway::console_pages().filter(|(path, _)| !path.contains("{id}")) {
        let query = if path == "/console/day" || path == "/console/week" { "?day=2025-10-09" } else { "" };
        let cookie = format!("t3={}", company.zoe.person.token);
        let page = send(company.system.request("GET", &format!("{path}{query}")).header("cookie", cookie), Value::Null);
        let page = page.await;
        // The audit trail, the settings and pay runs belong to no team. So a manager may not open
        // these pages, and no page has a link to them.
        let is_theirs = !["r:audit", "r:settings", "r:periods for all"].contains(&access.as_str());
        assert_eq!(page.status, if is_theirs { 200 } else { 403 }, "{path} {access}");
        let leads = |to| page.text.contains(&format!("href=\"{to}\""));
        let none = ["/console/audit", "/console/settings", "/console/pay-runs"];
        assert!(!none.into_iter().any(leads), "{path}");
        company.assert_tells_nothing_of_bob(path, &page.text);
    }
    company.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_update_by_a_manager_reaches_their_team_without_themselves() {
    let company = TwoTeams::start().await;
    let update = async |query: String| {
        let path = format!("/api/v1/time-entries/update?{query}");
        company.zoe("PUT", &path, json!({ "note": path })).await.expect(200)["modified_count"].as_u64().unwrap()
    };
    let projects = [&company.ann, &company.bob, &company.zoe].map(|member| member.project.as_str()).join(",");
    assert_eq!(update(format!("projectId={projects}")).await, 3);
    assert_eq!(update(format!("teamId={}", company.ann.team)).await, 3);
    assert_eq!(update(format!("projectId={}", company.zoe.project)).await, 0);
    for member in [&company.bob, &company.zoe] {
        let window = company.system.get(&format!("{WINDOWS}/{}", member.windows[0])).await;
        assert_eq!(window["note"], Value::Null);
    }
    let none = company.zoe("PUT", "/api/v1/time-entries/update", json!({ "paid": true })).await;
    assert_eq!(none.refused(400), "no_filter");
    company.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_s_walk_from_a_new_team_to_its_end() {
    let company = TwoTeams::start().await;
    let (system, bob) = (&company.system, &company.bob.person);
    let (design, sales) = (&company.ann.team, &company.bob.team);
    let of_bob = format!("/api/v1/employee/{}", bob.id);
    assert_eq!(company.zoe("GET", &of_bob, Value::Null).await.refused(403), "other_team");
    for (method, path) in [("POST", "/api/v1/team"), ("PUT", &format!("/api/v1/team/{design}"))] {
        let refused = company.zoe(method, path, json!({ "name": "Mine" })).await;
        assert_eq!(refused.refused(403), "missing_scope", "only an admin makes teams");
    }
    // An admin moves Bob to the manager's team. He must leave his team first.
    let both = json!({ "employees": [company.ann.person.id, bob.id] });
    let moved = system.admin("PUT", &format!("/api/v1/team/{design}"), both.clone()).await;
    assert_eq!(moved.body["errors"][0]["field"], "employees");
    assert_eq!(moved.refused(409), "in_other_team");
    system.put(&format!("/api/v1/team/{sales}"), json!({ "employees": [] })).await;
    system.put(&format!("/api/v1/team/{design}"), both).await;
    // From the next request on, the manager sees Bob and decides about his hours.
    assert_eq!(company.zoe("GET", &of_bob, Value::Null).await.expect(200)["teamId"], **design);
    let quarantined = format!("/api/v1/quarantine/{}/admit", company.bob.quarantined[0]);
    company.zoe("POST", &quarantined, Value::Null).await.expect(200);
    let decided = system.get("/api/v1/quarantine?decided=true").await;
    assert_eq!(decided[0]["decidedBy"], json!({ "kind": "person", "id": company.zoe.person.id, "name": "Zoe" }));
    // A deactivated member stays in the team, because somebody must decide about his hours.
    system.admin("POST", &format!("{of_bob}/deactivate"), Value::Null).await.expect(200);
    let window = format!("{WINDOWS}/{}", company.bob.windows[0]);
    company.zoe("PATCH", &window, json!({ "note": "his last day" })).await.expect(200);
    // When the team is deleted, the manager does not see Bob any more.
    system.admin("DELETE", &format!("/api/v1/team/{design}"), Value::Null).await.expect(204);
    assert_eq!(company.zoe("GET", &of_bob, Value::Null).await.refused(403), "other_team");
    assert_eq!(company.zoe("PATCH", &window, json!({ "note": "x" })).await.refused(403), "other_team");
    assert_eq!(company.read("/api/v1/team").await, json!([]));
    let everybody = company.zoe("GET", "/api/v1/employee", Value::Null).await.expect(200);
    assert_eq!(everybody.as_array().unwrap().len(), 1, "herself");
    // An API key cannot have the role of a manager, because it has no team.
    let key = json!({ "name": "A manager's", "role": "manager" });
    assert_eq!(system.admin("POST", "/api/v1/api-key", key).await.refused(422), "invalid");
    company.system.finish().await;
}
