use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{AckKind, Message};
use contracts::{Actor, Audited, Event, Service, stream};
use kit::{Error, Origin, Pull, Puller, Shutdown, bury};

use crate::{App, domain::Fact};

/// The most entries that are written together.
const MOST: usize = 500;
/// How long pulling pauses when MongoDB or NATS is away.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes entries from the stream, beside all other replicas, and hangs them on the chain.
#[derive(Debug)]
pub(crate) struct Recorder {
    app: Arc<App>,
}

impl Recorder {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// The durable consumer that this needs.
    pub(crate) fn pull() -> Pull {
        Pull {
            stream: stream::EVENTS,
            durable: Service::Audit.name(),
            filters: vec![Audited::filter()],
            max_ack_pending: 10_000,
            prefetch: MOST,
        }
    }

    /// Consumes until shutdown; returns once it does.
    pub(crate) async fn consume(self, shutdown: &Shutdown) -> anyhow::Result<()> {
        let mut puller = Puller::new(self.app.bus.clone(), Self::pull());
        puller.open().await?;
        puller.watch(shutdown);
        let stop = shutdown.clone();
        shutdown.spawn(async move {
            while let Some(messages) = puller.next(MOST, &stop).await {
                self.record(messages).await;
            }
        });
        Ok(())
    }

    /// Writes what some messages tell, and acknowledges them after that: a crash in between repeats
    /// what is known then.
    async fn record(&self, messages: Vec<Message>) {
        let mut told = Vec::with_capacity(messages.len());
        for message in messages {
            match fact(&message) {
                Ok(fact) => told.push((message, fact)),
                Err(reason) => settle(bury(&self.app.bus, &message, &reason).await),
            }
        }
        let facts = told.iter().map(|(_, fact)| fact.clone()).collect();
        match self.app.store.chain.record(facts).await {
            Ok(written) => {
                self.app.metrics.recorded(&written);
                for (message, _) in &told {
                    settle(message.ack().await.map_err(Error::Nats));
                }
            }
            Err(error) => {
                tracing::warn!(error = format!("{:#}", anyhow::Error::from(error)), "entries wait; they come again");
                for (message, _) in &told {
                    settle(message.ack_with(AckKind::Nak(Some(PAUSE))).await.map_err(Error::Nats));
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// What a message tells.
fn fact(message: &Message) -> Result<Fact, String> {
    let told: Audited = serde_json::from_slice(&message.payload).map_err(|error| format!("cannot be read: {error}"))?;
    let info = message.info().map_err(|error| format!("does not come from a stream: {error}"))?;
    let origin = Origin::read(message.headers.as_ref()).or_actor(Some(Actor::Service(told.service)));
    Ok(Fact {
        event: told.id,
        at: told.at,
        actor: origin.actor().map(|actor| actor.to_string()).unwrap_or_default(),
        action: told.action,
        subject_kind: told.subject.kind,
        subject_id: told.subject.id,
        request_id: origin.request_id,
        cause: origin.cause,
        address: told.address,
        changes: told.changes.map(|changes| changes.to_string()),
        stream_seq: info.stream_sequence as i64,
    })
}

/// What the server did not hear it will ask again: the message comes once more.
fn settle(outcome: Result<(), Error>) {
    if let Err(error) = outcome {
        tracing::warn!(error = format!("{:#}", anyhow::Error::from(error)), "not acknowledged; it comes again");
    }
}
