use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use async_nats::{
    HeaderMap,
    header::NATS_MESSAGE_ID,
    jetstream::{self, consumer::pull},
};
use bytes::Bytes;
use contracts::{EmployeeId, EventId, Service, stream};
use futures::StreamExt;
use tokio::time::{Instant, sleep};

/// The services that must have applied a repeated event before its effect is checked.
const LISTENERS: [Service; 3] = [Service::Directory, Service::Projects, Service::Timetrack];
/// How long it may take until an event is applied. It is redelivered if it is not acknowledged.
const TAKEN: Duration = Duration::from_secs(60);
/// How long the answers of JetStream about consumers are cached.
const FRESH: Duration = Duration::from_millis(40);
/// The number of the last events about each employee that are kept.
const KEPT: usize = 8;

#[derive(Clone, Debug)]
struct Heard {
    subject: String,
    headers: HeaderMap,
    payload: Bytes,
}

/// Collects the events about employees, and publishes them again, late and in any order.
#[derive(Debug)]
pub(super) struct Late {
    jetstream: jetstream::Context,
    heard: Arc<Mutex<HashMap<EmployeeId, Vec<Heard>>>>,
    /// The stream sequence up to which all of [`LISTENERS`] have applied everything, and the moment
    /// when this was queried.
    floor: tokio::sync::Mutex<Option<(Instant, u64)>>,
}

impl Late {
    /// Starts to collect events.
    pub(super) async fn listen(client: async_nats::Client) -> Result<Self> {
        let mut events = client.subscribe("evt.directory.v1.employee.*.changed").await?;
        client.flush().await?;
        let heard: Arc<Mutex<HashMap<EmployeeId, Vec<Heard>>>> = Arc::default();
        let keep = heard.clone();
        tokio::spawn(async move {
            while let Some(message) = events.next().await {
                let Some(employee) = message.subject.split('.').nth(4).and_then(|id| id.parse().ok()) else { continue };
                let headers = message.headers.unwrap_or_default();
                let one = Heard { subject: message.subject.to_string(), headers, payload: message.payload };
                let mut keep = keep.lock().unwrap_or_else(PoisonError::into_inner);
                let all = keep.entry(employee).or_default();
                all.push(one);
                if all.len() > KEPT {
                    all.remove(0);
                }
            }
        });
        Ok(Self { jetstream: jetstream::new(client), heard, floor: tokio::sync::Mutex::default() })
    }

    /// Returns the number of an employee's events that can be published again.
    pub(super) fn known(&self, employee: EmployeeId) -> usize {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).get(&employee).map_or(0, Vec::len)
    }

    /// Publishes events of an employee again, as if they had been delayed. `order` has their
    /// indexes; 0 is the oldest. Returns the stream sequence of the last one.
    pub(super) async fn again(&self, employee: EmployeeId, order: &[usize]) -> Result<u64> {
        let events = self.heard.lock().unwrap_or_else(PoisonError::into_inner).get(&employee).cloned();
        let events = events.with_context(|| format!("no event of {employee} was heard"))?;
        let mut last = 0;
        for place in order {
            let Some(Heard { subject, headers, payload }) = events.get(*place).cloned() else { continue };
            // With the old message id, the stream would drop the event as a duplicate. The header
            // `APPLIED_TO` names who waits for the event, and nobody waits any more.
            let unwanted = |name: &str| [NATS_MESSAGE_ID.as_ref(), contracts::header::APPLIED_TO].contains(&name);
            let mut fresh = HeaderMap::new();
            fresh.insert(NATS_MESSAGE_ID, kit::new_id::<EventId>().to_string());
            for (name, values) in headers.iter().filter(|(name, _)| !unwanted(name.as_ref())) {
                values.iter().for_each(|value| fresh.append(name.clone(), value.clone()));
            }
            let published = self.jetstream.publish_with_headers(subject, fresh, payload).await?;
            last = published.await?.sequence;
        }
        Ok(last)
    }

    /// Waits until all of [`LISTENERS`] have applied all events up to a stream sequence.
    pub(super) async fn until_taken(&self, place: u64) -> Result<()> {
        let since = Instant::now();
        while self.floor().await? < place {
            ensure!(since.elapsed() < TAKEN, "an event was not taken within {} s", TAKEN.as_secs());
            sleep(FRESH).await;
        }
        Ok(())
    }

    async fn floor(&self) -> Result<u64> {
        let mut known = self.floor.lock().await;
        if let Some((asked, floor)) = *known
            && asked.elapsed() < FRESH
        {
            return Ok(floor);
        }
        let mut floor = u64::MAX;
        for service in LISTENERS {
            let consumer =
                self.jetstream.get_consumer_from_stream::<pull::Config, _, _>(service.name(), stream::EVENTS);
            let consumer = consumer.await?;
            let info = consumer.cached_info();
            let is_quiet = info.num_pending == 0 && info.num_ack_pending == 0;
            // If nothing is pending, the service has applied everything in the stream, even if the
            // last messages were not for it.
            let taken = if is_quiet { info.delivered.stream_sequence } else { info.ack_floor.stream_sequence };
            floor = floor.min(taken);
        }
        *known = Some((Instant::now(), floor));
        Ok(floor)
    }
}
