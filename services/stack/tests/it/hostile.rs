//! Tests with hostile input: the system refuses it without repeating it in an error, and goes on.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{
    api::{Api, Response, send},
    fixture::{Fixture, HOUR, TEN},
};

/// A text in most of the input. No answer may contain it, except the page `/activate`.
const PLANTED: &str = "hunter2-planted";

/// Returns operations that have a body: the method, the path and the content type of each.
fn calls(fixture: &Fixture) -> Vec<(&'static str, String, &'static str)> {
    const JSON: &str = "application/json";
    let employee = format!("/api/v1/employee/{}", fixture.ann.id);
    vec![
        ("POST", "/api/auth/activate".into(), JSON),
        ("POST", "/api/auth/login".into(), "application/x-www-form-urlencoded"),
        ("POST", "/api/v1/employee".into(), JSON),
        ("PUT", employee.clone(), JSON),
        ("POST", format!("{employee}/permissions"), JSON),
        ("POST", "/api/v1/project".into(), JSON),
        ("PUT", fixture.project_path(), JSON),
        ("POST", "/api/v1/task".into(), JSON),
        ("PUT", fixture.task_path(), JSON),
        ("POST", "/api/v1/time-entries".into(), JSON),
        ("POST", "/api/v1/time-entries/batch".into(), JSON),
        ("PUT", format!("/api/v1/time-entries/update?projectId={}", fixture.project), JSON),
    ]
}

/// Sends bytes to an operation with the credentials that it needs.
async fn fire(fixture: &Fixture, (method, path, kind): &(&str, String, &str), body: Vec<u8>) -> Response {
    let request = fixture.system.request(method, path).header("Content-Type", *kind);
    let for_employees = path.ends_with("permissions") || path.ends_with("time-entries") || path.ends_with("batch");
    let request = match for_employees {
        true => request.bearer_auth(&fixture.ann.token),
        false => request.header("X-API-Key", fixture.system.admin_key),
    };
    send(request.body(body), Value::Null).await
}

#[track_caller]
fn assert_refused(answer: Response, statuses: &[u16], what: &str) {
    assert!(!answer.text.contains(PLANTED), "{what}: {}", answer.text);
    assert!(answer.text.len() < 2_000, "{what}: {} bytes", answer.text.len());
    assert!(statuses.contains(&answer.status), "{what}: {}", answer.text);
    let status = answer.status;
    answer.refused(status);
}

