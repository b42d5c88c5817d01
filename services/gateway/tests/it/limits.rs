//! Tests of the rate limits, for one caller and for one network address.

use contracts::EmployeeId;
use reqwest::{RequestBuilder, Response};
use serde_json::json;
use testkit::Harness;

use crate::edge::{Edge, KEY, config, read_problem, start_gateway_with};

async fn edge(limits: gateway::Limits) -> Edge {
    let harness = Harness::start().await;
    let config = gateway::Config { limits, trusted_proxies: "127.0.0.0/8".into(), ..config() };
    let (base, gateway) = start_gateway_with(&harness, config).await;
    Edge { harness, gateway, http: reqwest::Client::new(), base }
}

fn limits() -> gateway::Limits {
    gateway::Limits { rate_limit_calls: 3, rate_limit_windows: 5, rate_limit_addresses: 4 }
}

async fn answer(request: RequestBuilder) -> Response {
    request.send().await.expect("an answer")
}

/// Sends requests until one is refused, and checks the headers of all responses. Returns the number
/// of requests that were answered before.
async fn until_refused(request: impl Fn() -> RequestBuilder) -> usize {
    for n in 0..20 {
        let response = answer(request()).await;
        let header = |name: &str| response.headers()[name].to_str().expect("text").to_owned();
        let (policy, left) = (header("ratelimit-policy"), header("ratelimit"));
        assert!(policy.contains(";q=") && policy.ends_with(";w=60"), "{policy}");
        if response.status() != 429 {
            assert!(!left.contains(";r=0;") || n > 0, "{left}");
            continue;
        }
        assert!(left.contains(";r=0;t="), "{left}");
        let again: u32 = header("retry-after").parse().expect("seconds");
        assert!((1..=60).contains(&again));
        assert_eq!(read_problem(response).await.code, "too_many_requests");
        return n;
    }
    panic!("nothing is refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_key_and_each_person_has_a_share_of_its_own() {
    let edge = edge(limits()).await;
    let me = |id: EmployeeId| {
        let (edge, token) = (&edge, edge.token(id, 0));
        move || edge.get("/api/auth/me").bearer_auth(&token)
    };
    let (ann, bob) = (me(kit::new_id()), me(kit::new_id()));
    assert_eq!(until_refused(&ann).await, 3);
    assert_eq!(until_refused(&bob).await, 3);
    assert_eq!(until_refused(|| edge.get("/api/v1/employee").header("X-API-Key", KEY)).await, 3);
    assert_eq!(answer(ann()).await.status(), 429);
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_have_a_share_of_their_own() {
    let edge = edge(limits()).await;
    let token = edge.token(kit::new_id(), 0);
    // The limit counts posts of windows, not the windows in them.
    let batch = || edge.post("/api/v1/time-entries/batch").bearer_auth(&token).json(&json!({ "windows": [] }));
    assert_eq!(until_refused(batch).await, 5);
    let single = edge.post("/api/v1/time-entries").bearer_auth(&token).json(&json!({}));
    assert_eq!(answer(single).await.status(), 429);
    assert_ne!(answer(edge.get("/api/auth/me").bearer_auth(&token)).await.status(), 429);
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_known_shares_with_their_address() {
    let edge = edge(limits()).await;
    let from = |address: &'static str| {
        let edge = &edge;
        move |n: usize| match n % 4 {
            0 => edge.get("/api/auth/me").header("x-forwarded-for", address),
            1 => edge.get("/api/v1/employee").header("x-forwarded-for", address).header("X-API-Key", "wrong"),
            2 => edge.post("/api/auth/login").header("forwarded", format!("for={address}")).bearer_auth("a.b.c"),
            _ => edge.get("/no/such/page").header("x-forwarded-for", address),
        }
    };
    let (one, other) = (from("192.0.2.1"), from("192.0.2.2"));
    for n in 0..4 {
        assert_ne!(answer(one(n)).await.status(), 429, "{n}");
    }
    for n in 0..4 {
        assert_eq!(answer(one(n)).await.status(), 429, "{n}");
    }
    assert_ne!(answer(other(0)).await.status(), 429);
    // A caller with valid credentials has a limit of their own, even from the same address.
    let known = edge.get("/api/v1/employee").header("x-forwarded-for", "192.0.2.1").header("X-API-Key", KEY);
    assert_ne!(answer(known).await.status(), 429);
    for path in ["/healthz", "/readyz"] {
        let free = answer(edge.get(path).header("x-forwarded-for", "192.0.2.1")).await;
        assert!(free.status() != 429 && !free.headers().contains_key("ratelimit"), "{path}");
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn web_pages_of_others_may_read_what_is_left_and_their_questions_cost_nothing() {
    let edge = edge(limits()).await;
    for _ in 0..10 {
        let asked = edge.http.request(reqwest::Method::OPTIONS, edge.base.clone() + "/api/auth/me");
        let asked = asked.header("origin", "https://app.example.org").header("access-control-request-method", "GET");
        assert_eq!(answer(asked).await.status(), 200);
    }
    let got = answer(edge.get("/api/auth/me").header("origin", "https://app.example.org")).await;
    let exposed = got.headers()["access-control-expose-headers"].to_str().expect("text").to_lowercase();
    assert!(exposed.contains("ratelimit,") && exposed.contains("ratelimit-policy"), "{exposed}");
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_counted_and_no_bound_is_no_bound() {
    let one = edge(limits()).await;
    assert_eq!(until_refused(|| one.get("/")).await, 4);
    let metrics = reqwest::get(format!("http://{}/metrics", one.gateway.ops)).await.expect("an answer");
    let text = metrics.text().await.expect("text");
    assert!(
        text.lines().any(|line| line.starts_with("t3_http_limited_total{") && line.ends_with("bound=\"address\"} 1")),
        "{text}"
    );
    one.harness.finish().await;

    let free = edge(gateway::Limits::off()).await;
    for _ in 0..10 {
        let answer = answer(free.get("/")).await;
        assert!(answer.status() == 200 && !answer.headers().contains_key("ratelimit"));
    }
    free.harness.finish().await;
}
