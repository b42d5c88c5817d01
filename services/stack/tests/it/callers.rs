//! Tests that every operation requires its kind of caller, before it reads a body.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{api::send, support::System};

const ADMIN: &[(&str, &str)] = &[
    ("POST", "/api/v1/employee"),
    ("GET", "/api/v1/employee"),
    ("GET", "/api/v1/employee/{id}"),
    ("PUT", "/api/v1/employee/{id}"),
    ("POST", "/api/v1/employee/{id}/deactivate"),
    ("POST", "/api/v1/employee/{id}/reactivate"),
    ("POST", "/api/v1/employee/{id}/invite"),
    ("POST", "/api/v1/team"),
    ("GET", "/api/v1/team"),
    ("GET", "/api/v1/team/{id}"),
    ("PUT", "/api/v1/team/{id}"),
    ("DELETE", "/api/v1/team/{id}"),
    ("POST", "/api/v1/project"),
    ("GET", "/api/v1/project"),
    ("PUT", "/api/v1/project/{id}"),
    ("DELETE", "/api/v1/project/{id}"),
    ("POST", "/api/v1/task"),
    ("PUT", "/api/v1/task/{id}"),
    ("DELETE", "/api/v1/task/{id}"),
    ("PUT", "/api/v1/time-entries/update?employeeId={id}"),
    ("GET", "/api/v1/analytics/window?start=1&end=2"),
    ("GET", "/api/v1/analytics/project-time?start=1&end=2"),
    ("GET", "/api/v1/analytics/overlaps?start=1&end=2"),
    ("GET", "/api/v1/analytics/long-days?start=1&end=2"),
];

const EMPLOYEE: &[(&str, &str)] = &[
    ("GET", "/api/auth/me"),
    ("POST", "/api/v1/employee/{id}/permissions"),
    ("POST", "/api/v1/time-entries"),
    ("POST", "/api/v1/time-entries/batch"),
    ("POST", "/api/v1/correction"),
];

const BOTH: &[(&str, &str)] = &[
    ("GET", "/api/v1/project/{id}"),
    ("GET", "/api/v1/task"),
    ("GET", "/api/v1/task/{id}"),
    ("GET", "/api/v1/time-entries/{id}"),
    ("GET", "/api/v1/analytics/task-time?employeeId={id}&taskId={id}"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_call_refuses_nobody_the_wrong_and_the_other_kind_of_caller_before_it_reads_a_body() {
    let system = System::start().await;
    let ann = system.new_employee("Ann", "ann@example.org").await;
    let (key, token) = (system.admin_key.to_owned(), ann.token.clone());
    let no_key = [None, Some(format!("{key}x")), Some(key[1..].to_owned()), Some(String::new())];
    let (head, rest) = token.split_once('.').unwrap();
    let unsigned = BASE64_URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"none"}"#);
    let no_token = [
        None,
        Some(format!("Bearer {token}x")),
        Some(format!("Bearer {unsigned}.{rest}")),
        Some(format!("Bearer {unsigned}.{}.", rest.split_once('.').unwrap().0)),
        Some(format!("Bearer {head}")),
        Some(format!("Basic {token}")),
        Some("Bearer".to_owned()),
    ];
    let ask = async |(method, path): &(&str, &str), key: Option<&str>, authorization: Option<&str>| {
        let path = path.replace("{id}", &ann.id.to_string());
        let mut request = system.request(method, &path);
        if *method != "GET" {
            request = request.header("Content-Type", "application/json").body("{ no JSON");
        }
        if let Some(key) = key {
            request = request.header("X-API-Key", key);
        }
        if let Some(authorization) = authorization {
            request = request.header("Authorization", authorization);
        }
        let answer = send(request, Value::Null).await;
        assert_eq!(answer.refused(401), "unauthorized", "{method} {path} {key:?} {authorization:?}");
    };
    let bearer = format!("Bearer {token}");
    for call in ADMIN {
        for key in &no_key {
            ask(call, key.as_deref(), None).await;
        }
        ask(call, None, Some(&bearer)).await;
    }
    for call in EMPLOYEE {
        for authorization in &no_token {
            ask(call, None, authorization.as_deref()).await;
        }
        ask(call, Some(&key), None).await;
    }
    for call in BOTH {
        for key in &no_key[1..] {
            ask(call, key.as_deref(), None).await;
        }
        for authorization in &no_token {
            ask(call, None, authorization.as_deref()).await;
        }
    }
    // With the right credentials, the same requests pass the authorization.
    for (calls, key, authorization) in
        [(ADMIN, Some(&key), None), (EMPLOYEE, None, Some(&bearer)), (BOTH, Some(&key), None)]
    {
        for (method, path) in calls {
            let mut request = system.request(method, &path.replace("{id}", &kit::new_id::<uuid::Uuid>().to_string()));
            if let Some(key) = key {
                request = request.header("X-API-Key", key);
            }
            if let Some(authorization) = authorization {
                request = request.header("Authorization", authorization);
            }
            let answer = send(request, json!({})).await;
            assert!(
                ![401, 403, 500].contains(&answer.status) || path.contains("permissions"),
                "{path} {}",
                answer.text
            );
        }
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_no_credentials_is_there_and_what_is_not_there_says_so() {
    let system = System::start().await;
    assert_eq!(system.anybody("GET", "/healthz", Value::Null).await.expect(200)["status"], "ok");
    assert_eq!(system.anybody("GET", "/readyz", Value::Null).await.expect(200)["status"], "ready");
    let docs = system.anybody("GET", "/docs/", Value::Null).await;
    assert!(docs.status == 200 && docs.text.contains("swagger-ui"), "{}", docs.text);
    assert!(!docs.text.contains("//cdn") && !docs.text.contains("https://"), "{}", docs.text);
    let api = system.anybody("GET", "/openapi.json", Value::Null).await.expect(200);
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1"));
    for (method, path) in [ADMIN, EMPLOYEE, BOTH].concat() {
        let template = path.split('?').next().unwrap();
        assert!(api["paths"][template][method.to_lowercase()].is_object(), "{method} {template} is described");
    }
    for id in ["1", "null", "0198c6f2-7f00-7a31-9c5e", "%00", "..%2f..%2fhealthz"] {
        for noun in ["employee", "project", "task", "time-entries"] {
            let path = format!("/api/v1/{noun}/{id}");
            assert_eq!(system.admin("GET", &path, Value::Null).await.refused(404), "not_found", "{path}");
        }
    }
    assert_eq!(system.admin("GET", "/api/v2/employee", Value::Null).await.refused(404), "not_found");
    assert_eq!(system.admin("PATCH", "/api/v1/employee", Value::Null).await.refused(405), "method_not_allowed");
    system.finish().await;
}
