//! Plans the changes to the streams and the KV bucket, and to their settings.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use async_nats::jetstream::{
    Context as JetStream,
    context::GetStreamErrorKind,
    stream::{Compression, Config, DiscardPolicy, RetentionPolicy, State, StorageType},
};
use clap::Args;
use contracts::stream;
use futures::{TryStreamExt, future::try_join_all};

use crate::plan::{Plan, Step};

const DAY: Duration = Duration::from_secs(24 * 3600);
const MIB: i64 = 1 << 20;
const GIB: i64 = 1 << 30;

/// The limits of the streams, and the number of servers that store each stream.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Bounds {
    /// How many servers store each stream: 1, or 3 of a cluster.
    #[arg(long, env = "STREAM_REPLICAS", default_value_t = Self::default().stream_replicas, value_parser = clap::value_parser!(u16).range(1..=5))]
    pub stream_replicas: u16,
    /// The most bytes of all events; above this the oldest events are deleted.
    #[arg(long, env = "EVENTS_MAX_BYTES", default_value_t = Self::default().events_max_bytes, value_parser = clap::value_parser!(i64).range(MIB..))]
    pub events_max_bytes: i64,
    /// For how many days events are kept.
    #[arg(long, env = "EVENTS_MAX_AGE_DAYS", default_value_t = Self::default().events_max_age_days, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub events_max_age_days: u32,
    /// The most bytes of windows that wait to be recorded; above this new windows are refused until
    /// later.
    #[arg(long, env = "INGEST_MAX_BYTES", default_value_t = Self::default().ingest_max_bytes, value_parser = clap::value_parser!(i64).range(MIB..))]
    pub ingest_max_bytes: i64,
    /// The most bytes of messages that no consumer could process; above this such messages stay in
    /// their own streams and are delivered again.
    #[arg(long, env = "DEAD_MAX_BYTES", default_value_t = Self::default().dead_max_bytes, value_parser = clap::value_parser!(i64).range(MIB..))]
    pub dead_max_bytes: i64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            stream_replicas: 1,
            events_max_bytes: 4 * GIB,
            events_max_age_days: 7,
            ingest_max_bytes: GIB,
            dead_max_bytes: GIB,
        }
    }
}

fn wanted(bounds: &Bounds) -> [Config; 4] {
    let num_replicas = bounds.stream_replicas.into();
    [
        Config {
            name: stream::EVENTS.into(),
            subjects: vec![stream::EVENTS_SUBJECTS.into()],
            description: Some("What happened: aggregates with their versions".into()),
            max_age: DAY * bounds.events_max_age_days,
            max_bytes: bounds.events_max_bytes,
            // The compression S2 would save four fifths of the disk space. But after a kill, a
            // nats-server 2.15.1 in a cluster could not read what it had compressed itself, and
            // never caught up with the other servers.
            compression: Some(Compression::None),
            allow_direct: true,
            duplicate_window: Duration::from_secs(120),
            num_replicas,
            ..Default::default()
        },
        Config {
            name: stream::INGEST.into(),
            subjects: vec![stream::INGEST_SUBJECTS.into()],
            description: Some("Windows on their way from the desktop apps".into()),
            retention: RetentionPolicy::WorkQueue,
            // An accepted window must never be dropped to make room, so new windows are refused
            // instead.
            discard: DiscardPolicy::New,
            max_bytes: bounds.ingest_max_bytes,
            duplicate_window: Duration::from_secs(120),
            num_replicas,
            ..Default::default()
        },
        Config {
            name: stream::DEAD.into(),
            subjects: vec![stream::DEAD_SUBJECTS.into()],
            description: Some("Messages that no consumer could take, with the reason".into()),
            discard: DiscardPolicy::New,
            max_bytes: bounds.dead_max_bytes,
            allow_direct: true,
            duplicate_window: Duration::from_secs(120),
            num_replicas,
            ..Default::default()
        },
        // The KV bucket that gateways watch. JetStream stores a bucket as a stream with these
        // settings.
        Config {
            name: stream::REVOCATIONS_STREAM.into(),
            subjects: vec![stream::REVOCATIONS_SUBJECTS.into()],
            description: Some("Employees whose older tokens are over".into()),
            max_messages_per_subject: 1,
            discard: DiscardPolicy::New,
            max_bytes: 64 * MIB,
            allow_rollup: true,
            deny_delete: true,
            allow_direct: true,
            // The entries about ended sessions and the heartbeats of gateways have a TTL.
            allow_message_ttl: true,
            duplicate_window: Duration::from_secs(120),
            num_replicas,
            ..Default::default()
        },
    ]
}

