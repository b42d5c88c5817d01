//! Tests which credentials the gateway accepts, and that it checks them before anything else.

use contracts::Secret;
use jsonwebtoken::Algorithm;
use reqwest::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::edge::{Edge, JWT_SECRET, KEY, PREVIOUS_KEY, config, problem_of, read_problem, sign, start_gateway_with};

/// No service runs in these tests, so a request whose credentials are accepted gets a 503.
const LET_IN: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
const REFUSED: StatusCode = StatusCode::UNAUTHORIZED;

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_is_known_by_the_key_or_the_one_before_it() {
    let edge = Edge::start().await;
    for key in [KEY, PREVIOUS_KEY] {
        assert_eq!(problem_of(edge.get("/api/v1/employee").header("X-API-Key", key)).await.status, LET_IN);
    }
    for key in ["", "x", &KEY[1..], &format!("{KEY}x"), JWT_SECRET] {
        let problem = problem_of(edge.get("/api/v1/employee").header("X-API-Key", key)).await;
        assert_eq!((problem.status, problem.code.as_str()), (REFUSED, "unauthorized"));
        assert!(key.len() < 5 || !problem.text.contains(key));
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_only_as_we_signed_it_and_until_it_is_over() {
    let edge = Edge::start().await;
    let me = async |token: &str| problem_of(edge.get("/api/auth/me").bearer_auth(token)).await.status;
    let (id, now) = (Uuid::from_u128(7), edge.harness.clock.now().0 / 1_000);
    let good = json!({ "sub": id, "epoch": 0, "iat": now, "exp": now + 600 });
    assert_eq!(me(&sign(&good, Algorithm::HS256, JWT_SECRET)).await, LET_IN);
    assert_eq!(me(&sign(&good, Algorithm::HS256, "another secret")).await, REFUSED);
    assert_eq!(me(&sign(&good, Algorithm::HS256, KEY)).await, REFUSED);
    assert_eq!(me(&sign(&good, Algorithm::HS512, JWT_SECRET)).await, REFUSED);
    for claims in [
        json!({ "sub": id, "epoch": 0, "iat": now }),
        json!({ "sub": "ann@example.org", "epoch": 0, "iat": now, "exp": now + 600 }),
        json!({ "epoch": 0, "iat": now, "exp": now + 600 }),
        json!({ "sub": id, "iat": now, "exp": now + 600 }),
        json!({ "sub": id, "epoch": 0, "iat": now, "exp": now }),
    ] {
        assert_eq!(me(&sign(&claims, Algorithm::HS256, JWT_SECRET)).await, REFUSED, "{claims}");
    }
    let token = sign(&good, Algorithm::HS256, JWT_SECRET);
    let claims = token.split('.').nth(1).expect("claims");
    for bad in ["", "x", "a.b.c", &format!("eyJhbGciOiJub25lIn0.{claims}."), &format!("{token}x")] {
        assert_eq!(me(bad).await, REFUSED, "{bad}");
    }
    edge.harness.clock.advance(590_000);
    // After the jump of the clock, the gateway accepts tokens only when the next heartbeat has
    // arrived.
    testkit::eventually("a beat", async || (me(&token).await == LET_IN && ready(&edge).await).then_some(())).await;
    edge.harness.clock.advance(11_000);
    assert_eq!(me(&token).await, REFUSED);
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_with_a_new_secret_takes_tokens_of_the_one_before_as_long_as_it_knows_that() {
    let edge = Edge::start().await;
    let token = edge.token_in(kit::new_id(), kit::new_id());
    for (previous, expected) in [(Some(JWT_SECRET), LET_IN), (None, REFUSED)] {
        let new = gateway::Config {
            jwt_secret_key: Some(Secret::new("what tokens are signed with from now on")),
            jwt_secret_key_previous: previous.map(Secret::new),
            ..config()
        };
        let (base, _gateway) = start_gateway_with(&edge.harness, new).await;
        assert_eq!(problem_of(edge.http.get(base + "/api/auth/me").bearer_auth(&token)).await.status, expected);
    }
    edge.harness.finish().await;
}

async fn ready(edge: &Edge) -> bool {
    edge.get("/readyz").send().await.expect("an answer").status() == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_kind_of_caller_is_asked_for_the_right_credentials() {
    let edge = Edge::start().await;
    let token = edge.token(kit::new_id(), 0);
    let challenges = async |request: reqwest::RequestBuilder| {
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), REFUSED);
        let given = response.headers().get_all("www-authenticate").iter();
        let kinds: Vec<_> = given.map(|c| c.to_str().expect("text").split(' ').next().unwrap().to_owned()).collect();
        read_problem(response).await;
        kinds.join(" ")
    };
    assert_eq!(challenges(edge.get("/api/v1/employee").bearer_auth(&token)).await, "ApiKey");
    assert_eq!(challenges(edge.get("/api/auth/me").header("X-API-Key", KEY)).await, "Bearer");
    assert_eq!(challenges(edge.get("/api/v1/task")).await, "ApiKey Bearer");
    assert_eq!(challenges(edge.get("/api/v1/task").bearer_auth("x.y.z")).await, "Bearer");
    assert_eq!(challenges(edge.get("/api/v1/task").bearer_auth("x")).await, "ApiKey");
    // A valid token does not help a request that also has a wrong key, because it is unclear who
    // acts.
    let both = edge.get("/api/v1/task").bearer_auth(&token).header("X-API-Key", "x");
    assert_eq!(problem_of(both).await.code, "two_credentials");
    for (scheme, status) in [("bearer", LET_IN), ("Basic", REFUSED), ("Bearer:", REFUSED)] {
        let request = edge.get("/api/v1/task").header("Authorization", format!("{scheme} {token}"));
        assert_eq!(problem_of(request).await.status, status, "{scheme}");
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_asked_for_before_the_body_is_read() {
    let edge = Edge::start().await;
    for path in ["/api/v1/employee", "/api/v1/project", "/api/v1/task", "/api/v1/time-entries"] {
        // Neither the content type nor the content of this body is valid, and the body never ends.
        let chunks = futures::stream::once(async { Ok::<_, std::io::Error>("{") });
        let endless = reqwest::Body::wrap_stream(futures::StreamExt::chain(chunks, futures::stream::pending()));
        assert_eq!(problem_of(edge.post(path).body(endless)).await.status, REFUSED, "{path}");
        // A client that reads only after it has sent its whole body gets the response too.
        assert_eq!(problem_of(edge.post(path).body(vec![b'x'; 10 << 20])).await.status, REFUSED, "{path}");
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_acts_for_nobody_else() {
    let edge = Edge::start().await;
    let (own, other) = (kit::new_id(), kit::new_id::<contracts::EmployeeId>());
    let token = edge.token(own, 0);
    let body =
        json!({"computer": "c", "permissions": {"accessibility": "denied", "screenAndSystemAudioRecording": "denied"}});
    let permissions = |id| edge.post(&format!("/api/v1/employee/{id}/permissions")).bearer_auth(&token).json(&body);
    assert_eq!(problem_of(permissions(other)).await.status, StatusCode::FORBIDDEN);
    assert_eq!(problem_of(permissions(own)).await.status, LET_IN);
    let time = |id| edge.get(&format!("/api/v1/analytics/task-time?employeeId={id}&taskId={other}"));
    assert_eq!(problem_of(time(other).bearer_auth(&token)).await.status, StatusCode::FORBIDDEN);
    assert_eq!(problem_of(time(own).bearer_auth(&token)).await.status, LET_IN);
    assert_eq!(problem_of(time(other).header("X-API-Key", KEY)).await.status, LET_IN);
    edge.harness.finish().await;
}
