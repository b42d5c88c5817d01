use std::sync::Arc;

use contracts::{
    Caller, Code, GetWindow, HOUR, INGEST_WINDOWS, IngestBatch, ListQuarantine, Millis, Outcome, Rate, Service, Term,
    WindowState, stream,
};
use testkit::eventually;

use crate::support::{Fixture, NOON, label, spawn, window_of};

#[tokio::test(flavor = "multi_thread")]
async fn a_window_is_recorded_with_the_rates_and_the_task_of_that_moment() {
    let fixture = Fixture::with_ann().await;
    let outcomes = fixture.send(vec![fixture.window(0)]).await;
    let [outcome @ Outcome::Stored(_)] = &outcomes[..] else { panic!("{outcomes:?}") };
    let window = window_of(outcome);
    assert_eq!((window.bill_rate, window.overtime_bill_rate), (Rate::try_from(50.0).ok(), Rate::try_from(75.0).ok()));
    assert_eq!((window.task_status, window.task_priority), (label("To Do"), label("High")));
    assert_eq!((window.billable, window.paid, window.overtime), (true, false, false));
    assert_eq!(window.start_translated, Millis(NOON - 7_200_000));
    assert_eq!(fixture.stored().await.len(), 1);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_window_fifty_times_at_once_is_recorded_once() {
    let fixture = Arc::new(Fixture::with_ann().await);
    let second = spawn(&fixture.harness).await;
    let window = fixture.window(0);
    let sends = (0..50).map(|_| {
        let (fixture, window) = (fixture.clone(), window.clone());
        tokio::spawn(async move { fixture.send(vec![window]).await })
    });
    let mut stored = 0;
    for send in sends.collect::<Vec<_>>() {
        match &send.await.unwrap()[..] {
            [Outcome::Stored(_)] => stored += 1,
            [Outcome::Duplicate(_)] => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((stored, fixture.stored().await.len()), (1, 1));
    drop(second);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_holds_repetitions_conflicts_and_good_windows_side_by_side() {
    let fixture = Fixture::with_ann().await;
    fixture.send(vec![fixture.window(0)]).await;
    let mut other_content = fixture.window(0);
    other_content.window.end = other_content.window.end - 1;
    other_content.hash = contracts::content_hash(&other_content.window);
    let outcomes = fixture.send(vec![fixture.window(0), other_content, fixture.window(1), fixture.window(1)]).await;
    assert!(
        matches!(&outcomes[..], [Outcome::Duplicate(_), Outcome::Conflict, Outcome::Stored(_), Outcome::Duplicate(_)]),
        "{outcomes:?}"
    );
    assert_eq!(fixture.stored().await.len(), 2);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computer_that_was_renamed_between_try_and_retry_sends_the_same_window() {
    let fixture = Fixture::with_ann().await;
    let first = fixture.window(0);
    fixture.send(vec![first.clone()]).await;
    let recorded = fixture.stored().await;
    let again = |change: fn(&mut contracts::WindowSent)| {
        let mut item = first.clone();
        change(&mut item.window);
        item.hash = contracts::content_hash(&item.window);
        item
    };
    let repeated = vec![
        again(|w| w.computer = label("renamed")),
        again(|w| w.os_version = label("16")),
        again(|w| w.timezone_offset = 3_600_000),
        again(|w| w.note = contracts::Note::parse("later").ok()),
        again(|w| w.task_status = Some(label("Done"))),
        again(|w| w.shift_id = Some(label("another shift"))),
    ];
    for outcome in fixture.send(repeated).await {
        assert!(matches!(outcome, Outcome::Duplicate(_)), "{outcome:?}");
        assert_eq!(window_of(&outcome), recorded[0], "answered as it was first recorded");
    }
    let others = vec![
        again(|w| w.start = w.start + 1),
        again(|w| w.end = w.end + 1),
        again(|w| w.project_id = kit::new_id()),
        again(|w| w.task_id = kit::new_id()),
    ];
    for outcome in fixture.send(others).await {
        assert!(!matches!(outcome, Outcome::Stored(_) | Outcome::Duplicate(_)), "{outcome:?}");
    }
    assert_eq!(fixture.stored().await, recorded);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_employees_id_is_a_conflict_that_tells_nothing() {
    let fixture = Fixture::with_ann().await;
    fixture.send(vec![fixture.window(0)]).await;
    let bob = Fixture { ann: kit::new_id(), ..fixture };
    bob.introduce().await;
    bob.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    // Another employee sends a window with the id of Ann's first window.
    let stolen = bob.stored().await[0].id;
    let mut item = bob.window(0);
    item.id = stolen;
    assert!(matches!(&bob.send(vec![item]).await[..], [Outcome::Conflict]));
    assert_eq!(bob.stored().await.len(), 1);
    bob.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_on_the_project_but_not_on_the_task_is_refused_and_the_window_is_kept() {
    let fixture = Fixture::with_ann().await;
    let other_task = contracts::TaskChanged { id: kit::new_id(), ..fixture.task_changed(1) };
    fixture.harness.publish(&other_task).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    let mut window = fixture.window(0).window;
    window.task_id = other_task.id;
    let item = fixture.item(window);
    let outcomes = fixture.send(vec![item.clone(), fixture.window(1)]).await;
    assert!(
        matches!(&outcomes[..], [Outcome::Rejected { code: Code::NotOnTask, .. }, Outcome::Stored(_)]),
        "{outcomes:?}"
    );
    let state = fixture.harness.ask(&GetWindow { id: item.id, seq: None, set_aside: false }).await.unwrap();
    assert!(matches!(state, WindowState::Rejected { code: Code::NotOnTask, .. }));
    assert_eq!(fixture.stored().await.len(), 1);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_early_window_waits_until_the_word_of_its_task_arrives() {
    let (fixture, in_hand) = Fixture::behind().await;
    let window = fixture.window(0);
    assert!(matches!(&fixture.send(vec![window.clone()]).await[..], [Outcome::Queued]));
    let get = GetWindow { id: window.id, seq: None, set_aside: false };
    assert_eq!(fixture.harness.ask(&get).await.unwrap(), WindowState::Queued);
    fixture.introduce().await;
    in_hand.let_go().await;
    eventually("the window is recorded", async || {
        matches!(fixture.harness.ask(&get).await, Ok(WindowState::Recorded(_))).then_some(())
    })
    .await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_on_what_nobody_has_told_of_is_refused_at_once_and_kept() {
    let fixture = Fixture::with_ann().await;
    let unknown = |change: fn(&mut contracts::WindowSent)| {
        let mut window = fixture.window(0).window;
        change(&mut window);
        fixture.item(window)
    };
    let project = unknown(|w| w.project_id = kit::new_id());
    let mut task = unknown(|w| w.task_id = kit::new_id());
    task.id = kit::new_id();
    let outcomes = fixture.send(vec![project.clone(), task.clone(), fixture.window(1)]).await;
    assert!(
        matches!(
            &outcomes[..],
            [
                Outcome::Rejected { code: Code::UnknownProject, .. },
                Outcome::Rejected { code: Code::UnknownTask, .. },
                Outcome::Stored(_)
            ]
        ),
        "{outcomes:?}"
    );
    let quarantined = fixture.harness.ask(&ListQuarantine::default()).await.unwrap().items;
    let quarantined: Vec<_> = quarantined.into_iter().map(|w| (w.id, w.waiting)).collect();
    assert!(
        quarantined.len() == 2 && [project.id, task.id].iter().all(|id| quarantined.contains(&(*id, false))),
        "{quarantined:?}"
    );
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_was_recorded_is_a_success_again_after_the_removal() {
    let fixture = Fixture::with_ann().await;
    fixture.send(vec![fixture.window(0)]).await;
    let removed = vec![Term { from: None, until: Some(Millis(NOON - HOUR)) }];
    fixture.harness.publish(&fixture.member_changed(2, removed)).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    let outcomes = fixture.send(vec![fixture.window(0), fixture.window(-3), fixture.window(2)]).await;
    assert!(
        matches!(
            &outcomes[..],
            [Outcome::Duplicate(_), Outcome::Stored(_), Outcome::Rejected { code: Code::NotOnProject, .. }]
        ),
        "{outcomes:?}"
    );
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_read_goes_to_dead_and_its_neighbours_are_recorded() {
    let fixture = Fixture::with_ann().await;
    let bus = fixture.harness.bus();
    bus.jetstream.publish(INGEST_WINDOWS, "{not json".into()).await.unwrap().await.unwrap();
    assert!(matches!(&fixture.send(vec![fixture.window(0)]).await[..], [Outcome::Stored(_)]));
    eventually("it is dead", async || (fixture.harness.stream_messages(stream::DEAD).await == 1).then_some(())).await;
    fixture.harness.until_consumed(stream::INGEST, Service::Timetrack).await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_wait_in_the_queue_while_no_worker_runs() {
    let mut fixture = Fixture::with_ann().await;
    fixture.timetrack.take().unwrap().stop().await;
    let batch = IngestBatch { items: vec![fixture.window(0)] };
    let payload = serde_json::to_vec(&batch).unwrap();
    let jetstream = &fixture.harness.bus().jetstream;
    jetstream.publish(INGEST_WINDOWS, payload.into()).await.unwrap().await.unwrap();
    fixture.timetrack = Some(spawn(&fixture.harness).await);
    eventually("it is recorded", async || (fixture.stored().await.len() == 1).then_some(())).await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_sees_only_their_own_windows() {
    let fixture = Fixture::with_ann().await;
    let window = fixture.window(0);
    fixture.send(vec![window.clone()]).await;
    let get = GetWindow { id: window.id, seq: None, set_aside: false };
    let own = fixture.harness.bus().ask(Caller::Employee(fixture.ann), &get).await;
    assert!(matches!(own, Ok(WindowState::Recorded(_))));
    let foreign = fixture.harness.bus().ask(Caller::Employee(kit::new_id()), &get).await;
    assert_eq!(foreign.unwrap_err().code, Code::NotFound);
    fixture.harness.finish().await;
}
