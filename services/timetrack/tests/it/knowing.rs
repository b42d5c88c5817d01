//! Tests of windows that arrive while the copy of the bindings lacks an event, because a suspended
//! replica has received the event and not applied it, or because the consumer is paused.

use std::time::Duration;

use async_nats::jetstream::stream::Stream;
use contracts::{
    Code, GetWindow, HOUR, IngestItem, MemberChanged, Millis, Outcome, Service, Term, WindowState, stream,
};
use testkit::eventually;

use crate::support::{Fixture, InHand};

/// A window of Ann's with this start and end.
fn window(fixture: &Fixture, start: Millis, end: Millis) -> IngestItem {
    let mut window = fixture.window(0).window;
    (window.start, window.end) = (start, end);
    fixture.item(window)
}

/// The event that Ann has left the project at this moment.
fn removal(fixture: &Fixture, at: Millis) -> MemberChanged {
    fixture.member_changed(2, vec![Term { from: None, until: Some(at) }])
}

async fn state(fixture: &Fixture, item: &IngestItem) -> WindowState {
    fixture.harness.ask(&GetWindow { id: item.id, seq: None, set_aside: true }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_begins_after_a_removal_which_a_frozen_replica_holds_waits_and_is_then_refused() {
    let mut fixture = Fixture::with_ann().await;
    fixture.timetrack.take().unwrap().stop().await;
    let removed_at = fixture.harness.clock.now();
    fixture.harness.publish(&removal(&fixture, removed_at)).await;
    let frozen = InHand::take(&fixture.harness).await;
    fixture.timetrack = Some(crate::support::spawn(&fixture.harness).await);

    let before = window(&fixture, removed_at - HOUR, removed_at - 1);
    let since = window(&fixture, removed_at, removed_at + 1_000);
    let mut elsewhere = since.window.clone();
    elsewhere.project_id = kit::new_id();
    elsewhere.hwid = crate::support::label("another");
    let elsewhere = fixture.item(elsewhere);
    let sent = vec![before.clone(), since.clone(), elsewhere.clone()];
    let outcomes = fixture.send(sent).await;
    assert!(matches!(&outcomes[..], [Outcome::Queued, Outcome::Queued, Outcome::Queued]), "{outcomes:?}");

    // However long the copy stays incomplete, the worker may refuse no window for good. Another
    // window is sent after a minute to check this.
    fixture.harness.clock.advance(60_000);
    let later = window(&fixture, removed_at + 2_000, removed_at + 3_000);
    assert!(matches!(&fixture.send(vec![later.clone()]).await[..], [Outcome::Queued]));
    for waiting in [&before, &since, &elsewhere, &later] {
        assert_eq!(state(&fixture, waiting).await, WindowState::Queued);
    }

    frozen.let_go().await;
    let rejected = async |item: &IngestItem, code| {
        let why = eventually("it is refused", async || match state(&fixture, item).await {
            WindowState::Rejected { code, .. } => Some(code),
            WindowState::Recorded(_) => panic!("recorded after the removal"),
            _ => None,
        })
        .await;
        assert_eq!(why, code);
    };
    rejected(&since, Code::NotOnProject).await;
    rejected(&later, Code::NotOnProject).await;
    rejected(&elsewhere, Code::UnknownProject).await;
    eventually("the hours from before it are recorded", async || {
        matches!(state(&fixture, &before).await, WindowState::Recorded(_)).then_some(())
    })
    .await;
    fixture.harness.finish().await;
}

/// Pauses timetrack's consumer of EVENTS until ten minutes after the stream was created.
async fn hold_back(events: &Stream) {
    let until = events.cached_info().created + Duration::from_secs(600);
    events.pause_consumer(Service::Timetrack.name(), until).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_began_before_the_copy_fell_behind_is_recorded_at_once() {
    let fixture = Fixture::with_ann().await;
    let now = fixture.harness.clock.now();
    // This window makes the worker query the moment up to which its copy is complete.
    assert!(matches!(&fixture.send(vec![window(&fixture, now - 2, now - 1)]).await[..], [Outcome::Stored(_)]));
    let events = fixture.harness.bus().jetstream.get_stream(stream::EVENTS).await.unwrap();
    hold_back(&events).await;
    let removed_at = fixture.harness.clock.now();
    fixture.harness.publish(&removal(&fixture, removed_at)).await;

    let before = window(&fixture, now - HOUR, now - HOUR + 1_000);
    let since = window(&fixture, removed_at, removed_at + 1_000);
    let outcomes = fixture.send(vec![before, since.clone()]).await;
    assert!(matches!(&outcomes[..], [Outcome::Stored(_), Outcome::Queued]), "{outcomes:?}");

    events.resume_consumer(Service::Timetrack.name()).await.unwrap();
    eventually("the other one is refused", async || {
        matches!(state(&fixture, &since).await, WindowState::Rejected { code: Code::NotOnProject, .. }).then_some(())
    })
    .await;
    fixture.harness.finish().await;
}
