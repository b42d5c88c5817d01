use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use contracts::{EmployeeChanged, EmployeeState, Event, MailId, MailRequested, Service, stream};
use kit::{Error, Events, Needs, Puller, Shutdown};
use testkit::{Harness, eventually, eventually_within};

fn changed(version: i64) -> EmployeeChanged {
    EmployeeChanged(EmployeeState { id: kit::new_id(), version, epoch: 0, deactivated_at: None, active: None })
}

#[derive(Default)]
struct Seen {
    versions: Mutex<Vec<i64>>,
    calls: AtomicUsize,
}

/// A table with one handler. It always fails for version 13, and at the first delivery for version
/// 7.
fn table() -> Events<Seen> {
    Events::new(Service::Timetrack).on(async |seen: Arc<Seen>, delivery: kit::Delivery, event: EmployeeChanged| {
        seen.calls.fetch_add(1, Ordering::SeqCst);
        let version = event.0.version;
        if version == 13 || (version == 7 && delivery.deliveries == 1) {
            return Err(Error::Other(std::io::Error::other("it fails by itself").into()));
        }
        seen.versions.lock().unwrap().push(version);
        Ok(Vec::new())
    })
}

async fn consume(harness: &Harness, seen: &Arc<Seen>) {
    harness.provision(&Needs::of(Service::Timetrack).consumer(table().pull())).await;
    table().consume(seen.clone(), harness.bus(), &Shutdown::new()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_comes_again_and_does_not_hold_up_the_others() {
    let harness = Harness::start().await;
    let seen = Arc::new(Seen::default());
    consume(&harness, &seen).await;
    for version in [7, 1, 2] {
        harness.publish(&changed(version)).await;
    }
    eventually("all three are applied", async || {
        let mut versions = seen.versions.lock().unwrap().clone();
        versions.sort_unstable();
        (versions == [1, 2, 7]).then_some(())
    })
    .await;
    harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    assert_eq!(harness.stream_messages(stream::DEAD).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_copied_to_dead_with_the_reason() {
    let harness = Harness::start().await;
    let seen = Arc::new(Seen::default());
    consume(&harness, &seen).await;
    let subject = changed(1).subject();
    harness.bus().jetstream.publish(subject, "{no".into()).await.unwrap().await.unwrap();
    harness.publish(&changed(2)).await;
    eventually("a dead message", async || (harness.stream_messages(stream::DEAD).await == 1).then_some(())).await;
    harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    let dead = harness.bus().jetstream.get_stream(stream::DEAD).await.unwrap();
    let copy = dead.direct_get(1).await.unwrap();
    assert_eq!(copy.payload.as_ref(), b"{no");
    assert!(copy.headers.get(contracts::header::DEAD_REASON).is_some());
    assert_eq!(*seen.versions.lock().unwrap(), [2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_failing_by_itself_is_dead_in_the_end() {
    let harness = Harness::start().await;
    let seen = Arc::new(Seen::default());
    consume(&harness, &seen).await;
    harness.publish(&changed(13)).await;
    let bound = Duration::from_secs(90);
    eventually_within(bound, "a dead message", async || {
        (harness.stream_messages(stream::DEAD).await == 1).then_some(())
    })
    .await;
    assert_eq!(seen.calls.load(Ordering::SeqCst) as u32, kit::MOST_FAILURES);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_newer_version_knows_waits_until_one_has_started() {
    let harness = Harness::start().await;
    let (old, new) = (Arc::new(Seen::default()), Arc::new(Seen::default()));
    let newer = table().on(async |seen: Arc<Seen>, _: kit::Delivery, _: MailRequested| {
        seen.calls.fetch_add(1, Ordering::SeqCst);
        Ok(Vec::new())
    });
    // An update runs `provision` before it replaces the programs, so the earlier program receives
    // events that it does not know.
    harness.provision(&Needs::of(Service::Timetrack).consumer(newer.pull())).await;
    let stop = Shutdown::new();
    table().consume(old.clone(), harness.bus(), &stop).await.unwrap();
    harness.publish(&MailRequested { mail_id: MailId(uuid::Uuid::from_u128(1)) }).await;
    eventually_within(Duration::from_secs(60), "it came more often than a message may fail", async || {
        let stream = harness.bus().jetstream.get_stream(stream::EVENTS).await.ok()?;
        let info = stream.consumer_info(Service::Timetrack.name()).await.ok()?;
        (info.delivered.consumer_sequence > u64::from(kit::MOST_FAILURES)).then_some(())
    })
    .await;
    stop.stop();
    newer.consume(new.clone(), harness.bus(), &Shutdown::new()).await.unwrap();
    eventually_within(Duration::from_secs(20), "the new version applies it", async || {
        (new.calls.load(Ordering::SeqCst) == 1).then_some(())
    })
    .await;
    assert_eq!(harness.stream_messages(stream::DEAD).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_because_something_was_away_has_all_its_own_tries_left() {
    const AWAY: usize = kit::MOST_FAILURES as usize + 1;
    let harness = Harness::start().await;
    let seen = Arc::new(Seen::default());
    // The handler first reports an unreachable dependency more often than a message may fail by its
    // own fault. Then it fails once by its own fault.
    let table = Events::new(Service::Timetrack).on(
        async |seen: Arc<Seen>, _: kit::Delivery, event: EmployeeChanged| match seen
            .calls
            .fetch_add(1, Ordering::SeqCst)
        {
            0 => {
                let source = std::io::Error::other("a mail server is away").into();
                Err(Error::Later { after: Duration::from_millis(10), source })
            }
            1..AWAY => Err(contracts::Failure::new(contracts::Code::Unavailable, "Away.").into()),
            AWAY => Err(Error::Other(std::io::Error::other("it fails by itself").into())),
            _ => {
                seen.versions.lock().unwrap().push(event.0.version);
                Ok(Vec::new())
            }
        },
    );
    harness.provision(&Needs::of(Service::Timetrack).consumer(table.pull())).await;
    table.consume(seen.clone(), harness.bus(), &Shutdown::new()).await.unwrap();
    harness.publish(&changed(1)).await;
    eventually_within(Duration::from_secs(90), "it is applied", async || {
        (*seen.versions.lock().unwrap() == [1]).then_some(())
    })
    .await;
    harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    assert_eq!(seen.calls.load(Ordering::SeqCst), AWAY + 2);
    assert_eq!(harness.stream_messages(stream::DEAD).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn consuming_goes_on_after_nats_was_away() {
    let mut harness = Harness::start().await;
    let seen = Arc::new(Seen::default());
    consume(&harness, &seen).await;
    harness.publish(&changed(1)).await;
    eventually("the first", async || (seen.versions.lock().unwrap().len() == 1).then_some(())).await;
    harness.nats.kill().await;
    harness.nats.start_again().await.unwrap();
    let second = changed(2);
    eventually("the second is taken", async || harness.bus().publish_event(kit::new_id(), &second).await.ok()).await;
    eventually_within(Duration::from_secs(40), "the second is applied", async || {
        seen.versions.lock().unwrap().contains(&2).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_fetched_before_a_stop_goes_to_somebody_else_at_once() {
    let harness = Harness::start().await;
    let pull = table().pull();
    harness.provision(&Needs::of(Service::Timetrack).consumer(pull.clone())).await;
    // With the long `ack_wait`, the server redelivers no message by itself while this test runs.
    let slow = async_nats::jetstream::consumer::pull::Config { ack_wait: Duration::from_secs(600), ..pull.config() };
    harness.bus().jetstream.create_consumer_on_stream(slow, stream::EVENTS).await.unwrap();
    for version in 1..=20 {
        harness.publish(&changed(version)).await;
    }
    let (mut stopping, mut other) =
        (Puller::new(harness.bus().clone(), pull.clone()), Puller::new(harness.bus().clone(), pull));
    let (stop, on) = (Shutdown::new(), Shutdown::new());
    // The puller returns one message, but has fetched the others too.
    let first = stopping.next(1, &stop).await.unwrap();
    first[0].ack().await.unwrap();
    eventually("all are fetched", async || {
        let stream = harness.bus().jetstream.get_stream(stream::EVENTS).await.ok()?;
        (stream.consumer_info(Service::Timetrack.name()).await.ok()?.num_pending == 0).then_some(())
    })
    .await;
    stop.stop();
    assert!(stopping.next(1, &stop).await.is_none());
    let others = async {
        let mut taken = 0;
        while taken < 19 {
            taken += other.next(20, &on).await.unwrap().len();
        }
        taken
    };
    assert_eq!(tokio::time::timeout(Duration::from_secs(60), others).await.expect("they come at once"), 19);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_work_is_delivered_once_and_what_waits_behind_it_too() {
    /// More events than one process works on at the same time.
    const EVENTS: usize = 40;
    let harness = Harness::start().await;
    let seen = Arc::new(Seen::default());
    let slow = Events::new(Service::Timetrack).on(async |seen: Arc<Seen>, _: kit::Delivery, _: EmployeeChanged| {
        seen.calls.fetch_add(1, Ordering::SeqCst);
        // Longer than the server waits for an acknowledgement.
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok(Vec::new())
    });
    harness.provision(&Needs::of(Service::Timetrack).consumer(slow.pull())).await;
    slow.consume(seen.clone(), harness.bus(), &Shutdown::new()).await.unwrap();
    for version in 0..EVENTS {
        harness.publish(&changed(version as i64)).await;
    }
    eventually_within(Duration::from_secs(60), "all are applied", async || {
        let stream = harness.bus().jetstream.get_stream(stream::EVENTS).await.ok()?;
        let info = stream.consumer_info(Service::Timetrack.name()).await.ok()?;
        (info.num_pending == 0 && info.num_ack_pending == 0).then_some(())
    })
    .await;
    assert_eq!(seen.calls.load(Ordering::SeqCst), EVENTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_took_who_died_comes_to_another() {
    let harness = Harness::start().await;
    let seen = Arc::new(Seen::default());
    harness.provision(&Needs::of(Service::Timetrack).consumer(table().pull())).await;
    harness.publish(&changed(1)).await;
    let on = Shutdown::new();
    let mut dead = Puller::new(harness.bus().clone(), table().pull());
    assert_eq!(dead.next(1, &on).await.unwrap().len(), 1);
    drop(dead);
    table().consume(seen.clone(), harness.bus(), &on).await.unwrap();
    eventually_within(Duration::from_secs(20), "it comes again", async || {
        (*seen.versions.lock().unwrap() == [1]).then_some(())
    })
    .await;
}
