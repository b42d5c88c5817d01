//! Where things are that were created.

use serde_json::{Value, json};

use crate::office::{HOUR, Office, TEN};

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_created_is_found_where_its_answer_says() {
    let office = Office::open().await;
    let system = &office.system;
    let created = async |path: &str, body: Value| {
        let response = system.request("POST", path).header("X-API-Key", crate::api::ADMIN_KEY).json(&body);
        let response = response.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 201, "{path}");
        let location = response.headers()["Location"].to_str().unwrap().to_owned();
        let thing: Value = response.json().await.unwrap();
        assert_eq!(system.admin("GET", &location, Value::Null).await.expect(200)["id"], thing["id"], "{path}");
    };
    created("/api/v1/employee", json!({ "name": "Bea", "email": "bea@example.org" })).await;
    created("/api/v1/project", json!({ "name": "Shed" })).await;
    created("/api/v1/task", json!({ "name": "Roof", "projectId": office.project })).await;
    let window = system.request("POST", "/api/v1/time-entries").bearer_auth(&office.ann.token);
    let window = window.json(&office.window(TEN, TEN + HOUR)).send().await.unwrap();
    assert_eq!(window.status().as_u16(), 201);
    let location = window.headers()["Location"].to_str().unwrap().to_owned();
    let window: Value = window.json().await.unwrap();
    assert_eq!(system.employee(&office.ann.token, "GET", &location, Value::Null).await.expect(200), window);
    office.system.finish().await;
}
