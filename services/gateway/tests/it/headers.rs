//! Tests of response headers, and of compressed bodies.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use reqwest::{Method, Response};

use crate::edge::{Edge, KEY, read_problem};

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("text"))
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).expect("written");
    encoder.finish().expect("gzip")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_may_be_framed_by_nobody_and_an_answer_of_the_api_is_kept_by_nobody() {
    let edge = Edge::start().await;
    for path in ["/", "/activate?token=x", "/docs/", "/openapi.json", "/healthz", "/nothing", "/api/auth/me", "/api/x"]
    {
        for accept in ["text/html", "application/json"] {
            let answer = edge.get(path).header("Accept", accept).send().await.expect("an answer");
            assert_eq!(header(&answer, "x-frame-options"), "DENY", "{path}");
            let told_to_nobody_else = ["no-referrer", "same-origin"];
            assert!(told_to_nobody_else.contains(&header(&answer, "referrer-policy")), "{path}");
            assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{path}");
            let policy = header(&answer, "content-security-policy");
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
            assert!(!policy.contains("unsafe"), "{path}: {policy}");
            assert_eq!(header(&answer, "vary"), "accept, accept-encoding, authorization, origin, x-api-key", "{path}");
            if path.starts_with("/api") {
                assert_eq!(header(&answer, "cache-control"), "no-store", "{path}");
            }
        }
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_that_is_described_says_that_nobody_may_keep_its_answer_and_what_that_depends_on() {
    let edge = Edge::start().await;
    let api: serde_json::Value = edge.get("/openapi.json").send().await.expect("an answer").json().await.expect("JSON");
    for (path, item) in api["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("calls").keys() {
            let method: Method = method.to_uppercase().parse().expect("a method");
            let address = edge.base.clone() + &path.replace("{id}", "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071");
            let answer = edge.http.request(method.clone(), address).send().await.expect("an answer");
            assert!(header(&answer, "vary").contains("authorization, origin, x-api-key"), "{method} {path}");
            let kept_by_nobody = header(&answer, "cache-control") == "no-store";
            assert_eq!(kept_by_nobody, path.starts_with("/api/"), "{method} {path}");
        }
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_gets_a_page_where_a_program_gets_json() {
    let edge = Edge::start().await;
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for (path, status) in [("/", 200), ("/nothing", 404)] {
        let page = edge.get(path).header("Accept", browser).send().await.expect("an answer");
        assert_eq!((page.status().as_u16(), header(&page, "content-type")), (status, "text/html; charset=utf-8"));
        assert!(page.text().await.expect("a page").contains("<h1>"));
    }
    let start: serde_json::Value = edge.get("/").send().await.expect("an answer").json().await.expect("JSON");
    for link in ["docs", "openapi", "health"] {
        let path = start[link].as_str().expect("a link");
        assert_eq!(edge.get(path).send().await.expect("an answer").status(), 200, "{link}");
    }
    assert_eq!(read_problem(edge.get("/nothing").send().await.expect("an answer")).await.code, "not_found");
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_with_a_body_reads_it_compressed_and_says_what_it_cannot_read() {
    let edge = Edge::start().await;
    let send = async |method: Method, path: &str, coding: &str, body: Vec<u8>| {
        let request = edge.http.request(method, edge.base.clone() + path).header("X-API-Key", KEY);
        let kind = if path.ends_with("login") { "application/x-www-form-urlencoded" } else { "application/json" };
        let request = request.header("Content-Type", kind).header("Content-Encoding", coding);
        let token = edge.token(kit::new_id(), 0);
        let request = if path.contains("time-entries/") || !path.contains("time-entries") {
            request
        } else {
            request.header("Authorization", format!("Bearer {token}"))
        };
        request.body(body).send().await.expect("an answer")
    };
    let id = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071";
    let routes = [
        (Method::POST, "/api/auth/activate".to_owned()),
        (Method::POST, "/api/auth/login".to_owned()),
        (Method::POST, "/api/v1/employee".to_owned()),
        (Method::PUT, format!("/api/v1/employee/{id}")),
        (Method::POST, "/api/v1/project".to_owned()),
        (Method::PUT, format!("/api/v1/project/{id}")),
        (Method::POST, "/api/v1/task".to_owned()),
        (Method::PUT, format!("/api/v1/task/{id}")),
        (Method::PUT, format!("/api/v1/time-entries/update?projectId={id}")),
        (Method::PATCH, format!("/api/v1/time-entries/{id}")),
    ];
    for (method, path) in routes {
        // The body is decompressed, and then refused because of its content.
        let misfit: &[u8] =
            if path.ends_with("login") { b"username=a" } else { b"{\"name\":5,\"start\":true,\"token\":5,\"paid\":5}" };
        let read = send(method.clone(), &path, "X-GZip", gzip(misfit)).await;
        assert_eq!(read_problem(read).await.code, "invalid", "{path}");
        let bomb = send(method.clone(), &path, "gzip", gzip(&vec![b' '; 20 << 20])).await;
        assert_eq!(read_problem(bomb).await.code, "too_large", "{path}");
        let unknown = send(method.clone(), &path, "br", misfit.to_vec()).await;
        assert_eq!(header(&unknown, "accept-encoding"), "gzip, zstd, deflate", "{path}");
        assert_eq!(read_problem(unknown).await.code, "unsupported_media_type", "{path}");
    }
    let other = edge.post("/api/v1/employee").header("X-API-Key", KEY).header("Content-Type", "text/plain");
    let other = other.body("a").send().await.expect("an answer");
    assert_eq!((other.status().as_u16(), header(&other, "accept-encoding")), (415, ""));
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn long_answers_are_compressed_for_those_who_can_read_it_and_short_ones_and_pages_are_not() {
    let edge = Edge::start().await;
    let coding = async |path: &str, accepted: &str| {
        let request = edge.get(path).header("Accept-Encoding", accepted).header("Accept", "text/html, */*;q=0.5");
        header(&request.send().await.expect("an answer"), "content-encoding").to_owned()
    };
    assert_eq!(coding("/openapi.json", "gzip").await, "gzip");
    assert_eq!(coding("/openapi.json", "gzip;q=0.5, zstd").await, "zstd");
    assert_eq!(coding("/openapi.json", "identity").await, "");
    assert_eq!(coding("/healthz", "gzip").await, "");
    assert_eq!(coding("/activate?token=x", "gzip").await, "");
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_named_origin_may_send_and_read_every_header_that_is_documented() {
    let edge = Edge::start().await;
    let documented = [
        "authorization",
        "x-api-key",
        "content-type",
        "content-encoding",
        "prefer",
        "if-match",
        "if-none-match",
        "traceparent",
        "x-request-id",
    ];
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let request = edge.http.request(Method::OPTIONS, edge.base.clone() + "/api/v1/employee");
        let request = request.header("Origin", "https://app.example.org");
        let request = request.header("Access-Control-Request-Method", method);
        let request = request.header("Access-Control-Request-Headers", documented.join(","));
        let answer = request.send().await.expect("an answer");
        assert!(header(&answer, "access-control-allow-methods").contains(method));
        let allowed = header(&answer, "access-control-allow-headers");
        for name in documented {
            assert!(allowed.split(',').any(|allowed| allowed == name), "{name}: {allowed}");
        }
    }
    let answer = edge.get("/api/v1/employee").header("Origin", "https://app.example.org").send().await.expect("one");
    let shown = header(&answer, "access-control-expose-headers");
    for name in ["etag", "location", "link", "retry-after", "preference-applied"] {
        assert!(shown.split(',').any(|shown| shown == name), "{name}: {shown}");
    }
    edge.harness.finish().await;
}
