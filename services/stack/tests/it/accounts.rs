//! Tests of invitation, activation and log-in.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use contracts::HOUR;
use serde_json::{Value, json};

use crate::{
    fixture::merged,
    shapes::{EMPLOYEE, assert_keys, assert_shape, without_invitations},
    support::System,
};

const PASSWORD: &str = "correct horse battery";

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_invited_activates_logs_in_and_sees_themselves() {
    let system = System::start().await;
    let invited = system.invite("Ann", "Ann@Example.org").await;
    let token = system.invitation_token("ann@example.org").await;
    assert_eq!(system.login("ann@example.org", PASSWORD).await.refused(401), "unauthorized");

    for weak in ["", "elevenchars", &"x".repeat(129)] {
        let refused = system.activate(&token, weak).await;
        assert_eq!(refused.body["errors"][0]["field"], "password");
        assert_eq!(refused.refused(422), "weak_password");
    }
    assert_eq!(system.activate("no-such-token", PASSWORD).await.refused(400), "invalid_token");
    let path = "/api/auth/activate";
    for (field, body) in [("password", json!({ "token": token })), ("token", json!({ "password": PASSWORD }))] {
        let refused = system.anybody("POST", path, body).await;
        assert_eq!(refused.body["errors"][0]["field"], field);
        assert_eq!(refused.refused(422), "invalid");
    }
    // The refused requests above have not used up the token.
    let ann = system.activate(&token, PASSWORD).await.expect(200);
    assert_shape(&ann, EMPLOYEE);
    assert_eq!(ann, merged(without_invitations(invited), json!({ "is_active": true })));
    assert_eq!(system.activate(&token, PASSWORD).await.refused(400), "invalid_token");

    for name in ["Ann@Example.org", "ann@example.org", "ANN@EXAMPLE.ORG"] {
        let login = system.login(name, PASSWORD).await;
        assert_eq!(login.headers["cache-control"], "no-store");
        let login = login.expect(200);
        assert_keys(&login, &["access_token", "token_type", "expires_in"]);
        assert_eq!((&login["token_type"], &login["expires_in"]), (&json!("bearer"), &json!(3_600)));
        let token = login["access_token"].as_str().unwrap();
        let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&claims).unwrap()["sub"], ann["id"]);
        assert_eq!(system.employee(token, "GET", "/api/auth/me", Value::Null).await.expect(200), ann);
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_refused_in_the_same_words_whatever_the_cause() {
    let system = System::start().await;
    let ann = system.new_employee("Ann", "ann@example.org").await;
    let bob = system.new_employee("Bob", "bob@example.org").await;
    system.invite("Carl", "carl@example.org").await;
    system.admin("POST", &format!("/api/v1/employee/{}/deactivate", bob.id), Value::Null).await.expect(200);
    let long = "x".repeat(1_000);
    let mut words = Vec::new();
    for (name, password) in [
        (ann.email.as_str(), "another password"),
        (ann.email.as_str(), ""),
        (ann.email.as_str(), long.as_str()),
        (bob.email.as_str(), bob.password.as_str()),
        ("carl@example.org", PASSWORD),
        ("nobody@example.org", ann.password.as_str()),
        ("no address", PASSWORD),
        ("", ""),
    ] {
        let refused = system.login(name, password).await;
        let mut body = refused.body.clone();
        assert_eq!(refused.refused(401), "unauthorized");
        body["traceId"].take();
        words.push(body);
    }
    assert!(words.windows(2).all(|two| two[0] == two[1]), "{words:?}");

    let form = system.request("POST", "/api/auth/login").form(&[("username", "ann@example.org")]);
    assert_eq!(form.send().await.unwrap().status(), 422);
    let json = json!({ "username": ann.email, "password": ann.password });
    assert_eq!(system.anybody("POST", "/api/auth/login", json).await.refused(415), "unsupported_media_type");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_changes_hands_carries_neither_token_nor_password_over() {
    let system = System::start().await;
    let ann = system.new_employee("Ann", "first@example.org").await;
    let used = system.invitation_token("first@example.org").await;
    let path = format!("/api/v1/employee/{}", ann.id);
    let moved = system.put(&path, json!({ "email": "ann@example.org" })).await;
    assert_eq!((&moved["email"], &moved["identifier"]), (&json!("ann@example.org"), &json!("ann@example.org")));

    let bob = system.invite("Bob", "First@example.org").await;
    let fresh = system.next_invitation_token("First@example.org", &used).await;
    system.activate(&fresh, PASSWORD).await.expect(200);
    let login = system.login("first@example.org", PASSWORD).await.expect(200);
    let of_bob = login["access_token"].as_str().unwrap();
    let me = async |token: &str| system.employee(token, "GET", "/api/auth/me", Value::Null).await.expect(200);
    assert_eq!(me(&ann.token).await["email"], "ann@example.org", "her token stays hers");
    assert_eq!(me(of_bob).await["id"], bob["id"]);
    assert_ne!(me(&ann.token).await["accountId"], me(of_bob).await["accountId"]);
    assert_eq!(system.login("first@example.org", &ann.password).await.refused(401), "unauthorized");
    assert_eq!(system.login("ann@example.org", PASSWORD).await.refused(401), "unauthorized");
    system.login("ann@example.org", &ann.password).await.expect(200);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_changes_hands_does_not_carry_the_invitation_over() {
    let system = System::start().await;
    let carl = system.invite("Carl", "first@example.org").await;
    let old = system.invitation_token("first@example.org").await;
    let path = format!("/api/v1/employee/{}", carl["id"].as_str().unwrap());
    system.put(&path, json!({ "email": "carl@example.org" })).await;
    assert_eq!(system.activate(&old, PASSWORD).await.refused(400), "invalid_token");

    // Dora gets the address to which Carl was first invited. Each invitation activates the account
    // of its own employee.
    let dora = system.invite("Dora", "first@example.org").await;
    let of_dora = system.next_invitation_token("first@example.org", &old).await;
    let of_carl = system.invitation_token("carl@example.org").await;
    assert_eq!(system.activate(&of_dora, PASSWORD).await.expect(200)["id"], dora["id"]);
    assert_eq!(system.activate(&of_carl, PASSWORD).await.expect(200)["id"], carl["id"]);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_over_after_72_hours_and_a_fresh_one_is_not() {
    let system = System::start().await;
    let ann = system.invite("Ann", "ann@example.org").await;
    let old = system.invitation_token("ann@example.org").await;
    system.harness.clock.advance(72 * HOUR);
    assert_eq!(system.activate(&old, PASSWORD).await.refused(400), "invalid_token");
    let invite = format!("/api/v1/employee/{}/invite", ann["id"].as_str().unwrap());
    let invited = system.admin("POST", &invite, Value::Null).await.expect(202);
    assert!(invited["invited"].as_i64() >= ann["invited"].as_i64().map(|first| first + 72 * HOUR));
    let fresh = system.next_invitation_token("ann@example.org", &old).await;
    system.activate(&fresh, PASSWORD).await.expect(200);
    system.finish().await;
}
