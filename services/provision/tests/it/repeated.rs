use async_nats::jetstream::{consumer::PullConsumer, stream::RetentionPolicy};
use bson::doc;
use contracts::{INGEST_BATCHES, INGEST_BATCHES_CONSUMER, INGEST_WINDOWS, Service, stream};
use kit::{Needs, Pull, mongo::unique};
use provisioning::Bounds;
use testkit::Harness;

async fn lines(harness: &Harness, bounds: &Bounds) -> Vec<String> {
    harness.plan(bounds, &provision::needs()).await.lines()
}

#[tokio::test(flavor = "multi_thread")]
async fn provisioning_again_changes_nothing() {
    let harness = Harness::start().await;
    let first = harness.plan(&Bounds::default(), &provision::needs()).await;
    assert!(first.lines().contains(&"consumer directory of EVENTS: create".to_owned()), "{:?}", first.lines());
    first.apply().await.unwrap();
    assert_eq!(lines(&harness, &Bounds::default()).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_changed_is_changed() {
    let harness = Harness::start().await;
    harness.plan(&Bounds::default(), &provision::needs()).await.apply().await.unwrap();
    let bounds = Bounds { events_max_bytes: 8 << 30, events_max_age_days: 3, ..Bounds::default() };
    let mut consumer: PullConsumer =
        harness.bus().jetstream.get_consumer_from_stream("timetrack", stream::INGEST).await.unwrap();
    let mut config = timetrack::needs().consumers[0].config();
    config.max_ack_pending = 7;
    harness.bus().jetstream.create_consumer_on_stream(config, stream::INGEST).await.unwrap();
    let plan = harness.plan(&bounds, &provision::needs()).await;
    assert_eq!(
        plan.lines(),
        [
            "stream EVENTS: max_bytes from 4294967296 to 8589934592, max_age from 604800s to 259200s",
            "consumer timetrack of INGEST: max_ack_pending from 7 to 10000",
        ]
    );
    plan.apply().await.unwrap();
    assert_eq!(lines(&harness, &bounds).await, Vec::<String>::new());
    assert_eq!(consumer.info().await.unwrap().config.max_ack_pending, 10_000);
    let mut events = harness.bus().jetstream.get_stream(stream::EVENTS).await.unwrap();
    assert_eq!(events.info().await.unwrap().config.max_bytes, 8 << 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_of_before_gets_its_second_consumer_and_keeps_what_waits_in_it() {
    let harness = Harness::start().await;
    let jetstream = &harness.bus().jetstream;
    // In earlier versions, one consumer got all subjects of the stream INGEST.
    let one = Pull { filters: Vec::new(), ..timetrack::needs().consumers[0].clone() };
    jetstream.create_consumer_on_stream(one.config(), stream::INGEST).await.unwrap();
    for subject in [INGEST_WINDOWS, INGEST_BATCHES] {
        jetstream.publish(subject, "x".into()).await.unwrap().await.unwrap();
    }
    harness.plan(&Bounds::default(), &provision::needs()).await.apply().await.unwrap();
    assert_eq!(lines(&harness, &Bounds::default()).await, Vec::<String>::new());
    for consumer in ["timetrack", INGEST_BATCHES_CONSUMER] {
        let consumer: PullConsumer = jetstream.get_consumer_from_stream(consumer, stream::INGEST).await.unwrap();
        assert_eq!(consumer.cached_info().num_pending, 1, "each has its message");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_lose_data_is_refused_with_a_sentence_and_nothing_is_changed() {
    let harness = Harness::start().await;
    for n in 0..3 {
        let subject = format!("evt.projects.v1.thing.{n}.changed");
        let payload = vec![b'x'; 900_000].into();
        harness.bus().jetstream.publish(subject, payload).await.unwrap().await.unwrap();
    }
    let bounds = Bounds { events_max_bytes: 2 << 20, ingest_max_bytes: 2 << 20, ..Bounds::default() };
    let plan = harness.plan(&bounds, &[]).await;
    let error = plan.apply().await.unwrap_err().to_string();
    assert!(error.contains("the stream EVENTS holds") && error.contains("more than the 2097152"), "{error}");
    assert_eq!(harness.stream_messages(stream::EVENTS).await, 3);
    let mut ingest = harness.bus().jetstream.get_stream(stream::INGEST).await.unwrap();
    assert_eq!(ingest.info().await.unwrap().config.max_bytes, 1 << 30, "not even what could be");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_or_an_index_of_another_kind_is_refused() {
    let harness = Harness::start().await;
    let jetstream = &harness.bus().jetstream;
    let mut config = jetstream.get_stream(stream::INGEST).await.unwrap().cached_info().config.clone();
    jetstream.delete_stream(stream::INGEST).await.unwrap();
    config.retention = RetentionPolicy::Limits;
    config.subjects.push("old.>".into());
    jetstream.create_stream(config).await.unwrap();
    jetstream.publish("old.1", "x".into()).await.unwrap().await.unwrap();
    let needs = |index| Needs::of(Service::Mailer).collections([("notes", vec![index])]);
    harness.provision_only(&needs(kit::mongo::index(doc! { "a": 1 }))).await;
    let refused = harness.plan(&Bounds::default(), &[needs(unique(doc! { "a": 1 }))]).await.lines();
    for part in ["INGEST keeps messages by Limits, not by WorkQueue", "INGEST holds messages on old.>", "index a_1 of"]
    {
        assert!(refused.iter().any(|line| line.starts_with("refused:") && line.contains(part)), "{part}: {refused:?}");
    }
}
