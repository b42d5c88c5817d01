//! What a service must find before it can work. It makes none of it: `provision` does, with rights
//! that no service has.

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

/// The pauses between two looks for what is missing grow from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// A collection as it must be: its name and its indexes.
pub type Shape = (&'static str, Vec<IndexModel>);

/// What must be there before a service can work.
#[derive(Clone, Debug)]
pub struct Needs {
    /// Who needs it.
    pub service: Service,
    /// The streams that it writes to or looks into.
    pub streams: Vec<&'static str>,
    /// Its durable consumers.
    pub consumers: Vec<Pull>,
    /// The collections of its own database, each with its indexes.
    pub collections: Vec<Shape>,
}

impl Needs {
    /// Of this service: nothing yet.
    pub fn of(service: Service) -> Self {
        Self { service, streams: Vec::new(), consumers: Vec::new(), collections: Vec::new() }
    }

    /// A stream.
    #[must_use]
    pub fn stream(mut self, name: &'static str) -> Self {
        self.streams.push(name);
        self
    }

    /// A durable consumer, and where it copies what it cannot take.
    #[must_use]
    pub fn consumer(mut self, pull: Pull) -> Self {
        self.streams.extend([pull.stream, stream::DEAD]);
        self.consumers.push(pull);
        self
    }

    /// Collections with their indexes.
    #[must_use]
    pub fn collections(mut self, collections: impl IntoIterator<Item = Shape>) -> Self {
        self.collections.extend(collections);
        self
    }

    /// The outbox: its changes are events.
    #[must_use]
    pub fn outbox(self) -> Self {
        self.stream(stream::EVENTS).collections([("outbox", Vec::new())])
    }
}

impl Deps {
    /// Waits until everything is there that the service needs. Until then it is not ready, and says
    /// for what it waits. False where it is time to stop before that.
    #[must_use = "where it is time to stop there is nothing to run on"]
    pub async fn until_provisioned(&self, needs: &Needs, shutdown: &Shutdown) -> bool {
        if !needs.collections.is_empty() {
            self.health.needs_mongo(self.mongo.clone());
        }
        let (mut pause, longest) = PAUSES;
        let mut told = Vec::new();
        loop {
            let missing = self.missing(needs).await;
            self.health.waits_for(missing.clone());
            if missing.is_empty() {
                return true;
            }
            if missing != told {
                tracing::warn!(?missing, "waiting for what `provision run` makes");
                told = missing;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(longest),
                () = shutdown.stopping() => return false,
            }
        }
    }

    /// What of this is not there, in words.
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
                let heard: Vec<&String> = heard(&consumer.cached_info().config);
                let unheard: Vec<_> = filters.iter().filter(|one| !heard.contains(one)).map(String::as_str).collect();
                (!heard.is_empty() && !unheard.is_empty()).then(|| format!("{name}, for {}", unheard.join(", ")))
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

/// The subjects that a consumer hears; none means all of its stream.
pub fn heard<'a, C: FromIterator<&'a String>>(config: &'a Config) -> C {
    let one = std::iter::once(&config.filter_subject).filter(|subject| !subject.is_empty());
    one.chain(&config.filter_subjects).collect()
}
