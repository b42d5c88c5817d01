//! Tests of the activation page, which an invitation links to, with a running directory service.

use contracts::{
    Caller, CreateEmployee, Email, Employee, InvitationRequested, InviteEmployee, MintToken, Name, Secret,
};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use testkit::eventually;

use crate::edge::{Edge, problem_of, read_problem};

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Starts a harness with the gateway and directory, and invites Ann.
pub(crate) async fn invited() -> (Edge, Employee) {
    let edge = Edge::start().await;
    edge.harness.spawn(directory::needs(), |deps, stop| directory::run(directory::Config::default(), deps, stop)).await;
    let (name, email) = (Name::parse("Ann <b>Example</b>"), Email::parse("Ann@example.org"));
    let (name, email) = (name.expect("a name"), email.expect("an address"));
    let ann = edge.harness.ask(&CreateEmployee { name, email }).await.expect("created");
    (edge, ann)
}

/// Waits until the latest requested invitation is for this employee, and returns the token that its
/// mail contains.
pub(crate) async fn token(edge: &Edge, employee: &Employee) -> Secret {
    let events = edge.harness.bus().jetstream.get_stream(contracts::stream::EVENTS).await.expect("the stream");
    let subject = <InvitationRequested as contracts::Event>::filter();
    let event = eventually("the invitation", async || {
        let message = events.get_last_raw_message_by_subject(&subject).await.ok()?;
        let event: InvitationRequested = serde_json::from_slice(&message.payload).expect("an event");
        (event.employee_id == employee.id).then_some(event)
    });
    let InvitationRequested { invitation_id, employee_id, .. } = event.await;
    let minted = edge.harness.bus().ask(Caller::Service, &MintToken { invitation_id, employee_id }).await;
    minted.expect("minted").expect("open").token
}

/// Checks the headers of a page of the gateway, and returns its status and HTML.
pub(crate) async fn page(response: Response) -> (StatusCode, String) {
    let headers = response.headers().clone();
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    assert_eq!(headers["cache-control"], "no-store");
    let policy = headers["content-security-policy"].to_str().expect("text");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && policy.contains("frame-ancestors 'none'"));
    let status = response.status();
    let html = response.text().await.expect("a page");
    // A page with a password field has one script, which can show the password. No other page may
    // run a script.
    let asks = html.contains("type=\"password\"");
    assert_eq!(
        (html.matches("<script").count(), policy.contains("script-src 'sha256-")),
        (asks.into(), asks),
        "{html}"
    );
    assert!(!html.contains("http"), "{html}");
    (status, html)
}

async fn look(edge: &Edge, token: &str) -> (StatusCode, String) {
    let url = reqwest::Url::parse_with_params(&format!("{}/activate", edge.base), [("token", token)]).expect("a URL");
    page(edge.http.get(url).send().await.expect("an answer")).await
}

