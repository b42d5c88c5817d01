use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use async_nats::jetstream::{AckKind, Message};
use contracts::{Event, Service, WindowFact, WindowsRecorded, stream};
use futures::future::try_join;
use kit::{Delivery, Error, InHand, Pull, Puller, Shutdown};
use tracing::{Instrument, Span, field::Empty, info_span};

use super::recount::{recount, seen};
use crate::{
    App,
    domain::{Place, Touched, is_sound},
};

/// The most events of a batch. Each event has at most [`contracts::WINDOWS_AN_EVENT`] windows.
const MOST_A_ROUND: usize = 32;
/// How long pulling pauses, and redelivery is delayed, when a dependency cannot be reached.
const PAUSE: Duration = Duration::from_secs(1);

/// An event of the batch that is being counted.
struct Taken {
    message: Message,
    delivery: Delivery,
    facts: Vec<WindowFact>,
}

/// The durable consumer of `windows.recorded` events, which all replicas share.
pub(crate) fn pull() -> Pull {
    Pull {
        stream: stream::EVENTS,
        durable: Service::Analytics.name(),
        filters: vec![WindowsRecorded::filter()],
        max_ack_pending: 1_000,
        prefetch: MOST_A_ROUND,
    }
}

/// Opens the consumer, and returns. A background task then counts recorded windows until shutdown.
///
/// All waiting events, up to [`MOST_A_ROUND`], are counted together, so that a day is recomputed
/// once for all its new windows. The more events wait, the less work each window causes.
///
/// # Errors
/// When JetStream cannot be reached, or refuses.
pub(crate) async fn consume(app: Arc<App>, shutdown: &Shutdown) -> anyhow::Result<()> {
    let mut puller = Puller::new(app.bus.clone(), pull());
    puller.open().await?;
    puller.watch(shutdown);
    let stop = shutdown.clone();
    shutdown.spawn(async move {
        // The batches of one process never overlap: events that arrive during a batch belong to the
        // next one.
        while let Some(messages) = puller.next(MOST_A_ROUND, &stop).await {
            let begun = tokio::time::Instant::now();
            let span = info_span!("count", events = messages.len(), windows = Empty, trace_id = Empty);
            kit::continue_traces(&span, messages.iter().map(|message| message.headers.as_ref()));
            round(&app, messages).instrument(span).await;
            app.progress.rest(begun).await;
        }
    });
    Ok(())
}

async fn round(app: &App, messages: Vec<Message>) {
    let started = Instant::now();
    let in_hand = InHand::hold(&app.bus, &messages);
    let mut taken = Vec::with_capacity(messages.len());
    for message in messages {
        match read(&message) {
            Ok((delivery, facts)) => taken.push(Taken { message, delivery, facts }),
            Err(reason) => settle(kit::bury(&app.bus, &message, &format!("{reason:#}")).await),
        }
    }
    let facts: Vec<WindowFact> = taken.iter().flat_map(|one| one.facts.iter().cloned()).collect();
    Span::current().record("windows", facts.len());
    app.metrics.together.observe(facts.len() as f64);
    match count(app, facts).await {
        Ok(()) => {
            kit::failpoint("before_ack");
            for one in &taken {
                one.done(app).await;
            }
            app.metrics.took.observe(started.elapsed().as_secs_f64());
        }
        Err(error) if error.is_away() => {
            tracing::warn!(error = %line(error), "nothing can be counted; the events come again");
            drop(in_hand);
            for one in &taken {
                one.again(PAUSE).await;
            }
            // Without this pause, pulling and failing would repeat at once for as long as the
            // dependency is down.
            tokio::time::sleep(PAUSE).await;
        }
        // Counts the events one by one, so that one event that always fails does not stop the
        // others.
        Err(_) => {
            for one in taken {
                alone(app, one, &in_hand).await;
            }
        }
    }
}

async fn alone(app: &App, mut one: Taken, in_hand: &InHand) {
    let error = match count(app, std::mem::take(&mut one.facts)).await {
        Ok(()) => return one.done(app).await,
        Err(error) => error,
    };
    let delay = if error.is_away() { Some(PAUSE) } else { app.failures.again(&one.message) };
    let (error, deliveries) = (line(error), one.delivery.deliveries);
    let Some(delay) = delay else { return settle(kit::bury(&app.bus, &one.message, &error).await) };
    tracing::warn!(error, deliveries, "an event is not counted; it comes again");
    in_hand.let_go(&one.message);
    one.again(delay).await;
}

/// Stores facts, then recomputes everything that they can have changed. The sums of facts that are
/// already stored are recomputed too, because the process that stored them may have stopped before
/// it recomputed the sums.
///
/// While the facts are stored, the documents that they will most likely change are read.
pub(super) async fn count(app: &App, facts: Vec<WindowFact>) -> Result<(), Error> {
    let expected = Touched::by(facts.iter().map(Place::of));
    let (places, seen) = try_join(app.store.facts.take(facts), seen(app, &expected)).await?;
    kit::failpoint("inserted");
    let touched = Touched::by(places);
    let seen = (touched == expected).then_some(seen);
    recount(app, touched, seen).await
}

fn read(message: &Message) -> anyhow::Result<(Delivery, Vec<WindowFact>)> {
    let delivery = Delivery::read(message).context("has no id")?;
    let payload = kit::decompressed(&message.payload, message.headers.as_ref()).context("cannot be read")?;
    let event: WindowsRecorded = serde_json::from_slice(&payload).context("cannot be read")?;
    if !event.windows.iter().all(is_sound) {
        bail!("holds a window that is empty or longer than 24 hours");
    }
    Ok((delivery, event.windows))
}

impl Taken {
    /// Acknowledges the event. This may happen only after its windows are counted, because reports
    /// take the acknowledgement floor as the position up to which every window is counted.
    async fn done(&self, app: &App) {
        app.failures.forget(&self.message);
        self.delivery.report(&app.bus, Vec::new()).await;
        settle(self.message.ack().await.map_err(Error::Nats));
        if let Some(age) = kit::metrics::age(&self.message) {
            app.metrics.delay.observe(age);
        }
    }

    async fn again(&self, after: Duration) {
        settle(self.message.ack_with(AckKind::Nak(Some(after))).await.map_err(Error::Nats));
    }
}

/// Logs a failed acknowledgement, which is harmless: the message is redelivered.
fn settle(outcome: Result<(), Error>) {
    if let Err(error) = outcome {
        tracing::warn!(error = %line(error), "not acknowledged; it comes again");
    }
}

fn line(error: Error) -> String {
    format!("{:#}", anyhow::Error::from(error))
}
