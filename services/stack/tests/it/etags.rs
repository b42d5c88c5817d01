//! Tests of conditional reads (`If-None-Match`).

use reqwest::Response;
use serde_json::{Value, json};

use crate::fixture::Fixture;

fn tag(response: &Response) -> String {
    response.headers()["ETag"].to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_an_answer_already_is_told_so_until_it_changes() {
    let fixture = Fixture::start().await;
    let get = async |path: &str, known: &str| {
        let request = fixture.system.request("GET", path).header("X-API-Key", crate::api::ADMIN_KEY);
        let request = if known.is_empty() { request } else { request.header("If-None-Match", known) };
        request.send().await.unwrap()
    };
    let project = format!("/api/v1/project/{}", fixture.project);
    for path in [project.as_str(), "/api/v1/project", "/api/v1/employee?limit=1"] {
        let first = get(path, "").await;
        let known = tag(&first);
        assert!(known.starts_with('"') && known.ends_with('"'), "{known}");
        let again = get(path, &format!("\"other\", W/{known}")).await;
        assert_eq!((again.status().as_u16(), tag(&again)), (304, known.clone()), "{path}");
        assert_eq!(again.text().await.unwrap(), "");
        assert_eq!(get(path, "\"other\"").await.status(), 200, "{path}");
    }
    let known = tag(&get(&project, "").await);
    fixture.system.admin("PUT", &project, json!({ "name": "Shed" })).await.expect(200);
    let changed = get(&project, &known).await;
    assert_eq!(changed.status(), 200);
    assert_ne!(tag(&changed), known);
    assert_eq!(changed.json::<Value>().await.unwrap()["name"], "Shed");
    fixture.system.finish().await;
}
