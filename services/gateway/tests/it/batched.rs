use contracts::{INGEST_BATCHES, IngestBatch, stream};
use serde_json::{Value, json};

use crate::edge::Edge;

fn window(minute: i64) -> Value {
    let start = 1_760_000_000_000 + minute * 60_000;
    json!({
        "start": start, "end": start + 60_000, "timezoneOffset": 0, "projectId": uuid::Uuid::from_u128(1),
        "taskId": uuid::Uuid::from_u128(2), "computer": "mac", "user": "ann", "os": "darwin", "osVersion": "15",
        "hwid": "hw",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_of_batches_go_on_a_subject_of_their_own() {
    let edge = Edge::start().await;
    let token = edge.token(kit::new_id(), 0);
    let post = async |path: &str, body: Value| {
        let request = edge.post(path).bearer_auth(&token).header("Prefer", "respond-async").json(&body);
        assert_eq!(request.send().await.expect("an answer").status(), 202);
    };
    tokio::join!(
        post("/api/v1/time-entries", window(0)),
        post("/api/v1/time-entries/batch", json!({ "windows": [window(1), window(2)] })),
        post("/api/v1/time-entries", window(3)),
    );
    let queue = edge.harness.bus().jetstream.get_stream(stream::INGEST).await.expect("the queue");
    let (mut single, mut batched) = (0, 0);
    for place in 1..=queue.cached_info().state.last_sequence {
        let message = queue.get_raw_message(place).await.expect("a message");
        let windows = serde_json::from_slice::<IngestBatch>(&message.payload).expect("windows").items.len();
        match message.subject.as_str() {
            INGEST_BATCHES => batched += windows,
            _ => single += windows,
        }
    }
    assert_eq!((single, batched), (2, 2));
}
