//! Tests of the console's access control: who may open which page, with which credentials, and the
//! headers of every page. The content of the pages is tested in the crate `stack`.

use contracts::{EmployeeId, Role};
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect::Policy};
use testkit::eventually;

use crate::{edge::Edge, scopes::give_role};

/// Creates an HTTP client that does not follow redirects.
fn browser() -> Client {
    Client::builder().redirect(Policy::none()).no_proxy().build().expect("a client")
}

fn open(edge: &Edge, path: &str, token: &str) -> RequestBuilder {
    browser().get(edge.base.clone() + path).header("cookie", format!("a=b; t3={token}"))
}

/// The paths of all pages, with an id in place of `{id}`, and who may open each of them.
fn pages() -> impl Iterator<Item = (String, String)> {
    gateway::console_pages()
        .map(|(path, access)| (path.replace("{id}", "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071"), access))
}

/// The path to which a response redirects.
fn leads(response: &Response) -> Option<&str> {
    response.headers().get("location")?.to_str().ok()
}

async fn text(response: Response) -> String {
    response.text().await.expect("a body")
}

/// Writes the account of a new employee with this role into the bucket of revocations, as directory
/// does, and waits until the gateway knows the role. Returns the employee's id and a valid token.
async fn somebody(edge: &Edge, role: Role) -> (EmployeeId, String) {
    let person = kit::new_id();
    give_role(edge, person, role, 0).await;
    let token = edge.token(person, 0);
    let may = role != Role::Employee;
    eventually("the role is known", async || {
        let status = edge.get("/api/v1/analytics/long-days").bearer_auth(&token).send().await.ok()?.status();
        (may != (status == StatusCode::UNAUTHORIZED)).then_some(())
    })
    .await;
    (person, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_logged_in_is_led_to_the_log_in_and_back() {
    let edge = Edge::start().await;
    for (path, access) in pages().filter(|(_, access)| access != "anybody") {
        for token in ["", "x", "a.b.c"] {
            let answer = open(&edge, &format!("{path}?day=2026-03-01"), token).send().await.expect("an answer");
            assert_eq!(answer.status(), 303, "{path} {access}");
            let next = format!("/console/log-in?next={}%3Fday%3D2026-03-01", path.replace('/', "%2F"));
            assert_eq!(leads(&answer), Some(next.as_str()));
        }
    }
    // htmx requests a part of a page. The response must redirect the whole page.
    let refresh = open(&edge, "/console?seen=x", "").header("hx-request", "true").send().await.expect("an answer");
    assert_eq!(refresh.status(), 401);
    assert_eq!(refresh.headers()["hx-redirect"], "/console/log-in?next=%2Fconsole%3Fseen%3Dx");
    let page = open(&edge, "/console/log-in?next=%2Fconsole%2Fday", "").send().await.expect("an answer");
    assert_eq!(page.status(), 200);
    assert!(text(page).await.contains(r#"name="next" value="/console/day""#));
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_opens_for_those_whose_role_allows_it_and_for_nobody_else() {
    let edge = Edge::start().await;
    for role in Role::ALL {
        let (_, token) = somebody(&edge, role).await;
        for (path, access) in pages() {
            let answer = open(&edge, &path, &token).send().await.expect("an answer");
            let scope = access.trim_end_matches(" or own").trim_end_matches(" for all").parse().ok();
            let is_for_all = access.ends_with("for all") && role == Role::Manager;
            let may = access.ends_with("own") || scope.is_none_or(|scope| role.scopes().allow(scope)) && !is_for_all;
            // No service runs in this test. When access is allowed, the page therefore fails with
            // 503, unless it needs no service.
            let status = answer.status().as_u16();
            match (may, path.as_str()) {
                (true, _) => assert!(matches!(status, 200 | 503), "{role:?} {path} {status}"),
                (false, "/console") => assert_eq!((status, leads(&answer)), (303, Some("/me")), "{role:?}"),
                (false, _) => assert_eq!(status, 403, "{role:?} {path}"),
            }
        }
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_says_what_it_may_load_and_is_kept_by_nobody() {
    let edge = Edge::start().await;
    let (_, token) = somebody(&edge, Role::Owner).await;
    let strange = ["/console/nothing", "/console/people/nobody"].map(str::to_owned);
    let all = pages().map(|(path, _)| path).chain(strange);
    for path in all {
        let answer = open(&edge, &path, &token).send().await.expect("an answer");
        let headers = answer.headers().clone();
        let policy = headers["content-security-policy"].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{path}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{path}");
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        assert_eq!(headers["content-type"], "text/html; charset=utf-8", "{path}");
        assert_eq!(headers.contains_key("retry-after"), answer.status() == 503, "{path}");
        let html = text(answer).await;
        assert_eq!(html.matches("<h1").count(), 1, "{path}");
        assert!(!html.contains(" style=") && !html.contains(" onclick="), "{path}");
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_pages_are_kept_for_good() {
    let edge = Edge::start().await;
    let html = text(edge.get("/console/log-in").send().await.expect("an answer")).await;
    let paths: Vec<&str> = html.split('"').filter(|part| part.starts_with("/console/assets/")).collect();
    assert_eq!(paths.len(), 3, "{html}");
    for path in paths {
        let answer = edge.get(path).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["cache-control"], "public, max-age=31536000, immutable");
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_another_site_sends_does_nothing() {
    let edge = Edge::start().await;
    let (_, token) = somebody(&edge, Role::Owner).await;
    let send = |name: &'static str, value: &str| {
        let form = [("zone", "Europe/Berlin"), ("next", "/me")];
        let request = browser().post(edge.base.clone() + "/console/zone").header("cookie", format!("t3={token}"));
        request.header(name, value).form(&form).send()
    };
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let answer = send(name, value).await.expect("an answer");
        assert_eq!((answer.status().as_u16(), answer.headers().contains_key("set-cookie")), (403, false), "{value}");
    }
    for (name, value) in [("sec-fetch-site", "same-origin"), ("origin", &edge.base)] {
        let answer = send(name, value).await.expect("an answer");
        assert_eq!((answer.status().as_u16(), leads(&answer)), (303, Some("/me")), "{value}");
        assert!(answer.headers()["set-cookie"].to_str().expect("text").starts_with("t3-zone=Europe/Berlin; "));
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_lives_eight_hours_after_the_last_page_that_a_person_opened() {
    let edge = Edge::start().await;
    let (person, token) = somebody(&edge, Role::Owner).await;
    let zone = async |token: &str, refresh: bool| {
        let mut request = open(&edge, "/console/zone", token);
        if refresh {
            request = request.header("hx-request", "true");
        }
        request.send().await.expect("an answer")
    };
    let kept = |answer: &Response| Some(answer.headers().get("set-cookie")?.to_str().ok()?.to_owned());
    // The token is too young, so it is not renewed.
    assert_eq!(kept(&zone(&token, false).await), None);
    // This token was issued 700 s ago, which is old enough for a renewal. A request that htmx makes
    // by itself does not renew it; a page that a person opens does.
    let old = edge.token_issued_ago(person, 700);
    assert_eq!(kept(&zone(&old, true).await), None);
    let renewed = kept(&zone(&old, false).await).expect("renewed");
    let (name, rest) = renewed.split_once('=').expect("a name");
    let (renewed, attributes) = rest.split_once("; ").expect("attributes");
    assert_eq!((name, attributes), ("t3", "Path=/; Max-Age=28800; HttpOnly; SameSite=Lax"));
    // What revokes a person's tokens also revokes the renewed one.
    assert_eq!(zone(renewed, false).await.status(), 200);
    give_role(&edge, person, Role::Owner, 1).await;
    eventually("it is over", async || (zone(renewed, false).await.status() == 303).then_some(())).await;
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_out_that_cannot_be_done_now_says_so_and_leaves_the_cookie() {
    let edge = Edge::start().await;
    let (_, token) = somebody(&edge, Role::Employee).await;
    let log_out = async |token: &str| {
        let request = browser().post(edge.base.clone() + "/console/log-out").header("cookie", format!("t3={token}"));
        let answer = request.header("sec-fetch-site", "same-origin").send().await.expect("an answer");
        (answer.status().as_u16(), answer.headers().contains_key("set-cookie"))
    };
    for _ in 0..10 {
        // After this jump of the clock, the gateway does not know which tokens are valid until the
        // next heartbeat. After the heartbeat, the log-out fails because directory does not run.
        // Both give 503.
        edge.harness.clock.advance(31_000);
        assert_eq!(log_out(&token).await, (503, false));
    }
    assert_eq!(log_out("x").await, (303, true), "there is nothing to end");
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_program_opens_no_page_and_the_cookie_calls_nothing() {
    let edge = Edge::start().await;
    let (_, token) = somebody(&edge, Role::Owner).await;
    let by_key = browser().get(edge.base.clone() + "/console/zone").header("x-api-key", crate::edge::KEY);
    assert_eq!(by_key.send().await.expect("an answer").status(), 303);
    let by_bearer = browser().get(edge.base.clone() + "/console/zone").bearer_auth(&token);
    assert_eq!(by_bearer.send().await.expect("an answer").status(), 303);
    let call = open(&edge, "/api/v1/employee", &token).send().await.expect("an answer");
    assert_eq!(call.status(), 401);
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_led_to_the_console_and_programs_are_told_what_there_is() {
    let edge = Edge::start().await;
    let start = browser().get(edge.base.clone() + "/").header("accept", "text/html").send().await.expect("an answer");
    assert_eq!((start.status().as_u16(), leads(&start)), (303, Some("/console")));
    let links = edge.get("/").send().await.expect("an answer");
    assert_eq!(links.headers()["content-type"], "application/json");
    edge.harness.finish().await;
}
