use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::{
    header::NATS_MESSAGE_ID,
    jetstream::{AckKind, Message},
};
use bytes::Bytes;
use contracts::{Actor, Applied, Awaited, Event, EventId, Service, header, stream};
use futures::{FutureExt, future::BoxFuture};
use tokio::sync::Semaphore;
use tracing::{Instrument, field::Empty, info_span};

use crate::{Bus, Error, InHand, Origin, OwnFailures, Pull, Puller, Shutdown, bury, endpoints::ChainLine, trace};

/// The most events that one service works on at the same time in one process. Each takes one of
/// this many permits.
const MOST_IN_HAND: usize = 32;
/// The delay of a redelivery when a dependency is unreachable. The event keeps its permit for the
/// same time, so that fewer events are pulled.
const PAUSE: Duration = Duration::from_secs(1);

/// The metadata of an event as a handler receives it.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The id of the event.
    pub id: EventId,
    /// The inbox to which consumers report that they have applied the event. The handler that has
    /// made the change waits for these reports. Events that this event causes carry the same inbox.
    pub applied_to: Option<String>,
    /// How often the event was delivered, this time included.
    pub deliveries: i64,
}

impl Delivery {
    /// Reads the metadata from the headers of a message.
    ///
    /// # Errors
    /// When the message has no id, or did not come from a stream.
    pub fn read(message: &Message) -> anyhow::Result<Self> {
        let header =
            |name: &str| message.headers.as_ref().and_then(|headers| headers.get(name)).map(|value| value.as_str());
        let id = header(NATS_MESSAGE_ID.as_ref()).unwrap_or_default().parse()?;
        let info = message.info().map_err(anyhow::Error::from_boxed)?;
        let applied_to = header(header::APPLIED_TO).map(str::to_owned);
        Ok(Self { id, applied_to, deliveries: info.delivered })
    }

    /// The metadata of an event that the service creates for itself. Such an event is in no stream,
    /// and nobody waits for a report about it.
    pub fn internal(id: EventId) -> Self {
        Self { id, applied_to: None, deliveries: 1 }
    }

    /// Reports that this service has applied the event, to the handler that waits for this.
    /// `caused` names the awaited events that this service has committed because of it.
    pub async fn report(&self, bus: &Bus, caused: Vec<Awaited>) {
        let Some(inbox) = &self.applied_to else { return };
        let applied = Applied { event: self.id, by: bus.service(), caused };
        // An error is ignored: without the report, the handler only waits until its own time limit.
        let payload = serde_json::to_vec(&applied).unwrap_or_default();
        let _ = bus.client.publish(inbox.clone(), payload.into()).await;
    }
}

enum Verdict {
    Done(Vec<Awaited>),
    Undecodable(String),
    Failed(Error),
}

type Handler<S> = Arc<dyn Fn(Arc<S>, Delivery, Bytes) -> BoxFuture<'static, Verdict> + Send + Sync>;

/// The events that a service processes, each with its handler.
///
/// A handler returns the events that it caused (usually none). It can be called twice for the same
/// event, late, or out of order. It must produce the right state nevertheless, by comparing
/// versions. After an error the event is redelivered with a growing delay; after too many failures
/// (see [`OwnFailures`]) it is moved to DEAD. [`Error::Later`] sets the delay itself, and never
/// leads to DEAD.
pub struct Events<S> {
    service: Service,
    table: Vec<Line<S>>,
    failures: OwnFailures,
}

struct Line<S> {
    filter: String,
    /// The noun and the verb of the event, for the labels of metrics.
    kind: [&'static str; 2],
    handler: Handler<S>,
}

impl<S> fmt::Debug for Events<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.table.iter().map(|line| &line.filter)).finish()
    }
}

