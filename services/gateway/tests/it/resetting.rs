//! Tests of the pages and API calls that reset or change a password and confirm a new e-mail
//! address, with a running directory service.

use contracts::{
    Caller, Email, Employee, EmployeeChanges, Event, MailId, MailRequested, MailSays, MintMail, Secret, UpdateEmployee,
    stream,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    activation::{PASSWORD, invited, page, token},
    edge::{Edge, problem_of},
};

const OTHER: &str = "another four long words";

/// Starts a harness with the gateway and directory, and with Ann, whose account is active.
async fn active() -> (Edge, Employee) {
    let (edge, ann) = invited().await;
    let token = token(&edge, &ann).await;
    let activate = edge.post("/api/auth/activate").json(&json!({ "token": token.expose(), "password": PASSWORD }));
    assert_eq!(activate.send().await.expect("an answer").status(), 200);
    (edge, ann)
}

/// Waits for a mail other than `not` that contains a link. Returns the id of the mail and the token
/// of the link.
async fn mailed_token(edge: &Edge, not: Option<MailId>) -> (MailId, Secret) {
    let events = edge.harness.bus().jetstream.get_stream(stream::EVENTS).await.expect("the stream");
    let subject = MailRequested::filter();
    eventually("a mail with a link", async || {
        let message = events.get_last_raw_message_by_subject(&subject).await.ok()?;
        let MailRequested { mail_id } = serde_json::from_slice(&message.payload).expect("an event");
        if Some(mail_id) == not {
            return None;
        }
        let minted = edge.harness.bus().ask(Caller::Service, &MintMail { mail_id }).await.expect("minted")?;
        match minted.says {
            MailSays::Reset { token, .. } | MailSays::Confirmation { token, .. } => Some((mail_id, token)),
            MailSays::PasswordChanged | MailSays::AddressChanged => None,
        }
    })
    .await
}

async fn log_in(edge: &Edge, email: &str, password: &str) -> (StatusCode, Value) {
    let form = edge.post("/api/auth/login").form(&[("username", email), ("password", password)]);
    let response = form.send().await.expect("an answer");
    (response.status(), response.json().await.expect("JSON"))
}

async fn look(edge: &Edge, path: &str, token: &str) -> (StatusCode, String) {
    let url = reqwest::Url::parse_with_params(&format!("{}{path}", edge.base), [("token", token)]).expect("a URL");
    page(edge.http.get(url).send().await.expect("an answer")).await
}

