//! Tests of log-in, refresh and log-out over HTTP, with two gateways.

use std::time::Duration;

use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use testkit::eventually_within;

use crate::{
    api::{Response, send},
    shapes::assert_keys,
    support::System,
};

/// The time within which every gateway must refuse an ended session.
const SECOND: Duration = Duration::from_secs(1);

impl System {
    async fn begin(&self, email: &str, password: &str, agent: &str) -> Value {
        let form = [("username", email), ("password", password), ("refresh", "true")];
        let agent = HeaderValue::from_bytes(agent.as_bytes()).unwrap();
        let request = self.request("POST", "/api/auth/login").header("User-Agent", agent).form(&form);
        send(request, Value::Null).await.expect(200)
    }

    async fn refresh(&self, login: &Value) -> Response {
        self.anybody("POST", "/api/auth/refresh", json!({ "refresh_token": login["refresh_token"] })).await
    }

    async fn sessions(&self, login: &Value) -> Vec<Value> {
        let listed = self.employee(token(login), "GET", "/api/auth/sessions", Value::Null).await.expect(200);
        listed.as_array().unwrap().clone()
    }
}

fn token(login: &Value) -> &str {
    login["access_token"].as_str().unwrap()
}

async fn until_dead(gateways: &[String], token: &str) {
    for gateway in gateways {
        eventually_within(SECOND, "the token is dead", async || {
            let me = reqwest::Client::new().get(format!("{gateway}/api/auth/me")).bearer_auth(token).send().await;
            (me.unwrap().status() == 401).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_it_refreshes_short_tokens_and_whoever_logs_out_is_out_everywhere() {
    let system = System::start().await;
    let gateways = [system.base.clone(), system.second_gateway().await];
    let ann = system.new_employee("Ann", "ann@example.org").await;
    let agent = format!("T3/1.4 (W\u{e4}hring) {}", "x".repeat(400));
    let login = system.begin(&ann.email, &ann.password, &agent).await;
    assert_keys(&login, &["access_token", "token_type", "expires_in", "refresh_token"]);
    assert_eq!(login["expires_in"], 900);
    let form = [("username", ann.email.as_str()), ("password", &ann.password), ("refresh", "yes")];
    let refused = send(system.request("POST", "/api/auth/login").form(&form), Value::Null).await;
    assert_eq!(refused.body["errors"][0]["field"], "refresh");
    assert_eq!(refused.refused(422), "invalid");

    let next = system.refresh(&login).await.expect(200);
    assert_keys(&next, &["access_token", "token_type", "expires_in", "refresh_token"]);
    assert_ne!(next["refresh_token"], login["refresh_token"]);
    let sessions = system.sessions(&next).await;
    assert_keys(&sessions[0], &["id", "createdAt", "lastSeenAt", "agent", "address", "current"]);
    assert!(sessions[0]["agent"].as_str().unwrap().starts_with("T3/1.4 (W\u{e4}hring) xxx"), "{sessions:?}");
    assert_eq!((&sessions[0]["address"], sessions.len()), (&json!("127.0.0.1"), 2));
    let current: Vec<_> = sessions.iter().map(|session| session["current"] == true).collect();
    assert_eq!(current, [true, false]);

    // All tokens of the ended session become invalid. The token of the other log-in stays valid.
    assert_eq!(system.employee(token(&next), "POST", "/api/auth/logout", Value::Null).await.status, 204);
    for login in [&login, &next] {
        until_dead(&gateways, token(login)).await;
        let refused = system.refresh(login).await;
        assert!(refused.headers.contains_key("www-authenticate"));
        assert_eq!(refused.refused(401), "invalid_token");
    }
    system.employee(&ann.token, "GET", "/api/auth/me", Value::Null).await.expect(200);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_or_all_others_are_ended_from_another_one() {
    let system = System::start().await;
    let gateways = [system.base.clone(), system.second_gateway().await];
    let ann = system.new_employee("Ann", "ann@example.org").await;
    let logins = [
        system.begin(&ann.email, &ann.password, "one").await,
        system.begin(&ann.email, &ann.password, "two").await,
        system.begin(&ann.email, &ann.password, "three").await,
    ];
    let sessions = system.sessions(&logins[0]).await;
    let two = sessions.iter().find(|session| session["agent"] == "two").unwrap();
    let path = format!("/api/auth/sessions/{}", two["id"].as_str().unwrap());
    assert_eq!(system.employee(token(&logins[0]), "DELETE", &path, Value::Null).await.status, 204);
    until_dead(&gateways, token(&logins[1])).await;
    assert_eq!(system.employee(token(&logins[0]), "DELETE", &path, Value::Null).await.refused(404), "not_found");
    // A request about a session of somebody else, or about an unknown one, is answered 404.
    let bob = system.new_employee("Bob", "bob@example.org").await;
    let three = format!("/api/auth/sessions/{}", sessions[0]["id"].as_str().unwrap());
    for path in [three.as_str(), "/api/auth/sessions/x"] {
        assert_eq!(system.employee(&bob.token, "DELETE", path, Value::Null).await.refused(404), "not_found");
    }

    assert_eq!(system.employee(token(&logins[0]), "DELETE", "/api/auth/sessions", Value::Null).await.status, 204);
    for dead in [token(&logins[2]), &ann.token] {
        until_dead(&gateways, dead).await;
    }
    for gateway in &gateways {
        let me = system.http.get(format!("{gateway}/api/auth/me")).bearer_auth(token(&logins[0])).send().await.unwrap();
        assert_eq!(me.status(), 200);
    }
    assert_eq!(system.sessions(&logins[0]).await.len(), 1);
    system.refresh(&logins[0]).await.expect(200);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_used_is_seen() {
    let system = System::start().await;
    let ann = system.new_employee("Ann", "ann@example.org").await;
    let began = system.employee(&ann.token, "GET", "/api/auth/sessions", Value::Null).await.expect(200);
    system.harness.clock.advance(10 * 60_000);
    testkit::eventually("it was seen", async || {
        let listed = system.employee(&ann.token, "GET", "/api/auth/sessions", Value::Null).await;
        let seen = listed.body[0]["lastSeenAt"].as_i64()?;
        (seen > began[0]["createdAt"].as_i64()?).then_some(())
    })
    .await;
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reused_refresh_token_ends_the_session_and_stands_in_the_audit_trail() {
    let system = System::start().await;
    let ann = system.new_employee("Ann", "ann@example.org").await;
    let first = system.begin(&ann.email, &ann.password, "T3").await;
    let second = system.refresh(&first).await.expect(200);
    let third = system.refresh(&second).await.expect(200);
    assert_eq!(system.refresh(&first).await.refused(401), "invalid_token");
    until_dead(std::slice::from_ref(&system.base), token(&third)).await;
    let trail = testkit::eventually("the trail tells it", async || {
        let path = format!("/api/v1/audit?action=session.reused&subject={}", ann.id);
        let trail = system.admin("GET", &path, Value::Null).await;
        (trail.body.as_array().is_some_and(|entries| entries.len() == 1)).then_some(trail)
    })
    .await;
    for login in [&first, &second, &third] {
        assert!(!trail.text.contains(login["refresh_token"].as_str().unwrap()));
    }
    assert_eq!(trail.body[0]["address"], "127.0.0.1");
    system.finish().await;
}
