use std::time::Duration;

use bson::doc;
use contracts::stream;
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use crate::{Bus, Database, Deps, Error, Shape, Shutdown, endpoints::ChainLine};

/// How often it is looked whether events were missed: after a look, what is purged before the next one
/// may be taken for missed although it was seen.
pub(crate) const LOOK: Duration = Duration::from_secs(2);

/// Up to which place in EVENTS a service has applied everything of its own, as it has last looked.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    #[serde(rename = "_id")]
    stream: String,
    place: i64,
}

/// What EVENTS has forgotten and a service may not have seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gap {
    /// Up to where everything was seen; nothing where that was never written down.
    pub(crate) seen: Option<i64>,
    /// The first place that EVENTS still has.
    pub(crate) first: i64,
}

/// How the consumer of EVENTS, which all replicas share, stands.
struct Stand {
    /// Everything up to this place is applied. The server moves it past what is purged.
    applied: i64,
    /// Whether nothing waits and nothing is in hand.
    is_idle: bool,
}

/// Finds out whether EVENTS has forgotten what a service has not seen.
///
/// Neither the stream nor the consumer tells: so the service keeps a mark in its own database. One whose
/// database is new while its consumer is not has missed everything.
#[derive(Debug)]
pub(crate) struct Gaps {
    bus: Bus,
    marks: Collection<Mark>,
}

impl Gaps {
    pub(crate) fn new(deps: &Deps, db: &Database) -> Self {
        Self { bus: deps.bus.clone(), marks: db.collection("event_marks") }
    }

    /// Looks for a gap, and moves the mark on where there is none.
    pub(crate) async fn look(&self) -> Result<Option<Gap>, Error> {
        // In this order: what the stream held before the consumer was idle is applied, unless it was
        // forgotten by the end.
        let (_, last) = self.ends().await?;
        let stand = self.stand().await?;
        let (first, newest) = self.ends().await?;
        let seen = self.marks.find_one(doc! { "_id": stream::EVENTS }).await?.map(|mark| mark.place);
        let is_gap = match seen {
            Some(seen) => first > seen + 1 || newest < seen,
            None => first > 1 || stand.applied > 0,
        };
        if is_gap {
            return Ok(Some(Gap { seen, first }));
        }
        let applied = stand.applied.max(if stand.is_idle { last } else { 0 });
        if seen.is_none_or(|seen| seen < applied) {
            let higher = doc! { "$max": { "place": applied } };
            self.marks.update_one(doc! { "_id": stream::EVENTS }, higher).upsert(true).await?;
        }
        Ok(None)
    }

    /// Marks that the gap is made up for, unless somebody else has.
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

    /// The last place of the stream.
    pub(crate) async fn last(&self) -> Result<i64, Error> {
        Ok(self.ends().await?.1)
    }

    /// Whether everything of ours up to this place is applied.
    pub(crate) async fn is_applied(&self, place: i64) -> Result<bool, Error> {
        let stand = self.stand().await?;
        Ok(stand.is_idle || stand.applied >= place)
    }

    /// The first place of the stream that is still there, and the last.
    async fn ends(&self) -> Result<(i64, i64), Error> {
        let events = self.bus.jetstream.get_stream(stream::EVENTS).await.map_err(nats)?;
        let state = &events.cached_info().state;
        Ok((state.first_sequence as i64, state.last_sequence as i64))
    }

    async fn stand(&self) -> Result<Stand, Error> {
        let events = self.bus.jetstream.get_stream_no_info(stream::EVENTS).await.map_err(nats)?;
        let consumer = events.consumer_info(self.bus.service().name()).await.map_err(nats)?;
        Ok(Stand {
            applied: consumer.ack_floor.stream_sequence as i64,
            is_idle: consumer.num_pending == 0 && consumer.num_ack_pending == 0,
        })
    }
}

fn nats(error: impl Into<async_nats::Error>) -> Error {
    Error::Nats(error.into())
}

/// The collection that a service needs to notice gaps.
pub fn gaps_shape() -> Shape {
    ("event_marks", Vec::new())
}

/// Counts and tells of gaps until shutdown, for a service that has nobody to ask for what it missed.
/// The first look comes before anything is consumed.
pub async fn tell_gaps(deps: &Deps, db: &Database, shutdown: &Shutdown) {
    let gaps = Gaps::new(deps, db);
    let counter = counter(deps);
    let look = async move || match gaps.look().await {
        Ok(None) => {}
        Ok(Some(gap)) => match gaps.close(gap).await {
            Ok(()) => {
                counter.inc();
                tracing::error!(seen = gap.seen, first = gap.first, "EVENTS has forgotten what was not seen here");
            }
            Err(error) => unknown(error),
        },
        Err(error) => unknown(error),
    };
    look().await;
    let stop = shutdown.clone();
    shutdown.spawn(async move {
        while !stop.is_stopping() {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.stopping() => {}
            }
            look().await;
        }
    });
}

/// How often a gap was found.
pub(crate) fn counter(deps: &Deps) -> crate::metrics::Counter {
    deps.bus.metrics().counter("t3_events_gaps", "How often EVENTS had forgotten what was not seen here")
}

/// It is not known whether there is a gap.
pub(crate) fn unknown(error: Error) {
    let error = anyhow::Error::from(error);
    tracing::warn!(error = %error.chain_line(), "it is not known whether events were missed");
}