async fn submit(edge: &Edge, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
    page(edge.post(path).form(fields).send().await.expect("an answer")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_lead_from_a_forgotten_password_to_another_one() {
    let (edge, _) = active().await;
    let (status, html) = page(edge.get("/forgot").send().await.expect("an answer")).await;
    assert!(status == 200 && html.contains("action=\"/forgot\""), "{html}");
    let (status, known) = submit(&edge, "/forgot", &[("email", "ann@example.org")]).await;
    assert!(status == 200 && known.contains("30 minutes"), "{known}");
    for other in ["nobody@example.org", "no address", "", "<script>"] {
        assert_eq!(submit(&edge, "/forgot", &[("email", other)]).await, (StatusCode::OK, known.clone()), "{other}");
    }
    assert_eq!(submit(&edge, "/forgot", &[("x", "y")]).await.1, known);
    // A mail is requested for an unknown address too, but it has no recipient and is never sent.
    // The first requested mail is Ann's.
    let token = first_token(&edge).await;

    for _ in 0..2 {
        let (status, html) = look(&edge, "/reset", token.expose()).await;
        assert_eq!(status, 200);
        assert!(html.contains("Hello Ann &lt;b&gt;Example&lt;/b&gt;") && html.contains("minlength=\"12\""), "{html}");
    }
    let token = token.expose();
    let (status, html) = submit(&edge, "/reset", &[("token", token), ("password", "password1234")]).await;
    assert!(status == 422 && html.contains("harder to guess") && !html.contains("password1234"), "{html}");
    let (status, html) = submit(&edge, "/reset", &[("token", token), ("password", OTHER)]).await;
    assert!(status == 200 && html.contains("log in with <strong>Ann@example.org</strong>"), "{html}");
    let fields = [("token", token), ("password", PASSWORD)];
    for (status, html) in [look(&edge, "/reset", token).await, submit(&edge, "/reset", &fields).await] {
        assert!(status == 410 && html.contains("href=\"/forgot\""), "{html}");
    }
    assert_eq!(log_in(&edge, "ann@example.org", OTHER).await.0, 200);
    for unknown in ["", "x", "<script>alert(1)</script>"] {
        for path in ["/reset", "/confirm"] {
            let fields = [("token", unknown), ("password", OTHER)];
            for (status, html) in [look(&edge, path, unknown).await, submit(&edge, path, &fields).await] {
                assert!(status == 404 && html.contains("the whole of it from the mail"), "{html}");
            }
        }
    }
    edge.harness.finish().await;
}

/// Returns the token in the first mail that was requested.
async fn first_token(edge: &Edge) -> Secret {
    let events = edge.harness.bus().jetstream.get_stream(stream::EVENTS).await.expect("the stream");
    let subject = MailRequested::filter();
    let first = eventually("a mail", async || events.get_first_raw_message_by_subject(&subject, 1).await.ok()).await;
    let MailRequested { mail_id } = serde_json::from_slice(&first.payload).expect("an event");
    let minted = edge.harness.bus().ask(Caller::Service, &MintMail { mail_id }).await.expect("minted").expect("a mail");
    let MailSays::Reset { token, .. } = minted.says else { panic!("no link: {:?}", minted.says) };
    token
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_client_forgets_resets_and_changes_a_password() {
    let (edge, ann) = active().await;
    let forgot = async |email: &str| {
        let response = edge.post("/api/auth/forgot").json(&json!({ "email": email })).send().await.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("a body"))
    };
    assert_eq!(forgot("ann@example.org").await, (202, String::new()));
    let (mail, token) = mailed_token(&edge, None).await;
    for other in ["nobody@example.org", "no address"] {
        assert_eq!(forgot(other).await, (202, String::new()), "{other}");
    }
    let reset = |token: &str, password: &str| {
        edge.post("/api/auth/reset").json(&json!({ "token": token, "password": password }))
    };
    let weak = problem_of(reset(token.expose(), "annexample12")).await;
    assert_eq!((weak.status.as_u16(), weak.code.as_str()), (422, "weak_password"));
    assert!(weak.text.contains("harder to guess") && weak.text.contains("words"), "{}", weak.text);
    assert_eq!(problem_of(reset("x", OTHER)).await.code, "invalid_token");
    let before = log_in(&edge, "ann@example.org", PASSWORD).await.1;
    let shown: Value = reset(token.expose(), OTHER).send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(shown["id"], json!(ann.id));
    let me = |login: &Value| edge.get("/api/auth/me").bearer_auth(login["access_token"].as_str().expect("a token"));
    assert_eq!(problem_of(me(&before)).await.status, 401, "log-ins of before are over");

    let login = log_in(&edge, "ann@example.org", OTHER).await.1;
    let other = log_in(&edge, "ann@example.org", OTHER).await.1;
    let bearer = login["access_token"].as_str().expect("a token");
    let change = |old: &str, new: &str| {
        edge.put("/api/auth/password").bearer_auth(bearer).json(&json!({ "old": old, "new": new }))
    };
    let wrong = problem_of(change(PASSWORD, "three words and a half")).await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.code.as_str(), wrong.field.as_deref()),
        (400, "wrong_password", Some("old"))
    );
    let weak = problem_of(change(OTHER, "short")).await;
    assert_eq!((weak.code.as_str(), weak.field.as_deref()), ("weak_password", Some("new")));
    let changed = change(OTHER, "three words and a half").send().await.expect("an answer");
    assert_eq!(changed.status(), 204);
    assert_eq!(problem_of(me(&other)).await.status, 401, "the other sessions end");
    assert_eq!(me(&login).send().await.expect("an answer").status(), 200, "and this one goes on");
    assert_eq!(log_in(&edge, "ann@example.org", OTHER).await.0, 401);
    assert_eq!(log_in(&edge, "ann@example.org", "three words and a half").await.0, 200);

    let path = format!("/api/v1/employee/{}/reset", ann.id);
    let sent = edge.post(&path).header("X-API-Key", crate::edge::KEY).send().await.expect("an answer");
    assert_eq!(sent.status(), 202);
    assert_ne!(mailed_token(&edge, Some(mail)).await.1, token);
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_address_is_confirmed_on_a_page_with_the_password() {
    let (edge, ann) = active().await;
    let email = Some(Email::parse("ann@example.com").expect("an address"));
    let changes = EmployeeChanges { email, ..Default::default() };
    let moved = edge.harness.ask(&UpdateEmployee { id: ann.id, changes, only_check: false }).await.expect("moved");
    assert!(moved.email_unconfirmed);
    let (_, token) = mailed_token(&edge, None).await;
    let token = token.expose();
    let (status, html) = look(&edge, "/confirm", token).await;
    assert!(status == 200 && html.contains("ann@example.com") && html.contains("current-password"), "{html}");
    assert_eq!(look(&edge, "/reset", token).await.0, 404, "a link is good for what it was mailed for");
    let (status, html) = submit(&edge, "/confirm", &[("token", token), ("password", "a wrong one")]).await;
    assert!(status == 400 && html.contains("not the password") && html.contains(token), "{html}");
    let (status, html) = submit(&edge, "/confirm", &[("token", token), ("password", PASSWORD)]).await;
    assert!(status == 200 && html.contains("<strong>ann@example.com</strong> is confirmed"), "{html}");
    assert_eq!(look(&edge, "/confirm", token).await.0, 410);
    let again = edge.post("/api/auth/confirm").json(&json!({ "token": token, "password": PASSWORD }));
    assert_eq!(problem_of(again).await.code, "invalid_token");
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_directory_is_away_the_pages_say_that_nothing_is_lost() {
    let edge = Edge::start().await;
    let fields = [("token", "t"), ("password", OTHER)];
    for (status, html) in [
        submit(&edge, "/forgot", &[("email", "ann@example.org")]).await,
        look(&edge, "/reset", "t").await,
        submit(&edge, "/reset", &fields).await,
        look(&edge, "/confirm", "t").await,
        submit(&edge, "/confirm", &fields).await,
    ] {
        assert_eq!(status, 503);
        assert!(html.contains("Try again"), "{html}");
    }
    edge.harness.finish().await;
}
