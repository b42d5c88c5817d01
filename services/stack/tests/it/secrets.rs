//! Tests that no secret appears in the output, even at the log level `debug`, and that a request
//! can be followed by its trace id.

use serde_json::{Value, json};

use crate::{
    api::{ADMIN_KEY, Api, Response, send},
    fixture::{HOUR, TEN, WINDOWS, id, merged},
    program::Program,
};

/// The texts that must not appear in the output, although requests and settings contain them.
const PLANTED: &[&str] = &[ADMIN_KEY, JWT_SECRET, SMTP_PASSWORD, PASSWORD, WRONG, NOTE, COMPUTER, HWID];
const JWT_SECRET: &str = "planted-jwt-secret-of-the-system";
const SMTP_PASSWORD: &str = "planted-password-of-the-mail-server";
const PASSWORD: &str = "planted-password-of-ann";
/// A text that is used as a wrong token, key, password or body.
const WRONG: &str = "planted-and-wrong";
const NOTE: &str = "planted-note";
const COMPUTER: &str = "planted-computer";
const HWID: &str = "planted-hwid";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[track_caller]
fn assert_unseen(said: &str, secrets: &[&str]) {
    for secret in secrets {
        let line = said.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{secret} is in {line:?}");
    }
}

/// Sends many kinds of invalid requests, each with a planted text.
async fn do_everything_wrong(api: &Api) {
    let post = |path: &str| api.request("POST", path);
    let refused = async |request: reqwest::RequestBuilder| {
        let answer: Response = send(request, Value::Null).await;
        assert!((400..500).contains(&answer.status), "{}", answer.text);
    };
    api.activate(WRONG, PASSWORD).await.refused(400);
    refused(api.request("GET", &format!("/activate?token={WRONG}"))).await;
    refused(post("/activate").form(&[("token", WRONG), ("password", PASSWORD)])).await;
    let wrong = json!({ "token": WRONG, "password": PASSWORD });
    for path in ["/api/auth/reset", "/api/auth/confirm"] {
        assert_eq!(api.anybody("POST", path, wrong.clone()).await.refused(400), "invalid_token");
    }
    for page in ["reset", "confirm"] {
        refused(api.request("GET", &format!("/{page}?token={WRONG}"))).await;
        refused(post(&format!("/{page}")).form(&[("token", WRONG), ("password", PASSWORD)])).await;
    }
    api.anybody("POST", "/api/auth/forgot", json!({ "email": WRONG })).await.expect(202);
    api.login("ann@example.org", WRONG).await.refused(401);
    api.login(WRONG, PASSWORD).await.refused(401);
    refused(post("/api/auth/login").json(&json!({ "username": WRONG, "password": PASSWORD }))).await;
    refused(post("/api/auth/login").form(&[("password", PASSWORD)])).await;
    refused(api.request("GET", "/api/v1/employee").header("X-API-Key", WRONG)).await;
    for authorization in [format!("Bearer {WRONG}"), format!("Basic {WRONG}"), format!("Bearer a.{WRONG}.c")] {
        refused(api.request("GET", "/api/auth/me").header("Authorization", authorization)).await;
    }
    for body in [
        format!("{{\"name\":[\"{WRONG}\"],\"email\":\"{WRONG}\"}}"),
        format!("{{\"name\":\"{WRONG}"),
        format!("{{\"token\":{{\"{WRONG}\":1}},\"password\":[\"{PASSWORD}\"]}}"),
        format!("\"{WRONG}\""),
    ] {
        for path in ["/api/auth/activate", "/api/v1/employee", "/api/v1/project", "/api/v1/task"] {
            let request = post(path).header("X-API-Key", ADMIN_KEY).header("Content-Type", "application/json");
            refused(request.body(body.clone())).await;
        }
    }
    let query = format!("/api/v1/analytics/window?start={WRONG}&end={WRONG}&employeeId={WRONG}");
    refused(api.request("GET", &query).header("X-API-Key", ADMIN_KEY)).await;
    refused(api.request("GET", &format!("/{WRONG}"))).await;
}

