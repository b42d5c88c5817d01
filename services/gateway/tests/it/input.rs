//! Tests that invalid input is refused with the name of its field, and that the response repeats no
//! part of the input.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::edge::{Edge, KEY, problem_of};

/// A text that the tests put into every kind of input. No response may contain it.
const SECRET: &str = "hunter2-planted-secret";

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_methods_and_ids_are_problems_too() {
    let edge = Edge::start().await;
    let nothing = problem_of(edge.get(&format!("/{SECRET}?x={SECRET}"))).await;
    assert_eq!((nothing.status, nothing.code.as_str()), (StatusCode::NOT_FOUND, "not_found"));
    assert!(!nothing.text.contains(SECRET));
    let response = edge.http.patch(edge.base.clone() + "/api/v1/employee").send().await.expect("an answer");
    assert_eq!(response.headers()["allow"], "POST,GET,HEAD");
    let wrong = crate::edge::read_problem(response).await;
    assert_eq!((wrong.status, wrong.code.as_str()), (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"));
    for id in ["1", SECRET, "0198c6f2-7f00-7a31-9c5e", "%FF", "..%2f..", "null"] {
        for path in ["employee", "project", "task", "time-entries"] {
            let problem = problem_of(edge.get(&format!("/api/v1/{path}/{id}")).header("X-API-Key", KEY)).await;
            assert_eq!((problem.status, problem.code.as_str()), (StatusCode::NOT_FOUND, "not_found"), "{path}/{id}");
            assert!(!problem.text.contains(SECRET));
        }
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_too_large_or_of_another_kind_are_refused() {
    let edge = Edge::start().await;
    let token = edge.token(kit::new_id(), 0);
    let create = |body: String| edge.post("/api/v1/employee").header("X-API-Key", KEY).body(body);
    let json = |body| create(body).header("Content-Type", "application/json; charset=utf-8");
    let filled = |bytes: usize| format!("{{\"x\":\"{}\"}}", SECRET.repeat(bytes / SECRET.len()));
    assert_eq!(problem_of(json(filled(10 << 20))).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(problem_of(json(filled((1 << 20) - 100))).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let window = edge.post("/api/v1/time-entries").bearer_auth(&token).header("Content-Type", "application/json");
    assert_eq!(problem_of(window.body(filled(70 << 10))).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let login = edge.post("/api/auth/login").header("Content-Type", "application/x-www-form-urlencoded");
    assert_eq!(problem_of(login.body(filled(10 << 20))).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application", SECRET] {
        let problem = problem_of(create("{}".into()).header("Content-Type", kind)).await;
        assert_eq!(
            (problem.status, problem.code.as_str()),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
        );
        assert!(!problem.text.contains(SECRET));
    }
    let login = edge.post("/api/auth/login").json(&json!({"username": "a", "password": SECRET}));
    assert_eq!(problem_of(login).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_sent_comes_back() {
    let edge = Edge::start().await;
    let id = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071";
    let token = edge.token(id.parse().expect("an id"), 0);
    let planted = [
        json!(SECRET),
        json!([SECRET]),
        json!({ SECRET: SECRET }),
        json!({"name": {SECRET: 1}, "email": SECRET, "token": [SECRET], "computer": [SECRET], "start": SECRET}),
        json!({"name": 5, "email": SECRET, "payroll": {SECRET: {}}, "start": format!("x, expected {SECRET}")}),
        json!({"name": "a", "email": SECRET, "payroll": {SECRET: {"billRate": 1}}, "token": 1, "password": SECRET}),
        json!({"name": "a", "employees": [SECRET], "computer": "a", "permissions": {"accessibility": SECRET}}),
        json!({"name": "a", "projectId": SECRET, "employees": SECRET, "start": 1, "end": 2, "timezoneOffset": SECRET}),
    ];
    let (nothing, more) = (String::new(), format!("{{}} {SECRET}"));
    let raw = [
        SECRET,
        "{",
        "{\"name\":NaN}",
        "{\"name\":1e999}",
        &"[".repeat(60_000),
        &format!("{{\"x\":{}", "[".repeat(60_000)),
        "\u{0}",
        &nothing,
        &more,
    ];
    let bodies: Vec<String> = planted.iter().map(ToString::to_string).chain(raw.map(str::to_owned)).collect();
    for (method, path) in [
        (Method::POST, "/api/auth/activate".to_owned()),
        (Method::POST, "/api/v1/employee".to_owned()),
        (Method::POST, format!("/api/v1/employee/{id}/permissions")),
        (Method::POST, "/api/v1/project".to_owned()),
        (Method::POST, "/api/v1/task".to_owned()),
        (Method::POST, "/api/v1/time-entries".to_owned()),
    ] {
        for body in &bodies {
            let request = edge.http.request(method.clone(), edge.base.clone() + &path);
            let is_own = path.ends_with("/permissions") || path.ends_with("/time-entries");
            let request = if is_own { request.bearer_auth(&token) } else { request.header("X-API-Key", KEY) };
            let problem = problem_of(request.header("Content-Type", "application/json").body(body.clone())).await;
            let shown: String = body.chars().take(80).collect();
            assert_eq!((problem.status.as_u16(), problem.code.as_str()), (422, "invalid"), "{path} {shown}");
            assert!(problem.field.is_some_and(|field| field.len() <= 100), "{path} {shown}");
            assert!(!problem.text.contains(SECRET), "{path} {shown}: {}", problem.text);
        }
    }
    assert_eq!(edge.get("/healthz").send().await.expect("an answer").status(), 200);
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn null_in_an_update_is_refused_where_it_clears_nothing() {
    let edge = Edge::start().await;
    let id = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071";
    for (path, field) in [
        ("employee", "name"),
        ("employee", "email"),
        ("project", "name"),
        ("project", "employees"),
        ("project", "billable"),
        ("task", "projectId"),
        ("task", "status"),
    ] {
        let update = edge.put(&format!("/api/v1/{path}/{id}")).header("X-API-Key", KEY);
        let problem = problem_of(update.json(&json!({ field: null }))).await;
        assert_eq!((problem.status.as_u16(), problem.field.as_deref()), (422, Some(field)), "{path}");
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_do_not_fit_are_named() {
    let edge = Edge::start().await;
    let id = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071";
    for (path, field) in [
        ("analytics/window".to_owned(), "start"),
        ("analytics/window?start=1".to_owned(), "end"),
        ("analytics/window?start=2&end=1".to_owned(), "end"),
        (format!("analytics/window?start={SECRET}&end=2"), "start"),
        (format!("analytics/window?start=1&end=2&employeeId={SECRET}"), "employeeId"),
        (format!("analytics/window?start=1&end=2&employeeId={id},"), "employeeId"),
        (format!("analytics/project-time?start=1&end=2&projectId={SECRET}"), "projectId"),
        (format!("analytics/project-time?start=1&end=2&taskId={id};{id}"), "taskId"),
        ("analytics/project-time?start=1&end=9223372036854775808".to_owned(), "end"),
        (format!("analytics/project-time?start=1&end=2&timezone={SECRET}"), "timezone"),
        (format!("analytics/task-time?employeeId={id}"), "taskId"),
        ("analytics/overlaps?end=1".to_owned(), "start"),
        (format!("analytics/overlaps?start=1&end=2&projectId={SECRET}"), "projectId"),
        ("analytics/long-days?start=1".to_owned(), "end"),
        (format!("analytics/long-days?start=1&end=2&hours={SECRET}"), "hours"),
        ("analytics/time?groupBy=day".to_owned(), "start"),
        ("analytics/time?start=2&end=1&groupBy=day".to_owned(), "end"),
        (format!("analytics/time?start=1&end=2&groupBy=day&employeeId={id},{}", id.to_uppercase()), "employeeId"),
        (format!("analytics/window?start=1&end=2&employeeID={id}"), "employeeID"),
        (format!("analytics/window?start=1&end=2&{SECRET}={id}"), "query"),
        (format!("analytics/window?start=1&end=2&projectId={id}&projectId={id}"), "projectId"),
        ("analytics/window?start=1&start=2&end=3".to_owned(), "start"),
        ("employee?archived=true".to_owned(), "archived"),
        (format!("time-entries/{id}?seq=1&seq=2"), "seq"),
        ("analytics/time?start=1&end=2".to_owned(), "groupBy"),
        ("analytics/time?start=1&end=2&groupBy=".to_owned(), "groupBy"),
        (format!("analytics/time?start=1&end=2&groupBy=day,{SECRET}"), "groupBy"),
        ("analytics/time?start=1&end=2&groupBy=day&timezone=Mars/Olympus".to_owned(), "timezone"),
        (format!("analytics/time?start=1&end=2&groupBy=day&timezone={SECRET}"), "timezone"),
        (format!("analytics/time?start=1&end=2&groupBy=day&employeeId={SECRET}"), "employeeId"),
        ("analytics/window?start=1&end=2&limit=0".to_owned(), "limit"),
        ("analytics/time?start=1&end=2&groupBy=day&limit=10001".to_owned(), "limit"),
        (format!("employee?limit={SECRET}"), "limit"),
        ("project?limit=".to_owned(), "limit"),
        (format!("task?limit=5&cursor={SECRET}"), "cursor"),
        ("quarantine?cursor=e30".to_owned(), "cursor"),
        ("analytics/window?start=1&end=2&limit=5&cursor=W10".to_owned(), "cursor"),
        (format!("task?projectId={SECRET}"), "projectId"),
        (format!("time-entries/{id}?seq={SECRET}"), "seq"),
    ] {
        let problem = problem_of(edge.get(&format!("/api/v1/{path}")).header("X-API-Key", KEY)).await;
        assert_eq!((problem.status.as_u16(), problem.field.as_deref()), (422, Some(field)), "{path}");
        assert!(!problem.text.contains(SECRET));
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_does_not_fit_is_told_what_would() {
    let edge = Edge::start().await;
    for (query, allowed) in [
        ("groupBy=year", &["project", "task", "employee", "day", "week", "month"][..]),
        ("groupBy=day&timezone=x", &["IANA", "Europe/Berlin"]),
        ("groupBy=day&limit=0", &["1", "10000"]),
    ] {
        let path = format!("/api/v1/analytics/time?start=1&end=2&{query}");
        let problem = problem_of(edge.get(&path).header("X-API-Key", KEY)).await;
        assert!(allowed.iter().all(|word| problem.text.contains(word)), "{query}: {}", problem.text);
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_asks_for_their_own_time_only() {
    let edge = Edge::start().await;
    let (ann, bob) = (kit::new_id::<contracts::EmployeeId>(), kit::new_id::<contracts::EmployeeId>());
    for who in [bob.to_string(), format!("{ann},{bob}")] {
        let path = format!("/api/v1/analytics/time?start=1&end=2&groupBy=day&employeeId={who}");
        let problem = problem_of(edge.get(&path).bearer_auth(edge.token(ann, 0))).await;
        assert_eq!((problem.status.as_u16(), problem.code.as_str()), (403, "forbidden"));
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_windows_needs_a_filter_and_a_change() {
    let edge = Edge::start().await;
    let id = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071";
    let update = async |query: &str, body: serde_json::Value| {
        let request = edge.put(&format!("/api/v1/time-entries/update{query}")).header("X-API-Key", KEY);
        let problem = problem_of(request.json(&body)).await;
        (problem.status.as_u16(), problem.code)
    };
    let refused = |status, code: &str| (status, code.to_owned());
    assert_eq!(update("", json!({"paid": true})).await, refused(400, "no_filter"));
    assert_eq!(update(&format!("?employeeId={id}"), json!({})).await, refused(400, "nothing_to_change"));
    assert_eq!(update(&format!("?employeeId={id}"), json!({"x": 1})).await, refused(400, "nothing_to_change"));
    assert_eq!(update(&format!("?employeeId=&projectId={id}"), json!({"paid": true})).await, refused(422, "invalid"));
    assert_eq!(update(&format!("?employeeId={id}"), json!({"paid": null})).await, refused(422, "invalid"));
    assert_eq!(update(&format!("?employeeId={id}"), json!({"billRate": -1})).await, refused(422, "invalid"));
    for filter in ["employeeId=", "projectId=", "taskId=", "shiftId="] {
        let query = format!("?{filter}{id}&start=1&end=2");
        assert_eq!(update(&query, json!({"note": null})).await, refused(503, "unavailable"), "{query}");
    }
    assert_eq!(update("?start=1&end=2", json!({"paid": true})).await, refused(400, "no_filter"));
    for query in ["&start=2&end=1", "&start=", "&taskID=1", "&taskId=x", "&projectId=&start=1", "&end=5&end=6"] {
        let query = format!("?employeeId={id}{query}");
        assert_eq!(update(&query, json!({"paid": true})).await, refused(422, "invalid"), "{query}");
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_keeps_the_limits() {
    let edge = Edge::start().await;
    let token = edge.token(kit::new_id(), 0);
    let now = edge.harness.clock.now().0;
    let window = |start: i64, end: i64, offset: i64| {
        json!({
            "start": start, "end": end, "timezoneOffset": offset, "computer": "c", "user": "u", "os": "o",
            "osVersion": "v", "hwid": "h", "projectId": kit::new_id::<contracts::ProjectId>(),
            "taskId": kit::new_id::<contracts::TaskId>(),
        })
    };
    let day = 24 * 3_600_000;
    for (window, field) in [
        (window(now, now, 0), "end"),
        (window(now, now - 1, 0), "end"),
        (window(now - day - 1, now, 0), "end"),
        (window(-5, 5, 0), "start"),
        (window(now - 1, now, day + 1), "timezoneOffset"),
    ] {
        let problem = problem_of(edge.post("/api/v1/time-entries").bearer_auth(&token).json(&window)).await;
        assert_eq!((problem.status.as_u16(), problem.field.as_deref()), (422, Some(field)), "{window}");
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_takes_a_parameter_that_it_does_not_describe() {
    let edge = Edge::start().await;
    let api: serde_json::Value = edge.get("/openapi.json").send().await.expect("one").json().await.expect("JSON");
    let token = edge.token(kit::new_id(), 0);
    let mut calls = 0;
    for (path, item) in api["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            if !path.starts_with("/api/") {
                continue;
            }
            let method: Method = method.to_uppercase().parse().expect("a method");
            let with_id = path.replace("{id}", "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071");
            let request = || edge.http.request(method.clone(), format!("{}{with_id}?dryRun=true", edge.base));
            let security = operation["security"].as_array();
            if security.is_some() {
                assert_eq!(problem_of(request()).await.status, 401, "{method} {path}");
            }
            let admin = security.is_some_and(|all| all.iter().any(|one| one["adminKey"].is_array()));
            let as_caller = if admin { request().header("X-API-Key", KEY) } else { request().bearer_auth(&token) };
            let problem = problem_of(as_caller).await;
            assert_eq!((problem.status.as_u16(), problem.field.as_deref()), (422, Some("dryRun")), "{method} {path}");
            calls += 1;
        }
    }
    assert!(calls > 25, "{calls}");
    assert_eq!(edge.get("/healthz?x=1").send().await.expect("an answer").status(), 200);
    edge.harness.finish().await;
}

/// No service runs in this test, so a valid request gets a 503.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_meant_is_understood_in_every_form_that_programs_send() {
    let edge = Edge::start().await;
    let json = r#"{"name":"Jürgen","email":"j@example.org"}"#;
    let utf16: Vec<u8> = json.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = |mark: &[u8], body: &[u8]| [mark, body].concat();
    for (kind, body) in [
        (None, json.into()),
        (Some("text/json"), json.into()),
        (Some("application/json; charset=UTF-8"), json.into()),
        (Some("Application/JSON;charset=\"utf-8\""), json.into()),
        (Some("application/vnd.api+json"), json.into()),
        (Some("application/json"), marked(b"\xef\xbb\xbf", json.as_bytes())),
        (Some("application/json"), marked(b"\xff\xfe", &utf16)),
        (Some("application/json; charset=utf-16"), utf16),
        (Some("application/json; charset=latin1"), b"{\"name\":\"J\xfcrgen\",\"email\":\"j@example.org\"}".into()),
    ] {
        let request = edge.post("/api/v1/employee").header("X-API-Key", KEY).body(body);
        let request = match kind {
            Some(kind) => request.header("Content-Type", kind),
            None => request,
        };
        assert_eq!(problem_of(request).await.status, 503, "{kind:?}");
    }
    let boundary = "----form";
    let part = |name: &str| format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\nann\r\n");
    let log_in = |body: String| {
        let kind = format!("multipart/form-data; boundary={boundary}");
        problem_of(edge.post("/api/auth/login").header("Content-Type", kind).body(body))
    };
    let end = format!("--{boundary}--\r\n");
    assert_eq!(log_in(part("username") + &part("password") + &part("grant_type") + &end).await.status, 503);
    assert_eq!(log_in(part("username") + &end).await.field.as_deref(), Some("password"));
    assert_eq!(log_in(part("username") + &part("password") + &part("password") + &end).await.status, 422);
    assert_eq!(log_in(part("username") + &part("password")).await.status, 415, "it breaks off");
    assert_eq!(log_in("x".repeat(17 << 10)).await.status, 413);

    for path in ["employee/", "project//", "analytics/time/?start=0&end=1.76e12&groupBy=day", "employee/?limit=5.0"] {
        let problem = problem_of(edge.get(&format!("/api/v1/{path}")).header("X-API-Key", KEY)).await;
        assert_eq!(problem.status, 503, "{path}");
    }
    assert_eq!(edge.get("/healthz/").send().await.expect("an answer").status(), 200);
    assert_eq!(problem_of(edge.get("/api/v1/nothing/")).await.status, 404);
    let id = "{0198C6F2-7F00-7A31-9C5E-3B1D2A4F6071}";
    for spelt in [id.to_owned(), id.replace(['{', '}', '-'], "")] {
        let path = format!("/api/v1/analytics/task-time?employeeId={spelt}&taskId={spelt}");
        assert_eq!(problem_of(edge.get(&path).header("X-API-Key", KEY)).await.status, 503, "{spelt}");
    }
    edge.harness.finish().await;
}
