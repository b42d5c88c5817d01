//! Tests of API keys and roles over HTTP.

use serde_json::{Value, json};

use crate::api::{Response, send};
use crate::fixture::{Fixture, HOUR, TEN, WINDOWS};
use crate::support::System;

impl System {
    /// Sends a request with an API key.
    async fn with_key(&self, key: &str, method: &str, path: &str, body: Value) -> Response {
        send(self.request(method, path).header("X-API-Key", key), body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_may_do_what_its_scopes_say_until_it_is_revoked() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    let request = json!({ "name": "Export", "scopes": ["r:analytics", "r:projects"] });
    let made = system.admin("POST", "/api/v1/api-key", request).await.expect(201);
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    assert_eq!(made["createdBy"], json!({ "kind": "root", "id": null, "name": "root" }));
    assert_eq!(made["scopes"], json!(["r:projects", "r:analytics"]));

    // The key is valid at once, in either header, for the operations of its scopes.
    assert_eq!(system.with_key(key, "GET", "/api/v1/project", Value::Null).await.expect(200)[0]["id"], fixture.project);
    system.employee(key, "GET", "/api/v1/analytics/project-time?start=0&end=1", Value::Null).await.expect(200);
    let refused = system.with_key(key, "POST", "/api/v1/project", json!({ "name": "More" })).await;
    assert!(refused.text.contains("rw:projects"), "{}", refused.text);
    assert_eq!(refused.refused(403), "missing_scope");
    assert_eq!(system.with_key(key, "GET", "/api/v1/employee", Value::Null).await.refused(403), "missing_scope");
    assert_eq!(system.with_key(key, "GET", "/api/auth/me", Value::Null).await.refused(401), "unauthorized");

    let today = testkit::eventually("its use is noted", async || {
        let listed = system.admin("GET", "/api/v1/api-key", Value::Null).await.expect(200);
        assert!(listed[0].get("key").is_none());
        listed[0]["lastUsedOn"].as_str().map(str::to_owned)
    });
    assert_eq!(today.await.len(), "2025-10-09".len());
    system.admin("DELETE", &format!("/api/v1/api-key/{id}"), Value::Null).await.expect(204);
    assert_eq!(system.with_key(key, "GET", "/api/v1/project", Value::Null).await.refused(401), "unauthorized");
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_with_a_role_does_what_admins_and_what_employees_may_with_one_token() {
    let fixture = Fixture::start().await;
    let (system, ann) = (&fixture.system, &fixture.ann);
    let role = format!("/api/v1/employee/{}/role", ann.id);
    assert_eq!(system.employee(&ann.token, "GET", "/api/v1/employee", Value::Null).await.refused(401), "unauthorized");
    assert_eq!(system.admin("PUT", &role, json!({ "role": "owner" })).await.expect(200)["role"], "owner");
    // The change of the role has made the earlier token invalid.
    assert_eq!(system.employee(&ann.token, "GET", "/api/auth/me", Value::Null).await.refused(401), "unauthorized");
    let token = system.login(&ann.email, &ann.password).await.expect(200)["access_token"].as_str().unwrap().to_owned();
    system.employee(&token, "GET", "/api/v1/employee", Value::Null).await.expect(200);
    system.employee(&token, "POST", WINDOWS, fixture.window(TEN, TEN + HOUR)).await.expect(201);
    let key = system
        .employee(&token, "POST", "/api/v1/api-key", json!({ "name": "Hers", "role": "admin" }))
        .await
        .expect(201);
    assert_eq!(key["createdBy"], json!({ "kind": "person", "id": ann.id, "name": "Ann" }));
    let listed = system.employee(&token, "GET", "/api/v1/api-key", Value::Null).await.expect(200);
    assert_eq!(listed[0]["createdBy"], key["createdBy"]);

    let key = key["key"].as_str().unwrap();
    assert_eq!(system.with_key(key, "PUT", &role, json!({ "role": "employee" })).await.refused(403), "missing_scope");
    assert_eq!(system.employee(&token, "PUT", &role, json!({ "role": "admin" })).await.refused(409), "last_owner");
    fixture.system.finish().await;
}
