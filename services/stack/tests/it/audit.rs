//! Tests of the audit trail over HTTP.

use contracts::Service;
use reqwest::header::{ACCEPT, LINK};
use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    api::{ADMIN_KEY, Response, send},
    fixture::{Fixture, HOUR, TEN, WINDOWS, id},
    support::System,
};

const TRAIL: &str = "/api/v1/audit";

impl System {
    /// Waits until the trail has an entry with this action, and returns the entries that match the
    /// query, the newest first.
    async fn trail(&self, query: &str, action: &str) -> Vec<Value> {
        eventually(&format!("{action} is in the trail"), async || {
            let found = self.admin("GET", &format!("{TRAIL}?{query}"), Value::Null).await;
            let Response { status: 200, body: found, .. } = found else { return None };
            let found = found.as_array()?.clone();
            found.iter().any(|entry| entry["action"] == action).then_some(found)
        })
        .await
    }
}

fn actions(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["action"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_did_something_is_named_with_what_when_from_where_and_why() {
    let fixture = Fixture::start().await;
    let (system, ann) = (&fixture.system, &fixture.ann);
    let renamed = system.request("PUT", &fixture.task_path()).header("X-API-Key", ADMIN_KEY);
    let renamed = renamed.header("X-Request-Id", "renames-the-task");
    send(renamed, json!({ "name": "Back page", "description": "what nobody else should read" })).await.expect(200);
    let entries = system.trail("requestId=renames-the-task", "task.updated").await;
    let entry = &entries[0];
    assert_eq!(entry["actor"], json!({ "kind": "root", "id": null, "name": "root" }));
    assert_eq!(entry["subject"], json!({ "kind": "task", "id": fixture.task }));
    assert_eq!((&entry["address"], &entry["cause"]), (&json!("127.0.0.1"), &Value::Null));
    assert!(entry["at"].is_i64() && entry["hash"].as_str().unwrap().len() == 64);
    let changes = entry["changes"].as_array().unwrap();
    assert!(changes.contains(&json!({ "op": "test", "path": "/name", "value": "Front page" })), "{entry}");
    assert!(changes.contains(&json!({ "op": "replace", "path": "/name", "value": "Back page" })), "{entry}");
    assert!(!entry.to_string().contains("nobody else"), "a description is kept as its hash: {entry}");

    // Each entry that a request causes has the id of the request. An entry that an event has caused
    // names this event.
    let deactivate = system.request("POST", &format!("/api/v1/employee/{}/deactivate", ann.id));
    let deactivate = deactivate.header("X-API-Key", ADMIN_KEY).header("X-Request-Id", "she-leaves");
    send(deactivate, json!({})).await.expect(200);
    let caused = system.trail("requestId=she-leaves", "member.removed").await;
    assert_eq!(actions(&caused), ["member.removed", "employee.deactivated"]);
    assert_eq!(caused[0]["actor"], json!({ "kind": "service", "id": "projects", "name": "projects" }));
    assert!(caused[0]["cause"].is_string() && caused[1]["cause"].is_null(), "{caused:?}");

    // These are the entries of Ann's own actions, in any session, with her name.
    let hers = system.trail(&format!("actor=person:{}", ann.id), "login.succeeded").await;
    assert_eq!(actions(&hers), ["login.succeeded", "employee.activated"]);
    assert!(hers.iter().all(|entry| entry["actor"] == json!({ "kind": "person", "id": ann.id, "name": "Ann" })));
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_named_in_the_trail_from_its_making_to_its_end_and_after() {
    let system = System::start().await;
    let scopes = json!({ "name": "Planner", "scopes": ["rw:projects", "r:audit"] });
    let made = system.admin("POST", "/api/v1/api-key", scopes).await.expect(201);
    let key = made["key"].as_str().unwrap();
    let with_key = |method: &str, path: &str| system.request(method, path).header("X-API-Key", key);
    send(with_key("POST", "/api/v1/project"), json!({ "name": "Website" })).await.expect(201);
    let readable = send(with_key("GET", TRAIL), Value::Null).await;
    readable.expect(200);
    let refused = system.admin("POST", "/api/v1/api-key", json!({ "name": "Time", "scopes": ["r:time"] })).await;
    let other = refused.expect(201)["key"].as_str().unwrap().to_owned();
    let refused = send(system.request("GET", TRAIL).header("X-API-Key", &other), Value::Null).await;
    assert_eq!(refused.refused(403), "missing_scope");
    system.admin("DELETE", &format!("/api/v1/api-key/{}", id(&made)), Value::Null).await.expect(204);

    let of_key = system.trail(&format!("subject={}", id(&made)), "key.revoked").await;
    let mut seen = actions(&of_key);
    seen.sort_unstable();
    assert_eq!(seen, ["key.created", "key.revoked", "key.used"]);
    let planner = json!({ "kind": "key", "id": id(&made), "name": "Planner" });
    let used = of_key.iter().find(|entry| entry["action"] == "key.used").unwrap();
    assert_eq!((&used["actor"], &used["address"]), (&planner, &json!("127.0.0.1")));
    let by_key = system.trail(&format!("actor=key:{}", id(&made)), "project.created").await;
    assert!(by_key.iter().all(|entry| entry["actor"] == planner), "{by_key:?}");
    assert!(!system.get(TRAIL).await.to_string().contains(key), "the key's text is nowhere");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_comes_whole_in_pages_and_as_a_table_that_is_an_entry_itself() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    system.trail("", "task.created").await;
    let whole = system.get(TRAIL).await;
    let whole = whole.as_array().unwrap();
    let places: Vec<_> = whole.iter().map(|entry| entry["seq"].as_i64().unwrap()).collect();
    assert_eq!(places, (1..=whole.len() as i64).rev().collect::<Vec<_>>());

    let (mut paged, mut path) = (Vec::new(), format!("{TRAIL}?limit=2"));
    loop {
        let page = system.admin("GET", &path, Value::Null).await;
        let next = page.headers.get(LINK).map(|link| link.to_str().unwrap().to_owned());
        paged.extend(page.expect(200).as_array().unwrap().clone());
        let Some(next) = next else { break };
        let (url, _) = next.trim_start_matches('<').split_once('>').unwrap();
        path = url.trim_start_matches(&system.base).to_owned();
    }
    assert_eq!(&paged, whole);

    let table = system.request("GET", TRAIL).header("X-API-Key", ADMIN_KEY).header(ACCEPT, "text/csv");
    let table = send(table, Value::Null).await;
    assert!(table.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
    assert!(table.text.starts_with("seq,id,at,actor,action,subject,requestId,cause,address,changes,hash\r\n"));
    assert!(table.text.contains("employee.activated"));
    let exported = &system.trail("action=export.made", "export.made").await[0];
    assert_eq!(exported["subject"], json!({ "kind": "table", "id": "audit" }));

    for (query, field) in [("start=x", "start"), ("start=5&end=5", "end"), ("actor=Ann", "actor"), ("limit=0", "limit")]
    {
        let refused = system.admin("GET", &format!("{TRAIL}?{query}"), Value::Null).await;
        assert!(refused.text.contains(&format!("\"{field}\"")), "{}", refused.text);
        assert_eq!(refused.refused(422), "invalid");
    }
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_audit_service_is_away_work_goes_on_and_nothing_of_it_is_lost() {
    let mut fixture = Fixture::start().await;
    fixture.system.trail("", "task.created").await;
    fixture.system.running(Service::Audit).stop().await;
    let system = &fixture.system;
    let recorded = fixture.record(TEN, TEN + HOUR).await;
    let window = format!("{WINDOWS}/{}", id(&recorded));
    system.admin("PATCH", &window, json!({ "end": TEN + HOUR / 2, "note": "went home earlier" })).await.expect(200);
    system.put(&fixture.project_path(), json!({ "name": "Shop" })).await;
    system.login("ann@example.org", "not her password").await.refused(401);
    let refused = system.admin("GET", TRAIL, Value::Null).await;
    assert!(refused.headers.contains_key("Retry-After"));
    assert_eq!(refused.refused(503), "unavailable");

    fixture.system.start_service(Service::Audit).await;
    for (action, kind, subject) in [
        ("login.failed", "employee", fixture.ann.id.to_string()),
        ("project.updated", "project", fixture.project.clone()),
        ("window.corrected", "window", id(&recorded)),
    ] {
        let entries = fixture.system.trail(&format!("action={action}"), action).await;
        assert_eq!(entries.len(), 1, "{entries:?}");
        assert_eq!(entries[0]["subject"], json!({ "kind": kind, "id": subject }));
        assert!(!entries[0].to_string().contains("went home"), "{}", entries[0]);
    }
    fixture.system.finish().await;
}
