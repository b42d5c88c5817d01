//! Tests of what a worker decides from its cache, while bindings change.

use std::time::Duration;

use bson::{Document, doc};
use contracts::{
    HOUR, IngestItem, Millis, Outcome, Payee, Payroll, PayrollLine, ProjectChanged, Rate, Service, Term,
    WindowsRecorded, stream,
};
use testkit::{Running, eventually_within};

use crate::support::{Fixture, NOON, spawn, window_of};

const BOUND: Duration = Duration::from_secs(30);

/// The event of the project with this version. Its bill rate equals the version.
fn project(fixture: &Fixture, version: i64) -> ProjectChanged {
    let line = PayrollLine { bill_rate: Rate::try_from(version as f64).ok(), ..Default::default() };
    ProjectChanged { payroll: Payroll([(Payee::Everybody, line)].into()), ..fixture.project_changed(version) }
}

/// Sends windows of consecutive hours from `hour` on, until one is recorded from the cache. The
/// project's document is removed from the database for every second window, so only the cache can
/// admit that window. Returns the next free hour.
async fn until_remembered(fixture: &Fixture, mut hour: i64) -> i64 {
    let bindings = fixture.harness.database(Service::Timetrack).await.collection::<Document>("bindings");
    let key = format!("p:{}", fixture.project);
    let row = bindings.find_one(doc! { "_id": &key }).await.unwrap().unwrap();
    eventually_within(BOUND, "it is remembered", async || {
        fixture.send(vec![fixture.window(hour)]).await;
        hour += 1;
        bindings.delete_one(doc! { "_id": &key }).await.unwrap();
        let outcome = fixture.send(vec![fixture.window(hour)]).await.pop().unwrap();
        hour += 1;
        bindings.insert_one(&row).await.unwrap();
        matches!(outcome, Outcome::Stored(_)).then_some(())
    })
    .await;
    hour
}

async fn rate_of_next(fixture: &Fixture, hour: i64) -> Option<Rate> {
    let outcome = fixture.send(vec![fixture.window(hour)]).await.pop().unwrap();
    window_of(&outcome).bill_rate
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_that_the_copy_has_taken_is_that_of_the_next_window_whichever_worker_records_it() {
    let fixture = Fixture::with_ann().await;
    let second = spawn(&fixture.harness).await;
    let mut hour = until_remembered(&fixture, 0).await;
    for version in 2..30 {
        fixture.harness.publish(&project(&fixture, version)).await;
        fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
        for _ in 0..3 {
            assert_eq!(rate_of_next(&fixture, hour).await, Rate::try_from(version as f64).ok(), "version {version}");
            hour += 1;
        }
    }
    second.stop().await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_remembered_refuses_nothing_and_records_nothing_from_after_a_removal() {
    let fixture = Fixture::with_ann().await;
    let hour = until_remembered(&fixture, 0).await;
    let removed_at = Millis(NOON + (hour + 2) * HOUR);
    fixture.harness.publish(&fixture.member_changed(2, vec![Term { from: None, until: Some(removed_at) }])).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    let sent: Vec<IngestItem> = (hour..hour + 4).map(|hour| fixture.window(hour)).collect();
    let outcomes = fixture.send(sent).await;
    let [Outcome::Stored(_), Outcome::Stored(_), Outcome::Rejected { .. }, Outcome::Rejected { .. }] = &outcomes[..]
    else {
        panic!("{outcomes:?}")
    };
    fixture.harness.finish().await;
}

/// Waits until timetrack has stored that it has applied every event. An event that is purged
/// afterwards does not count as missed.
async fn until_seen(fixture: &Fixture) {
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    let last =
        fixture.harness.bus().jetstream.get_stream(stream::EVENTS).await.unwrap().cached_info().state.last_sequence;
    let marks = fixture.harness.database(Service::Timetrack).await.collection::<Document>("event_marks");
    eventually_within(BOUND, "it has looked", async || {
        let mark = marks.find_one(doc! {}).await.unwrap()?;
        (mark.get_i64("place").unwrap() >= last as i64).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_whose_oldest_events_are_gone_hides_no_rate() {
    let fixture = Fixture::with_ann().await;
    let mut hour = until_remembered(&fixture, 0).await;
    let events = fixture.harness.bus().jetstream.get_stream(stream::EVENTS).await.unwrap();
    for version in 2..8 {
        // Events of another kind come in between, and all events but the last are purged.
        for other in 0..20 {
            fixture
                .harness
                .publish(&WindowsRecorded { batch: format!("{version}-{other}"), windows: Vec::new() })
                .await;
        }
        until_seen(&fixture).await;
        events.purge().keep(1).await.unwrap();
        fixture.harness.publish(&project(&fixture, version)).await;
        fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
        assert_eq!(rate_of_next(&fixture, hour).await, Rate::try_from(version as f64).ok(), "version {version}");
        hour = until_remembered(&fixture, hour + 1).await;
    }
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_worker_holds_another_lets_go_once_it_is_recorded() {
    let mut fixture = Fixture::with_ann().await;
    let hour = until_remembered(&fixture, 0).await;
    let away = vec![Term { from: None, until: Some(Millis(NOON - 10 * HOUR)) }];
    fixture.harness.publish(&fixture.member_changed(2, away)).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    let quarantine = fixture.harness.database(Service::Timetrack).await.collection::<Document>("quarantine");
    let workers: [Running; 2] = [fixture.timetrack.take().unwrap(), spawn(&fixture.harness).await];
    let sent: Vec<_> = (hour..hour + 20).map(|hour| fixture.window(hour)).collect();
    for one in &sent {
        let outcomes = fixture.send(vec![one.clone()]).await;
        assert!(matches!(&outcomes[..], [Outcome::Rejected { .. }]), "{outcomes:?}");
    }
    let refused = doc! { "code": "not_on_project" };
    assert_eq!(quarantine.count_documents(refused).await.unwrap(), 20);
    fixture.harness.publish(&fixture.member_changed(3, vec![Term::ALWAYS])).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    for one in &sent {
        let outcomes = fixture.send(vec![one.clone()]).await;
        assert!(matches!(&outcomes[..], [Outcome::Stored(_)]), "{outcomes:?}");
        let quarantined = quarantine.count_documents(doc! { "item.window.start": one.window.start.0 }).await.unwrap();
        assert_eq!(quarantined, 0, "it is let go before its sender is told that it is recorded");
    }
    for worker in workers {
        worker.stop().await;
    }
    fixture.harness.finish().await;
}
