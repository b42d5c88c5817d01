//! The streams and buckets, with their settings.

use std::time::Duration;

use anyhow::Context;
use async_nats::jetstream::{
    Context as JetStream, kv,
    stream::{Config, DiscardPolicy, RetentionPolicy},
};
use contracts::stream;

use crate::Bus;

const GIB: i64 = 1 << 30;
const DAY: Duration = Duration::from_secs(24 * 3600);

fn streams() -> [Config; 3] {
    [
        Config {
            name: stream::EVENTS.into(),
            subjects: vec![stream::EVENTS_SUBJECTS.into()],
            description: Some("What happened: aggregates with their versions".into()),
            max_age: 7 * DAY,
            max_bytes: 4 * GIB,
            allow_direct: true,
            duplicate_window: Duration::from_secs(120),
            ..Default::default()
        },
        Config {
            name: stream::INGEST.into(),
            subjects: vec![stream::INGEST_SUBJECTS.into()],
            description: Some("Windows on their way from the desktop apps".into()),
            retention: RetentionPolicy::WorkQueue,
            // What is accepted is never dropped to make room: the sender is told instead.
            discard: DiscardPolicy::New,
            max_bytes: GIB,
            duplicate_window: Duration::from_secs(120),
            ..Default::default()
        },
        Config {
            name: stream::DEAD.into(),
            subjects: vec![stream::DEAD_SUBJECTS.into()],
            description: Some("Messages that no consumer could take, with the reason".into()),
            discard: DiscardPolicy::New,
            max_bytes: GIB,
            allow_direct: true,
            ..Default::default()
        },
    ]
}

/// Makes the streams that are not there; leaves those that are.
///
/// # Errors
/// When JetStream is not there or refuses.
pub async fn provision_streams(bus: &Bus) -> anyhow::Result<()> {
    for config in streams() {
        let name = config.name.clone();
        bus.jetstream.get_or_create_stream(config).await.with_context(|| format!("cannot make the stream {name}"))?;
    }
    open_revocations(&bus.jetstream).await?;
    Ok(())
}

/// Opens the bucket of revocations, and makes it if it is not there.
///
/// # Errors
/// When JetStream is not there or refuses.
pub async fn open_revocations(jetstream: &JetStream) -> anyhow::Result<kv::Store> {
    if let Ok(store) = jetstream.get_key_value(stream::REVOCATIONS).await {
        return Ok(store);
    }
    let config = kv::Config {
        bucket: stream::REVOCATIONS.into(),
        description: "Employees whose older tokens are over".into(),
        history: 1,
        ..Default::default()
    };
    jetstream.create_key_value(config).await.context("cannot make the bucket of revocations")
}