/// Logs in, refreshes twice, and uses the first refresh token again, as a thief would. Returns all
/// refresh tokens.
async fn refresh_until_theft(api: &Api) -> Vec<String> {
    let form = [("username", "ann@example.org"), ("password", PASSWORD), ("refresh", "true")];
    let mut answer = send(api.request("POST", "/api/auth/login").form(&form), Value::Null).await.expect(200);
    let mut tokens = Vec::new();
    let refresh = async |token: &str| api.anybody("POST", "/api/auth/refresh", json!({ "refresh_token": token })).await;
    for _ in 0..2 {
        tokens.push(answer["refresh_token"].as_str().unwrap().to_owned());
        answer = refresh(&tokens[tokens.len() - 1]).await.expect(200);
    }
    tokens.push(answer["refresh_token"].as_str().unwrap().to_owned());
    refresh(&tokens[0]).await.refused(401);
    refresh(WRONG).await.refused(401);
    tokens
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_logged_as_text_while_everything_goes_wrong() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let program = Program::new();
    let settings = [
        ("LOG_LEVEL", "debug"),
        ("LOG_FORMAT", "text"),
        ("ADMIN_API_KEY", ADMIN_KEY),
        ("JWT_SECRET_KEY", JWT_SECRET),
        ("EMAIL_HOST", "127.0.0.1"),
        ("EMAIL_PORT", &closed),
        ("EMAIL_TLS", "none"),
        ("EMAIL_USERNAME", "t3"),
        ("EMAIL_PASSWORD", SMTP_PASSWORD),
    ];
    let run = program.start_with(&settings).await;
    let api = run.api();
    api.invite("Ann", "ann@example.org").await;
    do_everything_wrong(&api).await;
    testkit::eventually("the mail was tried", async || program.log().contains("invitation").then_some(())).await;
    let said = run.stop().await + &program.log();
    assert!(said.contains("answered") && said.contains("DEBUG"), "{said}");
    assert!(!said.contains("activate?token="), "there is a mail server: no link is logged");
    assert_unseen(&said, PLANTED);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_logged_as_json_on_the_way_of_a_window_and_every_line_says_whose_it_is() {
    let program = Program::new();
    let settings = [("ADMIN_API_KEY", ADMIN_KEY), ("JWT_SECRET_KEY", JWT_SECRET)];
    let run = program.start_with(&[&settings[..], &[("LOG_LEVEL", "debug"), ("LOG_FORMAT", "json")]].concat()).await;
    let api = run.api();
    let ann = api.invite("Ann", "ann@example.org").await;
    let link = api.invitation_token("ann@example.org").await;
    api.anybody("GET", &format!("/activate?token={link}"), Value::Null).await;
    send(api.request("POST", "/activate").form(&[("token", link.as_str()), ("password", "short")]), Value::Null).await;
    api.activate(&link, PASSWORD).await.expect(200);
    let login = api.login("ann@example.org", PASSWORD).await.expect(200);
    let jwt = login["access_token"].as_str().unwrap().to_owned();
    let refresh_tokens = refresh_until_theft(&api).await;
    do_everything_wrong(&api).await;
    api.anybody("POST", "/api/auth/forgot", json!({ "email": "ann@example.org" })).await.expect(202);
    let reset = api.mailed_token("reset", "ann@example.org").await;
    api.anybody("GET", &format!("/reset?token={reset}"), Value::Null).await;
    let change = json!({ "old": WRONG, "new": PASSWORD });
    assert_eq!(api.employee(&jwt, "PUT", "/api/auth/password", change).await.refused(400), "wrong_password");

    let project = api.create_project(json!({ "employees": [ann["id"]], "description": NOTE })).await;
    let task = api.create_task(json!({ "projectId": project["id"], "employees": [ann["id"]] })).await;
    let window = json!({
        "start": TEN, "end": TEN + HOUR, "timezoneOffset": 0, "projectId": project["id"], "taskId": task["id"],
        "computer": COMPUTER, "user": COMPUTER, "domain": COMPUTER, "os": "linux", "osVersion": "6", "hwid": HWID,
        "note": NOTE, "shiftId": HWID,
    });
    let post = async |window: &Value| api.employee(&jwt, "POST", WINDOWS, window.clone()).await;
    let recorded = post(&window).await.expect(201);
    post(&window).await.expect(200);
    post(&merged(window.clone(), json!({ "id": recorded["id"], "end": TEN + 1 }))).await.refused(409);
    post(&merged(window.clone(), json!({ "end": NOTE }))).await.refused(422);
    let other = api.create_task(json!({ "projectId": project["id"] })).await;
    post(&merged(window.clone(), json!({ "taskId": other["id"] }))).await.refused(400);
    let batch = json!({ "windows": [window, NOTE] });
    api.employee(&jwt, "POST", &format!("{WINDOWS}/batch"), batch).await.expect(200);
    api.put(&format!("{WINDOWS}/update?projectId={}", id(&project)), json!({ "note": format!("{NOTE} 2") })).await;
    api.employee(&jwt, "GET", &format!("{WINDOWS}/{}", id(&recorded)), Value::Null).await.expect(200);
    api.get(&format!("/api/v1/analytics/window?start={TEN}&end={}", TEN + HOUR)).await;

    // This request is followed through the services by its trace id and its request id.
    let form = [("username", "ann@example.org"), ("password", WRONG)];
    let followed = api.request("POST", "/api/auth/login").form(&form).header("X-Request-Id", "a-login-to-follow");
    let followed = send(followed.header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01")), Value::Null).await;
    assert_eq!((followed.status, &followed.body["traceId"]), (401, &json!(TRACE)));
    assert_eq!(followed.headers["x-request-id"], "a-login-to-follow");

    let said = run.stop().await + &program.log();
    // Without a mail server each link is logged once. No other secret is logged.
    let (links, rest): (Vec<&str>, Vec<&str>) =
        said.lines().partition(|line| line.contains(&link) || line.contains(&reset));
    assert_eq!(links.len(), 2, "{links:?}");
    assert!(links.iter().all(|line| line.contains("no EMAIL_HOST is set")), "{links:?}");
    let parts: Vec<&str> = jwt.split('.').skip(1).collect();
    // Only the part after the common prefix of refresh tokens is secret.
    let refresh_tokens: Vec<&str> = refresh_tokens.iter().map(|token| token.trim_start_matches("t3refresh_")).collect();
    assert_unseen(&rest.join("\n"), &[PLANTED, &parts, &refresh_tokens, &[&link, &reset]].concat());

    let lines: Vec<Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let answered: Vec<&Value> = lines.iter().filter(|line| line["message"] == "answered").collect();
    assert!(answered.len() > 20, "{said}");
    for line in answered {
        let span = &line["spans"][0];
        for field in ["request_id", "trace_id", "method", "route"] {
            assert!(span[field].is_string(), "no {field}: {line}");
        }
        if span["route"] == WINDOWS {
            assert_eq!(span["employee_id"], ann["id"], "{line}");
        }
    }
    let spans = lines.iter().filter_map(|line| line["spans"].as_array()).flatten();
    let on_its_way: Vec<&Value> = spans.filter(|span| span["request_id"] == "a-login-to-follow").collect();
    for name in ["request", "answer"] {
        assert!(on_its_way.iter().any(|span| span["name"] == name), "no {name}: {on_its_way:?}");
    }
    assert!(on_its_way.iter().all(|span| span["trace_id"] == TRACE), "{on_its_way:?}");
}
