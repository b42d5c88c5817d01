//! The streams, consumers, collections and indexes that a service needs. The service waits until
//! they exist; `provision` creates them, with rights that no service has.

use std::{collections::HashSet, time::Duration};

use async_nats::jetstream::{
    consumer::{Config, pull},
    context::GetStreamErrorKind,
    stream::ConsumerErrorKind,
};
use contracts::{Service, stream};
use futures::future::join_all;
use mongodb::IndexModel;

use crate::{Deps, Error, Pull, Shutdown, mongo};

/// The first and the longest pause between two checks. The pause doubles after each check.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// The name and the indexes of a collection.
pub type Shape = (&'static str, Vec<IndexModel>);

/// Everything that must exist before a service can work.
#[derive(Clone, Debug)]
pub struct Needs {
    /// The service.
    pub service: Service,
    /// The streams that the service publishes to or whose state it reads.
    pub streams: Vec<&'static str>,
    /// The durable consumers that the service pulls from.
    pub consumers: Vec<Pull>,
    /// The collections of the service's own database.
    pub collections: Vec<Shape>,
}

impl Needs {
    /// The needs of a service, without anything yet.
    pub fn of(service: Service) -> Self {
        Self { service, streams: Vec::new(), consumers: Vec::new(), collections: Vec::new() }
    }

    /// Adds a stream.
    #[must_use]
    pub fn stream(mut self, name: &'static str) -> Self {
        self.streams.push(name);
        self
    }

    /// Adds a durable consumer, its stream, and the stream DEAD for messages that the service
    /// cannot process.
    #[must_use]
    pub fn consumer(mut self, pull: Pull) -> Self {
        self.streams.extend([pull.stream, stream::DEAD]);
        self.consumers.push(pull);
        self
    }

    /// Adds several durable consumers, which `provision` creates in this order.
    #[must_use]
    pub fn consumers(self, pulls: impl IntoIterator<Item = Pull>) -> Self {
        pulls.into_iter().fold(self, Self::consumer)
    }

    /// Adds collections.
    #[must_use]
    pub fn collections(mut self, collections: impl IntoIterator<Item = Shape>) -> Self {
        self.collections.extend(collections);
        self
    }

    /// Adds the collection of the outbox, and the stream that the outbox publishes to.
    #[must_use]
    pub fn outbox(self) -> Self {
        self.stream(stream::EVENTS).collections([("outbox", Vec::new())])
    }
}

impl Deps {
    /// Waits until everything that the service needs exists. Until then the service is not ready,
    /// and `/readyz` names what is missing. Returns false when the stop signal comes first.
    #[must_use = "where it is time to stop there is nothing to run on"]
    pub async fn until_provisioned(&self, needs: &Needs, shutdown: &Shutdown) -> bool {
        if !needs.collections.is_empty() {
            self.health.needs_mongo(self.mongo.clone());
        }
        let (mut pause, longest) = PAUSES;
        let mut warned_of = Vec::new();
        loop {
            let missing = self.missing(needs).await;
            self.health.waits_for(missing.clone());
            if missing.is_empty() {
                return true;
            }
            if missing != warned_of {
                tracing::warn!(?missing, "waiting for what `provision run` makes");
                warned_of = missing;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(longest),
                () = shutdown.stopping() => return false,
            }
        }
    }

    /// The names of everything that does not exist yet.
    async fn missing(&self, needs: &Needs) -> Vec<String> {
        let streams: HashSet<_> = needs.streams.iter().copied().collect();
        let streams = join_all(streams.into_iter().map(|name| self.missing_stream(name)));
        let consumers = join_all(needs.consumers.iter().map(|pull| self.missing_consumer(pull)));
        let (streams, consumers, collections) = tokio::join!(streams, consumers, self.missing_collections(needs));
        let mut missing: Vec<String> = streams.into_iter().chain(consumers).flatten().collect();
        missing.extend(collections.unwrap_or_else(|error| vec![format!("mongodb: {error}")]));
        missing.sort_unstable();
        missing
    }

    async fn missing_stream(&self, name: &str) -> Option<String> {
        let error = self.bus.jetstream.get_stream(name).await.err()?;
        Some(match error.kind() {
            GetStreamErrorKind::JetStream(error) if error.code() == 404 => format!("stream {name}"),
            _ => format!("stream {name}: {error}"),
        })
    }

    async fn missing_consumer(&self, pull: &Pull) -> Option<String> {
        let Pull { stream, durable, filters, .. } = pull;
        let name = format!("consumer {durable} of {stream}");
        let found = self.bus.jetstream.get_consumer_from_stream::<pull::Config, _, _>(*durable, *stream).await;
        match found {
            Ok(consumer) => {
                let received: Vec<&String> = filter_subjects(&consumer.cached_info().config);
                let others: Vec<_> = filters.iter().filter(|one| !received.contains(one)).map(String::as_str).collect();
                (!received.is_empty() && !others.is_empty()).then(|| format!("{name}, for {}", others.join(", ")))
            }
            Err(error) => Some(match error.kind() {
                ConsumerErrorKind::JetStream(error) if error.code() == 404 => name,
                _ => format!("{name}: {error}"),
            }),
        }
    }

    async fn missing_collections(&self, needs: &Needs) -> Result<Vec<String>, Error> {
        if needs.collections.is_empty() {
            return Ok(Vec::new());
        }
        let database = &self.mongo;
        let found: HashSet<String> = database.list_collection_names().await?.into_iter().collect();
        let mut missing = Vec::new();
        for (collection, indexes) in &needs.collections {
            if !found.contains(*collection) {
                missing.push(format!("collection {collection}"));
            } else if !indexes.is_empty() {
                let found = database.collection::<bson::Document>(collection).list_index_names().await?;
                let names = indexes.iter().filter_map(mongo::index_name);
                let names = names.filter(|name| !found.iter().any(|one| one == name));
                missing.extend(names.map(|name| format!("index {name} of {collection}")));
            }
        }
        Ok(missing)
    }
}

/// The subjects that a consumer receives. Empty if the consumer receives all subjects of its
/// stream.
pub fn filter_subjects<'a, C: FromIterator<&'a String>>(config: &'a Config) -> C {
    let one = std::iter::once(&config.filter_subject).filter(|subject| !subject.is_empty());
    one.chain(&config.filter_subjects).collect()
}
