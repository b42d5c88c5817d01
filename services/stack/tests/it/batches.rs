//! Tests of batches of windows, and of an admin's changes of single windows.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use crate::{
    api::Response,
    fixture::{Fixture, HOUR, TEN},
};

const BATCH: &str = "/api/v1/time-entries/batch";

impl Fixture {
    /// Returns a window of one hour that begins this many hours after TEN.
    fn hour(&self, hours: i64) -> Value {
        self.window(TEN + hours * HOUR, TEN + (hours + 1) * HOUR)
    }

    async fn send(&self, windows: Vec<Value>) -> Response {
        self.system.employee(&self.ann.token, "POST", BATCH, json!({ "windows": windows })).await
    }

    /// Posts bytes with this content coding.
    async fn send_bytes(&self, encoding: &str, body: Vec<u8>) -> (u16, String) {
        let request = self.system.request("POST", BATCH).bearer_auth(&self.ann.token);
        let request = request.header("Content-Type", "application/json").header("Content-Encoding", encoding);
        let response = request.body(body).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// Returns the milliseconds that analytics counts for the project in the 2000 hours after TEN.
    async fn time(&self) -> i64 {
        self.project_time(TEN, TEN + 2_000 * HOUR).await.0
    }
}

fn statuses(answer: &Value) -> Vec<&str> {
    answer["items"].as_array().unwrap().iter().map(|item| item["status"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_window_of_a_batch_spoils_no_other() {
    let fixture = Fixture::start().await;
    let mut no_start = fixture.hour(1);
    no_start.as_object_mut().unwrap().remove("start");
    let sent_id = json!(kit::new_id::<contracts::WindowId>());
    no_start["id"] = sent_id.clone();
    let mut backwards = fixture.hour(2);
    backwards["end"] = json!(TEN);
    let mut not_hers = fixture.hour(3);
    not_hers["taskId"] = json!(kit::new_id::<contracts::TaskId>());
    let windows = vec![fixture.hour(0), no_start, backwards, json!("SECRET"), fixture.hour(0), fixture.hour(4)];
    let answer = fixture.send(windows).await.expect(200);
    assert_eq!(statuses(&answer), ["stored", "rejected", "rejected", "rejected", "duplicate", "stored"]);
    assert_eq!(answer["items"][1]["code"], "invalid");
    assert!(answer["items"][1]["detail"].as_str().unwrap().contains("start"));
    assert_eq!(answer["items"][1]["id"], sent_id, "the client knows which of its windows it was");
    assert!(!answer.to_string().contains("SECRET"));
    fixture.system.harness.until_consumed(contracts::stream::EVENTS, contracts::Service::Timetrack).await;
    let unknown = fixture.send(vec![not_hers, fixture.hour(5)]).await.expect(200);
    assert_eq!(statuses(&unknown), ["rejected", "stored"]);
    assert_eq!(unknown["items"][0]["code"], "unknown_task");
    assert_eq!(fixture.time().await, 3 * HOUR);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_windows_fit_compressed_or_not_and_more_do_not() {
    let fixture = Fixture::start().await;
    let windows = |from: i64, count: i64| (from..from + count).map(|hour| fixture.hour(hour)).collect::<Vec<_>>();
    let answer = fixture.send(windows(0, 500)).await.expect(200);
    assert!(statuses(&answer).iter().all(|status| *status == "stored"));
    assert_eq!(fixture.send(windows(0, 501)).await.refused(422), "invalid");
    assert_eq!(fixture.send(vec![]).await.refused(422), "invalid");

    let json = serde_json::to_vec(&json!({ "windows": windows(500, 300) })).unwrap();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&json).unwrap();
    let gzip = gzip.finish().unwrap();
    let (status, text) = fixture.send_bytes("gzip", gzip.clone()).await;
    assert_eq!(status, 200, "{text}");
    let (status, text) = fixture.send_bytes("zstd", zstd::encode_all(&json[..], 1).unwrap()).await;
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("duplicate") && !text.contains("stored"));
    assert_eq!(fixture.send_bytes("br", gzip.clone()).await.0, 415);
    assert_eq!(fixture.send_bytes("gzip", gzip[..gzip.len() / 2].to_vec()).await.0, 422);
    assert_eq!(fixture.time().await, 800 * HOUR);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_small_when_compressed_and_huge_inside_is_refused() {
    let fixture = Fixture::start().await;
    let huge = format!("{{\"windows\":[{}]}}", " ".repeat(200 << 20));
    let (status, _) = fixture.send_bytes("zstd", zstd::encode_all(huge.as_bytes(), 1).unwrap()).await;
    assert_eq!(status, 413);
    fixture.send(vec![fixture.hour(0)]).await.expect(200);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_prefers_not_to_wait_is_told_as_soon_as_the_window_is_safe() {
    let fixture = Fixture::start().await;
    let request = fixture.system.request("POST", "/api/v1/time-entries").bearer_auth(&fixture.ann.token);
    let response =
        request.header("Prefer", "wait=1, Respond-Async; x=\"y\"").json(&fixture.hour(0)).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 202);
    assert_eq!(response.headers()["Preference-Applied"], "respond-async");
    let location = response.headers()["Location"].to_str().unwrap().to_owned();
    assert!(location.contains("?seq="));
    testkit::eventually("it is recorded", async || {
        let seen = fixture.system.employee(&fixture.ann.token, "GET", &location, Value::Null).await.expect(200);
        seen["createdAt"].is_i64().then_some(())
    })
    .await;
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn analytics_follow_when_an_admin_corrects_or_voids_a_window() {
    let fixture = Fixture::start().await;
    let path = "/api/v1/time-entries";
    let window = fixture.system.employee(&fixture.ann.token, "POST", path, fixture.hour(0)).await.expect(201);
    fixture.system.employee(&fixture.ann.token, "POST", path, fixture.hour(1)).await.expect(201);
    let one = format!("{path}/{}", window["id"].as_str().unwrap());
    let halved = json!({ "end": TEN + HOUR / 2, "note": "went home earlier" });
    assert_eq!(fixture.system.admin("PATCH", &one, halved.clone()).await.expect(200)["end"], TEN + HOUR / 2);
    assert_eq!(fixture.time().await, HOUR + HOUR / 2);
    fixture.system.admin("DELETE", &one, Value::Null).await.expect(204);
    assert_eq!(fixture.time().await, HOUR);
    assert_eq!(fixture.system.admin("PATCH", &one, halved).await.refused(409), "voided");
    fixture.system.employee(&fixture.ann.token, "POST", path, fixture.hour(0)).await.expect(200);
    assert_eq!(fixture.time().await, HOUR);
    assert_eq!(fixture.system.employee(&fixture.ann.token, "DELETE", &one, Value::Null).await.status, 401);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_quarantine_is_recorded_once_the_admin_has_put_things_right() {
    let fixture = Fixture::start().await;
    let second = json!({ "name": "Paint it", "projectId": fixture.project });
    let second = fixture.system.admin("POST", "/api/v1/task", second).await.expect(201)["id"].clone();
    let mut window = fixture.hour(0);
    window["taskId"] = second.clone();
    let path = "/api/v1/time-entries";
    assert_eq!(fixture.system.employee(&fixture.ann.token, "POST", path, window).await.refused(400), "not_on_task");
    let held = fixture.system.admin("GET", "/api/v1/quarantine", Value::Null).await.expect(200);
    assert_eq!((held.as_array().unwrap().len(), &held[0]["code"]), (1, &json!("not_on_task")));
    let task = format!("/api/v1/task/{}", second.as_str().unwrap());
    fixture.system.admin("PUT", &task, json!({ "employees": [fixture.ann.id] })).await.expect(200);
    let replay = format!("/api/v1/quarantine/{}/replay", held[0]["id"].as_str().unwrap());
    assert_eq!(fixture.system.admin("POST", &replay, Value::Null).await.expect(200)["taskId"], second);
    assert_eq!(fixture.time().await, HOUR);
    assert_eq!(fixture.system.admin("POST", &replay, Value::Null).await.refused(404), "not_found");
    fixture.system.finish().await;
}
