use std::time::Duration;

use bson::doc;
use contracts::stream;
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use crate::{Bus, Database, Deps, Error, Shape, Shutdown, endpoints::ChainLine};

/// How often a service checks for missed events. Events that are purged between two checks may
/// count as missed although they were processed.
pub(crate) const CHECK_EVERY: Duration = Duration::from_secs(2);

/// The mark of a service: the last sequence number of EVENTS up to which the service had processed
/// everything at the last check.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    #[serde(rename = "_id")]
    stream: String,
    place: i64,
}

/// A range of EVENTS that was purged and that the service may not have processed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gap {
    /// The service's mark. None if the service has no mark yet.
    pub(crate) seen: Option<i64>,
    /// The first sequence number that EVENTS still has.
    pub(crate) first: i64,
}

/// The state of the service's consumer of EVENTS, which all its replicas share.
struct ConsumerState {
    /// The service has acknowledged all messages up to this sequence number. The server counts
    /// purged messages as acknowledged.
    applied: i64,
    /// Whether no message waits for its delivery or for its acknowledgement.
    is_idle: bool,
}

/// Detects events that were purged from EVENTS before the service processed them.
///
/// Neither the stream nor the consumer shows this, so the service stores a mark in its own
/// database. If the consumer is old and the database has no mark, the database is new: it lacks all
/// earlier events.
#[derive(Debug)]
pub(crate) struct Gaps {
    bus: Bus,
    marks: Collection<Mark>,
}

impl Gaps {
    pub(crate) fn new(deps: &Deps, db: &Database) -> Self {
        Self { bus: deps.bus.clone(), marks: db.collection("event_marks") }
    }

    /// Checks for a gap. Moves the mark forward when there is no gap.
    pub(crate) async fn check(&self) -> Result<Option<Gap>, Error> {
        // The order matters. A consumer that is idle now has processed every message that the
        // stream had at the first reading, except messages that were purged before the second
        // reading.
        let (_, last) = self.ends().await?;
        let consumer = self.consumer_state().await?;
        let (first, newest) = self.ends().await?;
        let seen = self.marks.find_one(doc! { "_id": stream::EVENTS }).await?.map(|mark| mark.place);
        let is_gap = match seen {
            Some(seen) => first > seen + 1 || newest < seen,
            None => first > 1 || consumer.applied > 0,
        };
        if is_gap {
            return Ok(Some(Gap { seen, first }));
        }
        let applied = consumer.applied.max(if consumer.is_idle { last } else { 0 });
        if seen.is_none_or(|seen| seen < applied) {
            let higher = doc! { "$max": { "place": applied } };
            self.marks.update_one(doc! { "_id": stream::EVENTS }, higher).upsert(true).await?;
        }
        Ok(None)
    }

    /// Moves the mark past a gap that has been repaired or counted, unless another replica has
    /// already moved it.
    pub(crate) async fn close(&self, gap: Gap) -> Result<(), Error> {
        let place = gap.first - 1;
        match gap.seen {
            Some(seen) => {
                let as_seen = doc! { "_id": stream::EVENTS, "place": seen };
                self.marks.update_one(as_seen, doc! { "$set": { "place": place } }).await?;
            }
            None => {
                let new = doc! { "$setOnInsert": { "place": place } };
                self.marks.update_one(doc! { "_id": stream::EVENTS }, new).upsert(true).await?;
            }
        }
        Ok(())
    }

    /// The last sequence number of EVENTS.
    pub(crate) async fn last(&self) -> Result<i64, Error> {
        Ok(self.ends().await?.1)
    }

    /// Whether the service has processed all its events up to this sequence number.
    pub(crate) async fn is_applied(&self, place: i64) -> Result<bool, Error> {
        let consumer = self.consumer_state().await?;
        Ok(consumer.is_idle || consumer.applied >= place)
    }

    /// The first and the last sequence number of EVENTS.
    async fn ends(&self) -> Result<(i64, i64), Error> {
        let events = self.bus.jetstream.get_stream(stream::EVENTS).await.map_err(nats)?;
        let state = &events.cached_info().state;
        Ok((state.first_sequence as i64, state.last_sequence as i64))
    }

    async fn consumer_state(&self) -> Result<ConsumerState, Error> {
        let events = self.bus.jetstream.get_stream_no_info(stream::EVENTS).await.map_err(nats)?;
        let consumer = events.consumer_info(self.bus.service().name()).await.map_err(nats)?;
        Ok(ConsumerState {
            applied: consumer.ack_floor.stream_sequence as i64,
            is_idle: consumer.num_pending == 0 && consumer.num_ack_pending == 0,
        })
    }
}

fn nats(error: impl Into<async_nats::Error>) -> Error {
    Error::Nats(error.into())
}

/// The collection in which a service stores its mark.
pub fn gaps_shape() -> Shape {
    ("event_marks", Vec::new())
}

/// Checks for gaps until shutdown. Counts and logs each gap, and then moves the mark past it. For a
/// service without copies of other services' data, which cannot repair a gap by a comparison. The
/// first check has ended when this function returns, so call it before events are consumed.
pub async fn watch_gaps(deps: &Deps, db: &Database, shutdown: &Shutdown) {
    let gaps = Gaps::new(deps, db);
    let counter = counter(deps);
    let check = async move || match gaps.check().await {
        Ok(None) => {}
        Ok(Some(gap)) => match gaps.close(gap).await {
            Ok(()) => {
                counter.inc();
                tracing::error!(seen = gap.seen, first = gap.first, "EVENTS has forgotten what was not seen here");
            }
            Err(error) => log_failed_check(error),
        },
        Err(error) => log_failed_check(error),
    };
    check().await;
    let stop = shutdown.clone();
    shutdown.spawn(async move {
        while !stop.is_stopping() {
            tokio::select! {
                () = tokio::time::sleep(CHECK_EVERY) => {}
                () = stop.stopping() => {}
            }
            check().await;
        }
    });
}

/// Registers the metric that counts gaps.
pub(crate) fn counter(deps: &Deps) -> crate::metrics::Counter {
    deps.bus.metrics().counter("t3_events_gaps", "How often EVENTS had forgotten what was not seen here")
}

/// Logs that a check for missed events has failed.
pub(crate) fn log_failed_check(error: Error) {
    let error = anyhow::Error::from(error);
    tracing::warn!(error = %error.chain_line(), "it is not known whether events were missed");
}
