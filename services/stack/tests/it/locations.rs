//! Tests of the header `Location` in the answer to everything that is created.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    api::send,
    fixture::{Fixture, HOUR, TEN},
};

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_created_is_found_where_its_answer_says() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    // The pay run needs an approved period. This one is in a month without other windows.
    fixture.record(TEN - 20 * 24 * HOUR, TEN - 20 * 24 * HOUR + HOUR).await;
    fixture.approve_now(&format!("/api/v1/period/{}_2025-09-01", fixture.ann.id)).await;
    // For each operation that creates an object, the body of its request.
    let mut bodies: BTreeMap<&str, Value> = [
        ("/api/v1/employee", json!({ "name": "Bea", "email": "bea@example.org" })),
        ("/api/v1/project", json!({ "name": "Shed" })),
        ("/api/v1/team", json!({ "name": "Builders" })),
        ("/api/v1/task", json!({ "name": "Roof", "projectId": fixture.project })),
        ("/api/v1/rate", json!({ "scope": {}, "kind": "pay", "amount": 25, "validFrom": "2026-01-01" })),
        ("/api/v1/api-key", json!({ "name": "Export", "scopes": ["r:time"] })),
        ("/api/v1/pay-run", json!({ "start": TEN - 60 * 24 * HOUR, "end": TEN })),
        ("/api/v1/time-entries", fixture.window(TEN, TEN + HOUR)),
        (
            "/api/v1/correction",
            json!({
                "start": TEN, "end": TEN + HOUR, "projectId": fixture.project, "taskId": fixture.task, "reason": "I forgot.",
            }),
        ),
    ]
    .into();
    let api = system.anybody("GET", "/openapi.json", Value::Null).await.expect(200);
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, call) in item.as_object().unwrap() {
            let created = &call["responses"]["201"];
            if created.is_null() {
                continue;
            }
            assert!(created["headers"]["Location"].is_object(), "{method} {path}");
            let body = bodies.remove(path.as_str()).unwrap_or_else(|| panic!("say here how {method} {path} is called"));
            let as_admin =
                |method: &str, path: &str| system.request(method, path).header("X-API-Key", system.admin_key);
            let method = &method.to_uppercase();
            let mut made = send(as_admin(method, path), body.clone()).await;
            if made.status == 401 {
                made = send(system.request(method, path).bearer_auth(&fixture.ann.token), body).await;
            }
            assert_eq!(made.status, 201, "{method} {path}: {}", made.text);
            let location = made.headers.get("Location").unwrap_or_else(|| panic!("{method} {path} says not where"));
            let found = system.get(location.to_str().unwrap()).await;
            assert_eq!(found["id"], made.body["id"], "{path}");
        }
    }
    assert_eq!(bodies.len(), 0, "no such calls: {bodies:?}");
    fixture.system.finish().await;
}
