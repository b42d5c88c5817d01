use std::collections::BTreeSet;

use contracts::{Action, Actor, Millis, Service, stream};
use futures::future::join_all;
use serde_json::json;

use crate::trail::{Trail, audited, ids};

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_says_who_did_what_to_what_when_and_by_which_request() {
    let (trail, _running) = Trail::start().await;
    let mut entry = audited(Action::EmployeeUpdated);
    entry.address = Some("192.0.2.7".into());
    entry.changes = Some(json!([{"op": "replace", "path": "/name", "value": "Anna"}]));
    trail.publish(&entry).await;
    let shown = trail.entries(1).await.pop().unwrap();
    assert_eq!((shown.seq, shown.id, shown.at), (1, entry.id, Millis(1_760_000_000_000)));
    assert_eq!((shown.actor, shown.action.as_str()), (Actor::Root.into(), "employee.updated"));
    assert_eq!((shown.subject, shown.changes), (entry.subject, entry.changes));
    assert_eq!((shown.request_id.as_deref(), shown.cause), (Some("a-request"), None));
    assert_eq!(shown.address.as_deref(), Some("192.0.2.7"));
    trail.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_comes_twice_is_taken_once_and_one_that_comes_late_stands_where_it_came() {
    let (trail, running) = Trail::start().await;
    let (mut late, first, last) =
        (audited(Action::TaskCreated), audited(Action::TaskCreated), audited(Action::TaskDeleted));
    late.at = Millis(1);
    // The event is published twice, so the service receives it again although its entry is written,
    // as after a crash between the insert and the acknowledgement.
    trail.harness.publish_twice(&first).await;
    trail.publish(&late).await;
    trail.entries(2).await;
    running.stop().await;
    // The message is published again, and now another replica receives it.
    trail.harness.publish_twice(&first).await;
    trail.harness.publish_twice(&last).await;
    let running = trail.start_service().await;
    trail.harness.until_consumed(stream::EVENTS, Service::Audit).await;
    let entries = trail.entries(3).await;
    assert_eq!(ids(&entries), [last.id, late.id, first.id]);
    assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(trail.verify(None).await.unwrap().unwrap().to_string(), format!("3:{}", entries[0].hash));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_write_one_chain() {
    let (trail, _one) = Trail::start().await;
    let _other = trail.start_service().await;
    let all: Vec<_> = (0..300).map(|_| audited(Action::LoginFailed)).collect();
    for some in all.chunks(50) {
        join_all(some.iter().map(|entry| trail.publish(entry))).await;
    }
    let entries = trail.entries(all.len()).await;
    let expected: Vec<i64> = (1..=all.len() as i64).rev().collect();
    assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), expected);
    let published: BTreeSet<_> = all.iter().map(|entry| entry.id).collect();
    assert_eq!(ids(&entries).into_iter().collect::<BTreeSet<_>>(), published);
    assert!(trail.verify(None).await.is_ok());
    trail.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_while_nobody_kept_the_trail_is_on_it_later() {
    let trail = Trail::without_service().await;
    let entry = audited(Action::ProjectCreated);
    trail.publish(&entry).await;
    let _running = trail.start_service().await;
    assert_eq!(ids(&trail.entries(1).await), [entry.id]);
    trail.harness.finish().await;
}
