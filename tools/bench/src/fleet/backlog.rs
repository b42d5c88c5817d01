//! Measures what the services have not processed yet, and waits until they have.

use std::time::Duration;

use anyhow::{Result, ensure};
use async_nats::jetstream::{self, consumer::pull};
use contracts::{Service, stream};
use tokio::time::{Instant, sleep};

use super::{Fleet, SERVICES};

/// How long services may take to process everything that waits.
const REST: Duration = Duration::from_secs(1_800);
/// How long windows that arrived before their assignment may still be missing after INGEST is
/// empty.
const EARLY: Duration = Duration::from_secs(30);

impl Fleet {
    /// Returns the number of messages that are pending or unacknowledged at a service's consumer.
    ///
    /// # Errors
    /// When JetStream cannot be reached.
    pub async fn waiting(&self, stream: &str, service: Service) -> Result<u64> {
        let jetstream = jetstream::new(self.bus().await?);
        let consumer = jetstream.get_consumer_from_stream::<pull::Config, _, _>(service.name(), stream).await?;
        let info = consumer.cached_info();
        Ok(info.num_pending + info.num_ack_pending as u64)
    }

    /// Returns the number of messages in INGEST.
    ///
    /// # Errors
    /// When JetStream cannot be reached.
    pub async fn queued(&self) -> Result<u64> {
        let queue = jetstream::new(self.bus().await?).get_stream(stream::INGEST).await?;
        Ok(queue.cached_info().state.messages)
    }

    /// Returns how many events analytics has not processed, and how long it then takes to process
    /// them.
    pub(crate) async fn analytics_lag(&self) -> Result<(u64, Duration)> {
        let behind = self.waiting(stream::EVENTS, Service::Analytics).await?;
        let started = Instant::now();
        self.until_analytics_rest().await?;
        Ok((behind, started.elapsed()))
    }

    /// Waits until analytics has processed all events.
    ///
    /// # Errors
    /// When that takes longer than half an hour.
    pub async fn until_analytics_rest(&self) -> Result<()> {
        let started = Instant::now();
        while self.waiting(stream::EVENTS, Service::Analytics).await? > 0 {
            ensure!(started.elapsed() < REST, "analytics are still behind after {} s", REST.as_secs());
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// Waits until every service has processed all events. Before that, windows of new assignments
    /// are delayed.
    ///
    /// # Errors
    /// When that takes longer than half an hour.
    pub(crate) async fn until_all_heard(&self) -> Result<()> {
        let started = Instant::now();
        for service in SERVICES.into_iter().filter(|service| *service != Service::Gateway) {
            while self.waiting(stream::EVENTS, service).await? > 0 {
                ensure!(started.elapsed() < REST, "{service} is still behind after {} s", REST.as_secs());
                sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }

    /// Waits until INGEST is empty, and this many windows are stored and counted.
    ///
    /// # Errors
    /// When that takes longer than half an hour, or when windows are still missing 30 s after
    /// INGEST was empty.
    pub(crate) async fn until_counted(&self, windows: u64) -> Result<()> {
        let started = Instant::now();
        while self.queued().await? > 0 {
            ensure!(started.elapsed() < REST, "windows are still waiting after {} s", REST.as_secs());
            sleep(Duration::from_millis(100)).await;
        }
        let emptied = Instant::now();
        while self.stored().await? < windows {
            ensure!(emptied.elapsed() < EARLY, "only {} of {windows} windows are stored", self.stored().await?);
            sleep(Duration::from_millis(500)).await;
        }
        self.until_analytics_rest().await
    }
}