async fn submit(edge: &Edge, token: &str, password: &str) -> (StatusCode, String) {
    let form = edge.post("/activate").form(&[("token", token), ("password", password)]);
    page(form.send().await.expect("an answer")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_whose_invitation_it_is_explains_a_short_password_and_what_comes_next() {
    let (edge, ann) = invited().await;
    let token = token(&edge, &ann).await;
    // Opening the link does not use it up.
    for _ in 0..3 {
        let (status, html) = look(&edge, token.expose()).await;
        assert_eq!(status, 200);
        assert!(html.contains("Hello Ann &lt;b&gt;Example&lt;/b&gt;") && html.contains("Ann@example.org"), "{html}");
        assert!(html.contains("minlength=\"12\"") && !html.contains("role=\"alert\""), "{html}");
    }
    let (status, html) = submit(&edge, token.expose(), "too short").await;
    assert_eq!(status, 422);
    assert!(html.contains("it must have at least 12 characters: three or four words do well."), "{html}");
    assert!(html.contains(token.expose()) && !html.contains("too short"), "{html}");
    let (status, _) = submit(&edge, token.expose(), &"x".repeat(129)).await;
    assert_eq!(status, 422);
    let (status, html) = submit(&edge, token.expose(), PASSWORD).await;
    assert_eq!(status, 200);
    assert!(html.contains("log in with <strong>Ann@example.org</strong>") && !html.contains(PASSWORD), "{html}");
    for (status, html) in [look(&edge, token.expose()).await, submit(&edge, token.expose(), PASSWORD).await] {
        assert_eq!(status, 410);
        assert!(html.contains("has been used") && html.contains("log in"), "{html}");
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_are_over_unknown_or_broken_get_a_page_that_says_what_to_do() {
    let (edge, ann) = invited().await;
    let first = token(&edge, &ann).await;
    edge.harness.ask(&InviteEmployee { id: ann.id }).await.expect("invited again");
    let second = token(&edge, &ann).await;
    for (status, html) in [look(&edge, first.expose()).await, submit(&edge, first.expose(), PASSWORD).await] {
        assert_eq!(status, 410);
        assert!(html.contains("ask your admin for a new invitation"), "{html}");
    }
    assert_eq!(look(&edge, second.expose()).await.0, 200);
    edge.harness.clock.advance(73 * 3_600_000);
    assert_eq!(submit(&edge, second.expose(), PASSWORD).await.0, 410);
    for unknown in ["", "x", "<script>alert(1)</script>", &"é".repeat(2_000)] {
        for (status, html) in [look(&edge, unknown).await, submit(&edge, unknown, PASSWORD).await] {
            assert_eq!(status, 404);
            assert!(html.contains("the whole of it from the mail"), "{html}");
        }
    }
    assert_eq!(page(edge.get("/activate").send().await.expect("an answer")).await.0, 404);
    assert_eq!(page(edge.post("/activate").form(&[("x", "y")]).send().await.expect("one")).await.0, 404);
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_directory_is_away_the_page_says_that_the_invitation_is_still_good() {
    let edge = Edge::start().await;
    for (status, html) in [look(&edge, "t").await, submit(&edge, "t", PASSWORD).await] {
        assert_eq!(status, 503);
        assert!(html.contains("still good"), "{html}");
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_client_activates_logs_in_and_sees_who_they_are() {
    let (edge, ann) = invited().await;
    let token = token(&edge, &ann).await;
    let activate = |token: &str, password: &str| {
        edge.post("/api/auth/activate").json(&json!({ "token": token, "password": password }))
    };
    let log_in = |username: &str, password: &str| {
        edge.post("/api/auth/login").form(&[("username", username), ("password", password)])
    };
    let weak = problem_of(activate(token.expose(), "too short")).await;
    assert_eq!(
        (weak.status.as_u16(), weak.code.as_str(), weak.field.as_deref()),
        (422, "weak_password", Some("password"))
    );
    let wrong = problem_of(activate("x", PASSWORD)).await;
    assert_eq!((wrong.status.as_u16(), wrong.code.as_str()), (400, "invalid_token"));
    let not_yet = problem_of(log_in("ann@example.org", PASSWORD)).await;
    let shown: Value = activate(token.expose(), PASSWORD).send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!((&shown["id"], &shown["is_active"]), (&json!(ann.id), &json!(true)));
    let again = problem_of(activate(token.expose(), PASSWORD)).await;
    assert_eq!((again.status.as_u16(), again.code.as_str()), (400, "invalid_token"));
    // A refused log-in gets the same bytes, whatever the cause: also those of `not_yet`, when the
    // account was not activated.
    for (username, password) in [("ann@example.org", "wrong"), ("bob@example.org", PASSWORD), ("", ""), ("x", PASSWORD)]
    {
        let problem = problem_of(log_in(username, password)).await;
        assert_eq!((problem.status.as_u16(), &problem.text), (401, &not_yet.text));
    }
    let missing =
        read_problem(edge.post("/api/auth/login").form(&[("username", "a")]).send().await.expect("one")).await;
    assert_eq!((missing.status.as_u16(), missing.field.as_deref()), (422, Some("password")));
    let answer = log_in("ANN@example.org", PASSWORD).send().await.expect("an answer");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let answer: Value = answer.json().await.expect("JSON");
    assert_eq!(answer["token_type"], "bearer");
    let bearer = answer["access_token"].as_str().expect("a token");
    let me: Value = edge.get("/api/auth/me").bearer_auth(bearer).send().await.expect("one").json().await.expect("JSON");
    assert_eq!(
        me,
        serde_json::to_value(edge.harness.ask(&contracts::GetEmployee { id: ann.id }).await.unwrap()).unwrap()
    );
    edge.harness.finish().await;
}
