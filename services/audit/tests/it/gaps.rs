use contracts::{Action, EmployeeChanged, EmployeeState, Service, stream};
use serde_json::json;
use testkit::{Running, eventually_within};

use crate::trail::{Trail, audited};

async fn metrics_say(running: &Running, line: &str) {
    let url = format!("http://{}/metrics", running.ops);
    eventually_within(std::time::Duration::from_secs(30), line, async || {
        let text = reqwest::get(&url).await.ok()?.text().await.ok()?;
        text.lines().any(|known| known == line).then_some(())
    })
    .await;
}

/// Waits until the mark with this sequence number is stored.
async fn marked(trail: &Trail, seq: i64) {
    let marks = trail.harness.database(Service::Audit).await.collection::<bson::Document>("marks");
    let patience = std::time::Duration::from_secs(30);
    eventually_within(patience, "a mark", async || marks.find_one(bson::doc! { "_id": seq }).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_stream_dropped_before_it_was_read_is_a_gap_that_the_trail_tells() {
    let (trail, running) = Trail::start().await;
    for _ in 0..3 {
        trail.publish(&audited(Action::TaskCreated)).await;
    }
    trail.entries(3).await;
    marked(&trail, 3).await;
    running.stop().await;
    for _ in 0..5 {
        trail.publish(&audited(Action::TaskDeleted)).await;
    }
    trail.drop_events().await;
    let running = trail.start_service().await;
    let gap = trail.entries(4).await.remove(0);
    assert_eq!((gap.action.as_str(), gap.subject.id.as_str()), ("audit.gap", stream::EVENTS));
    assert_eq!(gap.changes, Some(json!([{"op": "add", "path": "", "value": {"from": 4, "to": 8}}])));
    // The second replica must not add another entry about the same gap.
    let other = trail.start_service().await;
    metrics_say(&other, "t3_audit_head{service_name=\"audit\"} 4").await;
    metrics_say(&running, "t3_audit_gaps{service_name=\"audit\"} 1").await;
    assert_eq!(trail.entries(4).await.len(), 4);
    assert!(trail.verify(None).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_stream_dropped_and_is_none_of_ours_is_no_gap() {
    let trail = Trail::without_service().await;
    for version in 0..3 {
        let employee_state = EmployeeState { version, ..employee_state() };
        trail.harness.publish(&EmployeeChanged(employee_state)).await;
    }
    let running = trail.start_service().await;
    marked(&trail, 3).await;
    running.stop().await;
    trail.drop_events().await;
    let running = trail.start_service().await;
    trail.publish(&audited(Action::TaskCreated)).await;
    metrics_say(&running, "t3_audit_head{service_name=\"audit\"} 1").await;
    assert_eq!(trail.entries(1).await[0].action, "task.created");
}

fn employee_state() -> EmployeeState {
    let json = json!({"id": kit::new_id::<contracts::EmployeeId>(), "version": 1, "epoch": 0});
    serde_json::from_value(json).unwrap()
}
