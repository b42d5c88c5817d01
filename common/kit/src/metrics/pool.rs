use mongodb::event::{
    EventHandler,
    cmap::{CmapEvent, ConnectionCheckoutFailedReason},
};

use super::{Counter, Gauge, Histogram, Labelled, Metrics};

/// The metrics of the MongoDB connection pool.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    connections: Labelled<Gauge>,
    used: Gauge,
    idle: Gauge,
    most: Gauge,
    waited: Histogram,
    timed_out: Counter,
}

impl Default for Pool {
    fn default() -> Self {
        let connections = Labelled::<Gauge>::default();
        let state = |state| connections.get_or_create_owned(&[("db_client_connection_state", state)]);
        let (used, idle) = (state("used"), state("idle"));
        let (most, timed_out) = Default::default();
        Self { connections, used, idle, most, waited: super::answers(), timed_out }
    }
}

impl Pool {
    /// Adds these metrics to the metrics of a service.
    pub(crate) fn register(&self, metrics: &Metrics) {
        let Self { connections, most, waited, timed_out, .. } = self.clone();
        metrics.register("db_client_connection_count", "Connections to MongoDB", connections);
        metrics.register("db_client_connection_max", "The most connections to one MongoDB server", most);
        metrics.register("db_client_connection_wait_time_seconds", "Waiting for a connection to MongoDB", waited);
        metrics.register("db_client_connection_timeouts", "No connection to MongoDB came in time", timed_out);
    }

    /// The handler of the driver's pool events.
    pub(crate) fn handler(&self) -> EventHandler<CmapEvent> {
        let pool = self.clone();
        EventHandler::callback(move |event| pool.observe(&event))
    }

    fn observe(&self, event: &CmapEvent) {
        match event {
            CmapEvent::PoolCreated(created) => {
                let most = created.options.as_ref().and_then(|options| options.max_pool_size);
                self.most.set(most.unwrap_or(10).into());
            }
            CmapEvent::ConnectionReady(_) => drop(self.idle.inc()),
            CmapEvent::ConnectionClosed(_) => drop(self.idle.dec()),
            CmapEvent::ConnectionCheckedOut(event) => {
                self.idle.dec();
                self.used.inc();
                self.waited.observe(event.duration.as_secs_f64());
            }
            CmapEvent::ConnectionCheckedIn(_) => {
                self.used.dec();
                self.idle.inc();
            }
            CmapEvent::ConnectionCheckoutFailed(failed)
                if matches!(failed.reason, ConnectionCheckoutFailedReason::Timeout) =>
            {
                self.timed_out.inc();
            }
            _ => {}
        }
    }
}
