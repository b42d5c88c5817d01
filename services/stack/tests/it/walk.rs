//! Tests one way through all services: from an invitation to the hours on a project.

use contracts::Service;
use serde_json::{Value, json};
use testkit::eventually;

use crate::support::System;

const TEN: i64 = 1_760_000_000_000;
const HOUR: i64 = 3_600_000;

#[tokio::test(flavor = "multi_thread")]
async fn from_an_invitation_to_the_hours_on_a_project() {
    let mut system = System::start().await;
    let ann = system.new_employee("Ann", "ann@example.org").await;
    let project = json!({ "name": "Website", "employees": [ann.id], "payroll": { "*": { "billRate": 50 } } });
    let project = system.admin("POST", "/api/v1/project", project).await.expect(201);
    let task = json!({ "name": "Draw it", "projectId": project["id"], "employees": [ann.id] });
    let task = system.admin("POST", "/api/v1/task", task).await.expect(201);
    let window = json!({
        "start": TEN, "end": TEN + HOUR, "timezoneOffset": 0, "projectId": project["id"], "taskId": task["id"],
        "computer": "anns-pc", "user": "ann", "os": "linux", "osVersion": "6", "hwid": "9f8e",
    });
    let first = system.employee(&ann.token, "POST", "/api/v1/time-entries", window.clone()).await.expect(201);
    let again = system.employee(&ann.token, "POST", "/api/v1/time-entries", window.clone()).await.expect(200);
    assert_eq!(first, again);
    let path = format!("/api/v1/analytics/project-time?start={TEN}&end={}", TEN + 2 * HOUR);
    let times = system.admin("GET", &path, Value::Null).await.expect(200);
    assert_eq!(
        times,
        json!([{ "id": project["id"], "time": HOUR, "costs": 0.0, "income": 50.0, "projectName": "Website" }])
    );

    system.running(Service::Analytics).stop().await;
    let refused = system.admin("GET", &path, Value::Null).await;
    assert!(refused.headers.contains_key("Retry-After"));
    assert_eq!(refused.refused(503), "unavailable");
    // While analytics is stopped, other requests still succeed.
    system.login(&ann.email, &ann.password).await.expect(200);
    system.start_service(Service::Analytics).await;
    eventually("analytics is back", async || {
        (system.admin("GET", &path, Value::Null).await.status == 200).then_some(())
    })
    .await;
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_invitation_replaces_the_one_before() {
    let system = System::start().await;
    let ann = json!({ "name": "Ann", "email": "ann@example.org" });
    let ann = system.admin("POST", "/api/v1/employee", ann).await.expect(201);
    let old = system.invitation_token("ann@example.org").await;
    let invite = format!("/api/v1/employee/{}/invite", ann["id"].as_str().unwrap());
    system.admin("POST", &invite, Value::Null).await.expect(202);
    let fresh = system.next_invitation_token("ann@example.org", &old).await;
    assert_eq!(system.activate(&old, "a password that is long").await.refused(400), "invalid_token");
    system.activate(&fresh, "a password that is long").await.expect(200);
    system.finish().await;
}
