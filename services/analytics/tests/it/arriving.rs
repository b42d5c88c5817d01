use async_nats::{HeaderMap, header::NATS_MESSAGE_ID};
use bson::{Document, doc};
use contracts::{
    Applied, DAY, Event, EventId, GetProjectTime, GetTaskTime, HOUR, Service, WindowFact, WindowsRecorded, header,
    stream,
};
use futures::StreamExt;
use testkit::Harness;

use crate::fixture::*;

/// The two collections with the sums that are computed from facts.
async fn roll_ups(harness: &Harness) -> [mongodb::Collection<Document>; 2] {
    let database = harness.database(Service::Analytics).await;
    ["employee_months", "company_months"].map(|name| database.collection(name))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_twice_counts_once() {
    let (harness, _analytics) = start().await;
    harness.publish_twice(&recorded(&[window(1, MIDNIGHT, MIDNIGHT + HOUR)])).await;
    assert_eq!(times(&harness, &week()).await, [(project(1), HOUR)]);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lower_revision_that_comes_late_changes_nothing() {
    let (harness, _analytics) = start().await;
    let first = window(1, MIDNIGHT, MIDNIGHT + HOUR);
    let second = WindowFact { revision: 2, project_id: project(2), ..first.clone() };
    harness.publish(&recorded(&[second])).await;
    assert_eq!(times(&harness, &week()).await, [(project(2), HOUR)]);
    harness.publish(&recorded(&[first])).await;
    assert_eq!(times(&harness, &week()).await, [(project(2), HOUR)]);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_replaces_what_it_corrects() {
    let (harness, _analytics) = start().await;
    let first = window(1, MIDNIGHT, MIDNIGHT + HOUR);
    harness.publish(&recorded(std::slice::from_ref(&first))).await;
    assert_eq!(harness.ask(&week()).await.unwrap()[0].income, currency(60));
    harness.publish(&recorded(&[WindowFact { revision: 2, billable: false, ..first }])).await;
    assert_eq!(harness.ask(&week()).await.unwrap()[0].income, currency(0));
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_moved_leaves_nothing_behind_on_its_old_day_and_employee() {
    let (harness, _analytics) = start().await;
    let first = window(1, MIDNIGHT, MIDNIGHT + HOUR);
    let moved = WindowFact { revision: 2, employee_id: BOB, ..window(1, MIDNIGHT + DAY, MIDNIGHT + DAY + 2 * HOUR) };
    harness.publish(&recorded(&[first])).await;
    assert_eq!(times(&harness, &week()).await, [(project(1), HOUR)]);
    let mut before = Vec::new();
    for rows in roll_ups(&harness).await {
        let row = rows.find_one(doc! {}).await.unwrap().unwrap();
        before.push((rows, row));
    }
    let event = recorded(&[moved]);
    harness.publish(&event).await;
    assert_eq!(times(&harness, &week()).await, [(project(1), 2 * HOUR)]);

    // Restores the old sums, as if a crash had come after the fact was stored and before the sums
    // were recomputed. The redelivery must recompute them.
    for (rows, row) in before {
        rows.replace_one(doc! { "_id": row.get("_id").unwrap() }, row).await.unwrap();
    }
    assert_eq!(times(&harness, &week()).await, [(project(1), HOUR)], "it is stale");
    let of_ann = GetProjectTime { filter: of_one(ANN), ..week() };
    assert_eq!(times(&harness, &of_ann).await, [(project(1), HOUR)], "it is stale");
    harness.publish(&event).await;
    assert_eq!(times(&harness, &week()).await, [(project(1), 2 * HOUR)]);
    assert_eq!(times(&harness, &of_ann).await, []);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voided_window_uncovers_what_it_covered() {
    let (harness, _analytics) = start().await;
    let first = window(1, MIDNIGHT, MIDNIGHT + 2 * HOUR);
    let covered = WindowFact { project_id: project(2), ..window(2, MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR) };
    harness.publish(&recorded(&[first.clone(), covered])).await;
    assert_eq!(times(&harness, &week()).await, [(project(1), 2 * HOUR)]);
    harness.publish(&recorded(&[WindowFact { revision: 2, voided: true, ..first }])).await;
    assert_eq!(times(&harness, &week()).await, [(project(2), HOUR)]);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redelivery_recomputes_the_days_of_facts_that_are_known() {
    let (harness, _analytics) = start().await;
    let event = recorded(&[window(1, MIDNIGHT - HOUR, MIDNIGHT + HOUR)]);
    harness.publish(&event).await;
    assert_eq!(times(&harness, &week()).await, [(project(1), 2 * HOUR)]);
    // Removes all sums, as if the process had stopped after it stored the facts and before it
    // computed the sums.
    for rows in roll_ups(&harness).await {
        rows.delete_many(doc! {}).await.unwrap();
    }
    assert_eq!(times(&harness, &week()).await, []);
    harness.publish(&event).await;
    assert_eq!(times(&harness, &week()).await, [(project(1), 2 * HOUR)]);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_counted_goes_to_dead_and_holds_nothing_up() {
    let (harness, _analytics) = start().await;
    let good = recorded(&[window(1, MIDNIGHT, MIDNIGHT + HOUR)]);
    let overlong = recorded(&[window(2, MIDNIGHT, MIDNIGHT + 25 * HOUR)]);
    let mut headers = HeaderMap::new();
    headers.insert(NATS_MESSAGE_ID, kit::new_id::<EventId>().to_string());
    let garbled = harness.bus().jetstream.publish_with_headers(overlong.subject(), headers, "{".into()).await;
    garbled.unwrap().await.unwrap();
    harness.publish(&overlong).await;
    harness.publish(&good).await;
    assert_eq!(times(&harness, &week()).await, [(project(1), HOUR)]);
    assert_eq!(harness.stream_messages(stream::DEAD).await, 2);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_change_is_told_once_it_is_counted() {
    let (harness, _analytics) = start().await;
    let inbox = harness.bus().client.new_inbox();
    let mut reports = harness.bus().client.subscribe(inbox.clone()).await.unwrap();
    let event: WindowsRecorded = recorded(&[window(1, MIDNIGHT, MIDNIGHT + HOUR)]);
    let id: EventId = kit::new_id();
    let mut headers = HeaderMap::new();
    headers.insert(NATS_MESSAGE_ID, id.to_string());
    headers.insert(header::APPLIED_TO, inbox);
    let payload = serde_json::to_vec(&event).unwrap().into();
    harness.bus().jetstream.publish_with_headers(event.subject(), headers, payload).await.unwrap().await.unwrap();
    let report = tokio::time::timeout(std::time::Duration::from_secs(20), reports.next()).await.unwrap().unwrap();
    let applied: Applied = serde_json::from_slice(&report.payload).unwrap();
    assert_eq!(applied, Applied { event: id, by: Service::Analytics, caused: vec![] });
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_very_next_question_counts_what_was_just_recorded() {
    let (harness, _analytics) = start().await;
    for n in 0..40 {
        let start = MIDNIGHT + n * 10_000;
        harness.publish(&recorded(&[window(n as u128, start, start + 10_000)])).await;
        let mine = GetTaskTime { employee_id: ANN, task_id: task(1) };
        assert_eq!(harness.ask(&mine).await.unwrap().total_time_millis, (n + 1) * 10_000);
        assert_eq!(times(&harness, &week()).await, [(project(1), (n + 1) * 10_000)]);
    }
    harness.finish().await;
}