/// Plans the changes to the streams.
pub(crate) async fn plan(jetstream: &JetStream, bounds: &Bounds) -> Result<Plan> {
    let plans = try_join_all(wanted(bounds).into_iter().map(|wanted| plan_one(jetstream, wanted))).await?;
    Ok(plans.into_iter().fold(Plan::default(), |mut all, plan| {
        all.add(plan);
        all
    }))
}

async fn plan_one(jetstream: &JetStream, wanted: Config) -> Result<Plan> {
    let (name, mut plan, context) = (wanted.name.clone(), Plan::default(), jetstream.clone());
    let mut found = match jetstream.get_stream(&name).await {
        Ok(found) => found,
        Err(error) if matches!(error.kind(), GetStreamErrorKind::JetStream(e) if e.code() == 404) => {
            plan.first.push(Step::new(format!("stream {name}: create"), async move {
                context.create_stream(wanted).await?;
                Ok(())
            }));
            return Ok(plan);
        }
        Err(error) => return Err(error).with_context(|| format!("cannot look at the stream {name}")),
    };
    let info = found.info().await.with_context(|| format!("cannot look at the stream {name}"))?.clone();
    plan.refused = losses(&info.config, &wanted, &info.state);
    for subject in info.config.subjects.iter().filter(|subject| !wanted.subjects.contains(subject)) {
        let mut held = found.info_with_subjects(subject).await?;
        if held.try_next().await?.is_some() {
            plan.refused.push(format!("the stream {name} holds messages on {subject}, which is no longer one of its subjects: replay or remove them first"));
        }
    }
    let (changed, says) = change(info.config, &wanted);
    if !says.is_empty() {
        plan.first.push(Step::new(format!("stream {name}: {}", says.join(", ")), async move {
            context.update_stream(changed).await?;
            Ok(())
        }));
    }
    Ok(plan)
}

/// What would be lost with the new settings, one sentence for each loss.
fn losses(found: &Config, wanted: &Config, state: &State) -> Vec<String> {
    let (name, mut lost) = (&wanted.name, Vec::new());
    if found.retention != wanted.retention {
        lost.push(format!(
            "the stream {name} keeps messages by {:?}, not by {:?}: that cannot be changed; empty the stream, delete it and run this again",
            found.retention, wanted.retention
        ));
    }
    if found.storage != StorageType::File {
        lost.push(format!("the stream {name} is kept in memory: empty it, delete it and run this again"));
    }
    let bounded = u64::try_from(wanted.max_bytes).unwrap_or(u64::MAX);
    if state.bytes > bounded {
        lost.push(format!(
            "the stream {name} holds {} bytes, more than the {bounded} it is to be bounded to: give it more, or wait until it holds less",
            state.bytes
        ));
    }
    let shorter = !wanted.max_age.is_zero() && (found.max_age.is_zero() || wanted.max_age < found.max_age);
    let oldest = SystemTime::from(state.first_timestamp);
    if shorter && state.messages > 0 && oldest.elapsed().is_ok_and(|age| age > wanted.max_age) {
        lost.push(format!(
            "the stream {name} holds messages that are older than {} days: keep them longer, or wait until they are gone",
            wanted.max_age.as_secs() / DAY.as_secs()
        ));
    }
    lost
}

/// The new configuration of a stream, and a description of the changes. Settings that this program
/// does not set stay as they are.
fn change(found: Config, wanted: &Config) -> (Config, Vec<String>) {
    let (mut changed, mut says) = (found, Vec::new());
    macro_rules! set {
        ($($field:ident),*) => {$(
            if changed.$field != wanted.$field {
                says.push(format!("{} from {:?} to {:?}", stringify!($field), changed.$field, wanted.$field));
                changed.$field = wanted.$field.clone();
            }
        )*};
    }
    set!(subjects, max_bytes, max_age, discard, duplicate_window, num_replicas);
    set!(allow_direct, allow_rollup, deny_delete, allow_message_ttl, description);
    // Where we set no compression, the server reports `None` as its value. The two mean the same.
    let compression = |config: &Config| config.compression.clone().unwrap_or(Compression::None);
    if compression(&changed) != compression(wanted) {
        says.push(format!("compression to {:?}", compression(wanted)));
        changed.compression.clone_from(&wanted.compression);
    }
    (changed, says)
}
