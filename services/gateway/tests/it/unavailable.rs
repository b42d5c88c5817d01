//! Tests that the gateway answers immediately with an error while a service or NATS does not run,
//! and recovers afterwards.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::json;
use testkit::eventually_within;

use crate::edge::{Edge, KEY, problem_of};

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_away_is_a_503_within_a_second() {
    let edge = Edge::start().await;
    let id = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071";
    for (method, path, body) in [
        (Method::GET, "/api/v1/employee".to_owned(), None),
        (Method::POST, "/api/v1/employee".to_owned(), Some(json!({"name": "Ann", "email": "ann@example.org"}))),
        (Method::POST, format!("/api/v1/employee/{id}/deactivate"), None),
        (Method::POST, format!("/api/v1/employee/{id}/reactivate"), None),
        (Method::POST, format!("/api/v1/employee/{id}/invite"), None),
        (Method::GET, "/api/v1/project".to_owned(), None),
        (Method::DELETE, format!("/api/v1/project/{id}"), None),
        (Method::GET, format!("/api/v1/task/{id}"), None),
        (Method::GET, format!("/api/v1/time-entries/{id}?seq=5"), None),
        (Method::GET, "/api/v1/analytics/window?start=1&end=2".to_owned(), None),
        (Method::GET, format!("/api/v1/analytics/project-time?start=1&end=2&employeeId={id}"), None),
        (Method::POST, "/api/auth/activate".to_owned(), Some(json!({"token": "t", "password": "p"}))),
    ] {
        let started = Instant::now();
        let request = edge.http.request(method, edge.base.clone() + &path).header("X-API-Key", KEY);
        let request = body.iter().fold(request, |request, body| request.json(body));
        assert_eq!(problem_of(request).await.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(started.elapsed() < Duration::from_secs(1), "{path}: {:?}", started.elapsed());
    }
    let login = edge.post("/api/auth/login").form(&[("username", "ann@example.org"), ("password", "p")]);
    assert_eq!(problem_of(login).await.status, StatusCode::SERVICE_UNAVAILABLE);
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_nats_the_gateway_lives_is_not_ready_and_comes_back_by_itself() {
    let mut edge = Edge::start().await;
    let token = edge.token(kit::new_id(), 0);
    edge.harness.nats.stop().await;
    eventually_within(Duration::from_secs(20), "not ready", async || {
        let ready = edge.get("/readyz").send().await.expect("an answer");
        (ready.status() == 503 && ready.text().await.expect("a body").contains("\"nats\"")).then_some(())
    })
    .await;
    let health = edge.get("/healthz").send().await.expect("an answer");
    assert_eq!(health.json::<serde_json::Value>().await.expect("JSON")["status"], "ok");
    assert_eq!(problem_of(edge.get("/api/v1/employee").header("X-API-Key", KEY)).await.status, 503);
    edge.harness.nats.start_again().await.expect("NATS starts again");
    eventually_within(Duration::from_secs(30), "ready again", async || {
        (edge.get("/readyz").send().await.expect("an answer").status() == 200).then_some(())
    })
    .await;
    let problem = problem_of(edge.get("/api/auth/me").bearer_auth(&token)).await;
    assert!(problem.text.contains("directory"), "{}", problem.text);
    edge.harness.finish().await;
}
