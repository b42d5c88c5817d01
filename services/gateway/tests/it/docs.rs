//! Tests of the API documentation, of request ids, and of the CORS headers.

use std::{env, fs};

use serde_json::Value;

use crate::edge::Edge;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openapi.json");

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_is_what_was_agreed() {
    let edge = Edge::start().await;
    let api: Value = edge.get("/openapi.json").send().await.expect("an answer").json().await.expect("JSON");
    let text = serde_json::to_string_pretty(&api).expect("JSON") + "\n";
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(GOLDEN, &text).expect("written");
    }
    let golden = fs::read_to_string(GOLDEN).unwrap_or_default();
    let differs = golden.lines().zip(text.lines()).position(|(was, is)| was != is);
    assert!(
        golden == text,
        "the API has changed at line {} of tests/openapi.json. If that is meant: UPDATE_GOLDEN=1 cargo test -p gateway",
        differs.map_or(golden.lines().count().min(text.lines().count()), |line| line) + 1,
    );
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_says_what_it_is_what_it_takes_and_how_it_fails() {
    let edge = Edge::start().await;
    let api: Value = edge.get("/openapi.json").send().await.expect("an answer").json().await.expect("JSON");
    assert!(api["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    let schemes = api["components"]["securitySchemes"].as_object().expect("security schemes");
    assert_eq!(schemes.keys().collect::<Vec<_>>(), ["adminKey", "employeeToken"]);
    let mut names = std::collections::BTreeSet::new();
    for (path, item) in api["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let name = format!("{method} {path}");
            assert!(names.insert(operation["operationId"].as_str().expect("a name")), "{name}");
            assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{name}");
            assert!(operation["tags"].as_array().is_some_and(|tags| tags.len() == 1), "{name}");
            let public = operation["x-access"] == "anybody";
            let opens = path.ends_with("login") || path.ends_with("refresh");
            assert_eq!(operation["security"].is_array(), !public, "{name}");
            let responses = operation["responses"].as_object().expect("responses");
            assert_eq!(responses.contains_key("401"), !public || opens, "{name}");
            // Every operation of the API refuses unknown query parameters, so it can answer 422.
            assert_eq!(responses.contains_key("422"), path.starts_with("/api"), "{name}");
            let says = |status: &str, code: &str| {
                responses.get(status).is_some_and(|response| response.to_string().contains(&format!("`{code}`")))
            };
            assert_eq!(says("400", "two_credentials"), !public, "{name}");
            let is_scoped = operation["x-access"].as_str().is_some_and(|access| access.contains(':'));
            assert_eq!(says("403", "missing_scope"), is_scoped, "{name}");
            for (status, response) in responses.iter().filter(|(status, _)| status.as_str() >= "400") {
                let content = &response["content"]["application/problem+json"];
                let fits = content["example"]["code"].is_string() && content["schema"]["$ref"].is_string();
                assert!(fits || path == "/readyz", "{name} {status}");
            }
        }
    }
    assert_eq!(names.len(), 86);
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_interactive_pages_come_from_the_binary() {
    let edge = Edge::start().await;
    let page = edge.get("/docs").send().await.expect("an answer");
    assert_eq!((page.status().as_u16(), page.url().path()), (200, "/docs/"));
    let page = page.text().await.expect("a page");
    assert!(!page.contains("http://") && !page.contains("https://"), "{page}");
    for asset in ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"] {
        assert!(page.contains(asset), "{asset}");
        let asset = edge.get(&format!("/docs/{asset}")).send().await.expect("an answer");
        assert_eq!(asset.status(), 200);
        assert_eq!(asset.headers()["x-content-type-options"], "nosniff");
    }
    let initializer = edge.get("/docs/swagger-initializer.js").send().await.expect("an answer");
    assert!(initializer.text().await.expect("a script").contains("/openapi.json"));
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_keeps_its_id_and_gets_one_where_it_has_none_that_fits() {
    let edge = Edge::start().await;
    let id = async |sent: &str| {
        let response = edge.get("/healthz").header("X-Request-Id", sent).send().await.expect("an answer");
        response.headers()["x-request-id"].to_str().expect("text").to_owned()
    };
    assert_eq!(id("order-17.a_b").await, "order-17.a_b");
    for bad in ["two words", &"a".repeat(65), "{\"a\":1}"] {
        assert!(uuid::Uuid::parse_str(&id(bad).await).is_ok(), "{bad}");
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_named_origins_may_call_and_others_not() {
    let edge = Edge::start().await;
    let preflight = async |origin: &str| {
        let request = edge.http.request(reqwest::Method::OPTIONS, edge.base.clone() + "/api/v1/employee");
        let request = request.header("Origin", origin).header("Access-Control-Request-Method", "PUT");
        let response = request.header("Access-Control-Request-Headers", "x-api-key").send().await.expect("an answer");
        response.headers().get("access-control-allow-origin").map(|o| o.to_str().expect("text").to_owned())
    };
    assert_eq!(preflight("https://app.example.org").await.as_deref(), Some("https://app.example.org"));
    assert_eq!(preflight("https://evil.example.org").await, None);
    let refused = edge.get("/api/v1/employee").header("Origin", "https://app.example.org").send().await.expect("one");
    assert_eq!(refused.headers()["access-control-allow-origin"], "https://app.example.org");
    let shown = refused.headers()["access-control-expose-headers"].to_str().expect("text");
    assert!(["link", "location", "retry-after"].iter().all(|name| shown.contains(name)), "{shown}");
    edge.harness.finish().await;
}