impl<S: Send + Sync + 'static> Events<S> {
    /// A table without events.
    pub fn new(service: Service) -> Self {
        Self { service, table: Vec::new(), failures: OwnFailures::default() }
    }

    /// Adds a handler for events of the type `E`.
    #[must_use]
    pub fn on<E, F, Fut>(mut self, handler: F) -> Self
    where
        E: Event,
        F: Fn(Arc<S>, Delivery, E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Vec<Awaited>, Error>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let erased: Handler<S> = Arc::new(move |state, delivery, payload| {
            let handler = handler.clone();
            async move {
                match serde_json::from_slice::<E>(&payload) {
                    Err(error) => Verdict::Undecodable(format!("cannot be read: {error}")),
                    Ok(event) => match handler(state, delivery, event).await {
                        Ok(caused) => Verdict::Done(caused),
                        Err(error) => Verdict::Failed(error),
                    },
                }
            }
            .boxed()
        });
        self.table.push(Line { filter: E::filter(), kind: [E::NOUN, E::VERB], handler: erased });
        self
    }

    /// The definition of the durable consumer that this table needs.
    pub fn pull(&self) -> Pull {
        Pull {
            stream: stream::EVENTS,
            durable: self.service.name(),
            filters: self.table.iter().map(|line| line.filter.clone()).collect(),
            max_ack_pending: 1_000,
            prefetch: 200,
        }
    }

    /// Starts a task that processes events until shutdown. Returns once the consumer is open.
    ///
    /// # Errors
    /// When the consumer cannot be opened.
    pub async fn consume(self, state: Arc<S>, bus: &Bus, shutdown: &Shutdown) -> anyhow::Result<()> {
        let mut puller = Puller::new(bus.clone(), self.pull());
        puller.open().await?;
        puller.watch(shutdown);
        let (bus, stop, table) = (bus.clone(), shutdown.clone(), Arc::new(self));
        shutdown.spawn(async move {
            let in_hand = Arc::new(Semaphore::new(MOST_IN_HAND));
            bus.metrics().places("events", in_hand.clone());
            // The permit is taken before the message. A message that waits for a permit must stay
            // with the puller: the puller prevents its redelivery.
            while let Ok(place) = in_hand.clone().acquire_owned().await {
                let Some(mut messages) = puller.next(1, &stop).await else { return };
                let Some(message) = messages.pop() else { continue };
                let (bus, table, state) = (bus.clone(), table.clone(), state.clone());
                stop.spawn(async move {
                    let span = info_span!("apply", subject = %message.subject, trace_id = Empty, request_id = Empty);
                    trace::continue_trace(&span, message.headers.as_ref());
                    table.apply(state, &bus, &message).instrument(span).await;
                    drop(place);
                });
            }
        });
        Ok(())
    }

    async fn apply(&self, state: Arc<S>, bus: &Bus, message: &Message) {
        let Ok(delivery) = Delivery::read(message) else {
            return settle(bury(bus, message, "has no id").await);
        };
        let line = self.table.iter().find(|line| matches_filter(&message.subject, &line.filter));
        let Some(Line { kind, handler, .. }) = line else {
            return self.unknown(bus, message).await;
        };
        let started = Instant::now();
        let took = |outcome| bus.metrics().common().applied.observe(*kind, outcome, started.elapsed());
        // The service is the actor of the changes that the handler makes, and the event is their
        // cause.
        let origin = Origin::read(message.headers.as_ref()).with_actor(Some(Actor::Service(bus.service())));
        let work = handler(state, delivery.clone(), message.payload.clone());
        let in_hand = InHand::hold(bus, std::slice::from_ref(message));
        let verdict = origin.with_cause(delivery.id).scope(work).await;
        // Stops the progress messages first: one that is sent after a negative acknowledgement
        // would cancel its delay.
        drop(in_hand);
        match verdict {
            Verdict::Done(caused) => {
                self.failures.forget(message);
                delivery.report(bus, caused).await;
                crate::failpoint("before_ack");
                settle(message.ack().await.map_err(Error::Nats));
                took("applied");
            }
            Verdict::Undecodable(reason) => {
                settle(bury(bus, message, &reason).await);
                took("dead");
            }
            Verdict::Failed(Error::Later { after, source }) => {
                tracing::warn!(error = %source.chain_line(), ?after, "not applied; it comes again");
                took("again");
                settle(message.ack_with(AckKind::Nak(Some(after))).await.map_err(Error::Nats));
            }
            Verdict::Failed(error) if error.is_away() => {
                took("again");
                again(error, &delivery);
                settle(message.ack_with(AckKind::Nak(Some(PAUSE))).await.map_err(Error::Nats));
                // Keeps the permit for a while. Once all permits are held, pulling pauses.
                tokio::time::sleep(PAUSE).await;
            }
            Verdict::Failed(error) => match self.failures.again(message) {
                Some(delay) => {
                    took("again");
                    again(error, &delivery);
                    settle(message.ack_with(AckKind::Nak(Some(delay))).await.map_err(Error::Nats));
                }
                None => {
                    let reason = anyhow::Error::from(error).chain_line();
                    settle(bury(bus, message, &reason).await);
                    took("dead");
                }
            },
        }
    }

    /// Handles an event that has no handler here. During a rolling upgrade an older replica can
    /// receive an event that only newer replicas know. So the event is redelivered for a while
    /// before it is moved to DEAD, and reaches a newer replica once one has started.
    async fn unknown(&self, bus: &Bus, message: &Message) {
        settle(match self.failures.unknown(message) {
            Some(delay) => message.ack_with(AckKind::Nak(Some(delay))).await.map_err(Error::Nats),
            None => bury(bus, message, "nobody here applies this").await,
        });
    }
}

fn again(error: Error, delivery: &Delivery) {
    tracing::warn!(
        error = %anyhow::Error::from(error).chain_line(),
        deliveries = delivery.deliveries, "not applied; it comes again"
    );
}

/// Logs a failed acknowledgement. The server redelivers the message in that case.
fn settle(outcome: Result<(), Error>) {
    if let Err(error) = outcome {
        tracing::warn!(error = %anyhow::Error::from(error).chain_line(), "not acknowledged; it comes again");
    }
}

/// Whether a subject matches the pattern `evt.<service>.v1.<noun>.*.<verb>`, where `*` matches any
/// one token.
fn matches_filter(subject: &str, filter: &str) -> bool {
    let (mut subject, mut filter) = (subject.split('.'), filter.split('.'));
    loop {
        match (subject.next(), filter.next()) {
            (None, None) => return true,
            (Some(_), Some("*")) => {}
            (Some(s), Some(f)) if s == f => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_word_of_a_subject() {
        assert!(matches_filter("evt.projects.v1.task.1.changed", "evt.projects.v1.task.*.changed"));
        assert!(!matches_filter("evt.projects.v1.task.1.2.changed", "evt.projects.v1.task.*.changed"));
        assert!(!matches_filter("evt.projects.v1.task.1.gone", "evt.projects.v1.task.*.changed"));
    }
}