async fn assert_alive(system: &Api) {
    system.anybody("GET", "/healthz", Value::Null).await.expect(200);
    system.anybody("GET", "/readyz", Value::Null).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_too_large_too_deep_or_no_json_are_refused() {
    let fixture = Fixture::start().await;
    let before = fixture.system.get("/api/v1/employee").await;
    let deep = 100_000;
    let huge = format!("{{\"name\":\"{}\"}}", PLANTED.repeat((10 << 20) / PLANTED.len()));
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("no JSON", PLANTED.into()),
        ("half an object", format!("{{\"name\":\"{PLANTED}").into()),
        ("a list", format!("[\"{PLANTED}\"]").into()),
        ("a text", format!("\"{PLANTED}\"").into()),
        ("two objects", format!("{{}}{{\"{PLANTED}\":1}}").into()),
        ("deep lists", "[".repeat(deep).into()),
        ("deep lists that end", ("[".repeat(deep) + &"]".repeat(deep)).into()),
        ("deep in a field", format!("{{\"name\":{}\"{PLANTED}\"{}}}", "[".repeat(deep), "]".repeat(deep)).into()),
        ("deep in an unknown field", format!("{{\"x\":{}{}}}", "[".repeat(deep), "]".repeat(deep)).into()),
        ("deep objects", "{\"name\":".repeat(deep).into()),
        ("invalid UTF-8", [b"{\"name\":\"\xff\xfe", PLANTED.as_bytes(), b"\"}"].concat()),
        ("a lone surrogate", format!("{{\"name\":\"\\ud800{PLANTED}\",\"token\":\"\\ud800\"}}").into()),
        ("NUL", b"\0\0\0\0".to_vec()),
        ("NaN", b"{\"name\":NaN}".to_vec()),
        ("past a double", b"{\"name\":1e999,\"token\":1e999,\"windows\":1e999,\"paid\":1e999}".to_vec()),
    ];
    for call in calls(&fixture) {
        for (what, body) in &bodies {
            let what = format!("{what} to {} {}", call.0, call.1);
            let answer = fire(&fixture, &call, body.clone()).await;
            // Changes ignore unknown fields, so the body may contain nothing to change.
            let is_ignored = call.0 == "PUT" && answer.body["code"] == "nothing_to_change";
            assert_refused(answer, if is_ignored { &[400] } else { &[413, 422] }, &what);
        }
        assert_refused(fire(&fixture, &call, huge.clone().into()).await, &[413], &format!("10 MB to {}", call.1));
        for kind in ["text/plain", "multipart/form-data; boundary=x", "application/xml", PLANTED, "application/json, x"]
        {
            let other = (call.0, call.1.clone(), kind);
            assert_refused(fire(&fixture, &other, b"{}".to_vec()).await, &[415], &format!("{kind} to {}", call.1));
        }
    }
    assert_alive(&fixture.system).await;
    assert_eq!(fixture.system.get("/api/v1/employee").await, before);
    fixture.record(TEN, TEN + HOUR).await;
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_are_none_or_too_large_are_refused() {
    let fixture = Fixture::start().await;
    let before = fixture.system.get(&fixture.project_path()).await;
    let window = fixture.window(TEN, TEN + HOUR).to_string();
    let permissions = "{\"accessibility\":\"denied\",\"screenAndSystemAudioRecording\":\"denied\"}";
    let holders = [
        ("permissions", format!("{{\"computer\":\"{PLANTED}\",\"permissions\":{permissions},\"createdAt\":NUMBER}}")),
        ("time-entries", window.replace(&format!("\"start\":{TEN}"), "\"start\":NUMBER")),
        ("time-entries", window.replace("\"timezoneOffset\":0", "\"timezoneOffset\":NUMBER")),
        (&fixture.project, "{\"payroll\":{\"*\":{\"billRate\":NUMBER}}}".to_owned()),
        (&format!("update?projectId={}", fixture.project), "{\"payRate\":NUMBER}".to_owned()),
    ];
    let numbers = [
        "NaN",
        "-NaN",
        "Infinity",
        "1e400",
        "-1e400",
        "1e18",
        "0x10",
        "1.00001",
        "\"1.00001\"",
        "\"\"",
        "\"one\"",
        "[1]",
        "{}",
        "true",
    ];
    let past_i64 = ["9223372036854775808", "-9223372036854775809", "99999999999999999999999999999999999999999"];
    for (end, body) in &holders {
        let call = calls(&fixture).into_iter().find(|(_, path, _)| path.ends_with(end)).unwrap();
        for number in numbers.iter().chain(&past_i64) {
            let answer = fire(&fixture, &call, body.replace("NUMBER", number).into()).await;
            assert_refused(answer, &[422], &format!("{number} to {}", call.1));
        }
    }
    assert_eq!(fixture.system.get(&fixture.project_path()).await, before);
    fixture.record(TEN, TEN + HOUR).await;
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_queries_and_headers_that_make_no_sense_are_refused() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    for path in [
        format!("/api/v1/employee/{PLANTED}"),
        format!("/api/v1/project/{PLANTED}"),
        format!("/{PLANTED}"),
        format!("/api/v1/task?projectId={PLANTED}"),
        format!("/api/v1/task?projectId={PLANTED}&projectId[$ne]={PLANTED}"),
        format!("/api/v1/analytics/window?start={PLANTED}&end=%ff%fe"),
        format!("/api/v1/analytics/window?start=1&end=2&employeeId={PLANTED}"),
        format!("/api/v1/analytics/project-time?start=1&end=2&taskId={}", vec![PLANTED; 500].join(",")),
        format!("/api/v1/time-entries/{}?seq={PLANTED}", kit::new_id::<contracts::WindowId>()),
        format!("/activate?token={PLANTED}"),
    ] {
        let answer = system.admin("GET", &path, Value::Null).await;
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.text);
        assert!(!answer.text.contains(PLANTED) || path.starts_with("/activate"), "{path}: {}", answer.text);
    }
    let odd = system.request("GET", "/healthz").header("X-Request-Id", format!("{PLANTED} two words"));
    let odd = send(odd, Value::Null).await;
    assert_ne!(odd.headers["x-request-id"], format!("{PLANTED} two words"));

    let addr = system.base.trim_start_matches("http://");
    let many = format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{}\r\n", format!("X-Y: {PLANTED}\r\n").repeat(20_000));
    for (what, bytes) in [
        ("no HTTP", format!("{PLANTED}\r\n\r\n")),
        ("HTTP/2 in the clear", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
        ("a long line", format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", PLANTED.repeat(50_000))),
        ("many headers", many),
        ("two lengths", "POST /api/auth/activate HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}".to_owned()),
        ("a negative length", "POST /api/auth/activate HTTP/1.1\r\nContent-Length: -1\r\n\r\n{}".to_owned()),
        ("a chunk that is none", "POST /api/auth/activate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_owned()),
    ] {
        let mut connection = TcpStream::connect(addr).await.unwrap();
        // An error is ignored, because the server may close the connection before it has read
        // everything.
        let _ = connection.write_all(bytes.as_bytes()).await;
        let mut answer = vec![0; 4096];
        let read = tokio::time::timeout(std::time::Duration::from_secs(10), connection.read(&mut answer)).await;
        let length = read.expect("an answer or an end").unwrap_or_default();
        let answer = String::from_utf8_lossy(&answer[..length]);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{what}: {answer}");
        assert!(!answer.contains(PLANTED), "{what}");
    }
    assert_alive(system).await;
    fixture.system.finish().await;
}
