//! The metrics of a service, for `/metrics`. Each service has its own registry, so that the metrics
//! of several services in one process do not mix.
//!
//! The name of a metric is written only where the metric is created. docs/metrics.md describes each
//! metric.

mod applied;
mod calls;
mod consumer;
mod pool;
mod process;
mod sample;

use std::{
    borrow::Cow,
    collections::BTreeSet,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use contracts::Service;
use prometheus_client::{
    metrics::info::Info,
    registry::{Metric, Registry},
};
use tokio::sync::Semaphore;

pub(crate) use self::{applied::Applied, calls::Calls, consumer::Consumed, pool::Pool};
pub use self::{
    consumer::{age, seconds},
    sample::sample,
};
pub use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};

/// A gauge of whole numbers.
pub type Gauge<N = i64, A = std::sync::atomic::AtomicI64> = prometheus_client::metrics::gauge::Gauge<N, A>;
/// A gauge of seconds.
pub type Seconds = Gauge<f64, AtomicU64>;

/// The media type of the text that [`Metrics::text`] returns.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The bucket bounds of histograms of response times, in seconds: those that OpenTelemetry
/// recommends, and two smaller ones.
pub const ANSWERS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// The bucket bounds of histograms of delays, in seconds. An outage can lengthen such a delay to
/// hours.
pub const DELAYS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0];
/// The bucket bounds of histograms of batch sizes.
pub const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0];

/// A metric with one label.
pub(crate) type Labelled<M> = Family<[(&'static str, &'static str); 1], M>;

/// The metrics of one service.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Mutex<Registry>,
    names: Mutex<BTreeSet<String>>,
    /// Functions that update metrics before each scrape.
    scrape_hooks: Mutex<Vec<Box<dyn Fn() + Send>>>,
    common: Common,
}

/// The metrics that this crate itself updates, in every service.
pub(crate) struct Common {
    pub(crate) asked: Calls,
    pub(crate) answered: Calls,
    pub(crate) applied: Applied,
    pub(crate) consumed: consumer::Consumers,
    pub(crate) buried: Labelled<Counter>,
    pub(crate) is_up: Labelled<Gauge>,
    pub(crate) is_ready: Gauge,
    places_used: Labelled<Gauge>,
    places: Labelled<Gauge>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// The metrics of a service that is starting.
    pub fn new(service: Service) -> Self {
        let label = (Cow::from("service_name"), Cow::from(service.name()));
        let mut registry = Registry::with_labels(std::iter::once(label));
        let common = Common::new(&mut registry);
        let metrics = Self(Arc::new(Inner {
            registry: Mutex::new(registry),
            names: Mutex::default(),
            scrape_hooks: Mutex::default(),
            common,
        }));
        let info = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        metrics.register("t3_build", "What runs", info);
        process::observe(&metrics);
        metrics
    }

    pub(crate) fn common(&self) -> &Common {
        &self.0.common
    }

    /// Registers a metric, such as one with labels of its own.
    ///
    /// # Panics
    /// When a metric of that name exists.
    pub fn register(&self, name: &str, help: &str, metric: impl Metric) {
        let mut names = self.0.names.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(names.insert(name.to_owned()), "the metric {name} is made twice");
        self.registry().register(name, help, metric);
    }

    /// Runs a function before each scrape, for values that are cheaper to read then than to update
    /// at each change.
    pub fn before_scrape(&self, work: impl Fn() + Send + 'static) {
        self.0.scrape_hooks.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(work));
    }

    /// Adds a counter. The library appends `_total` to the name.
    pub fn counter(&self, name: &str, help: &str) -> Counter {
        let counter = Counter::default();
        self.register(name, help, counter.clone());
        counter
    }

    /// Adds a counter with one label, and returns the counter of each of these label values.
    pub fn counters<const N: usize>(
        &self,
        name: &str,
        help: &str,
        label: &'static str,
        values: [&'static str; N],
    ) -> [Counter; N] {
        let counters = Labelled::<Counter>::default();
        self.register(name, help, counters.clone());
        values.map(|value| counters.get_or_create_owned(&[(label, value)]))
    }

    /// Adds a gauge.
    pub fn gauge(&self, name: &str, help: &str) -> Gauge {
        let gauge = Gauge::default();
        self.register(name, help, gauge.clone());
        gauge
    }

    /// Adds a gauge with one label, and returns the gauge of each of these label values.
    pub fn gauges<const N: usize>(
        &self,
        name: &str,
        help: &str,
        label: &'static str,
        values: [&'static str; N],
    ) -> [Gauge; N] {
        let gauges = Labelled::<Gauge>::default();
        self.register(name, help, gauges.clone());
        values.map(|value| gauges.get_or_create_owned(&[(label, value)]))
    }

    /// Adds a gauge of seconds.
    pub fn seconds(&self, name: &str, help: &str) -> Seconds {
        let seconds = Seconds::default();
        self.register(name, help, seconds.clone());
        seconds
    }

    /// Adds a histogram with these bucket bounds.
    pub fn histogram(&self, name: &str, help: &str, bounds: &[f64]) -> Histogram {
        let histogram = Histogram::new(bounds.iter().copied());
        self.register(name, help, histogram.clone());
        histogram
    }

    /// Adds two gauges about a semaphore that limits work in progress: its capacity, and the number
    /// of permits in use.
    pub fn places(&self, what: &'static str, places: Arc<Semaphore>) {
        let common = self.common();
        let label = [("place", what)];
        let (all, used) = (places.available_permits(), common.places_used.get_or_create_owned(&label));
        common.places.get_or_create(&label).set(all as i64);
        self.before_scrape(move || {
            used.set(all.saturating_sub(places.available_permits()) as i64);
        });
    }

    /// All metrics as OpenMetrics text.
    pub fn text(&self) -> String {
        self.0.scrape_hooks.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|refresh| refresh());
        let mut text = String::with_capacity(32 * 1024);
        // Writing to a String cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry());
        text
    }

    /// Adds a counter of the connections to NATS that this client has made.
    pub(crate) fn follow_connection(&self, client: &async_nats::Client) {
        let connects = self.counter("t3_nats_connects", "Connections to NATS that were made, the first included");
        let statistics = client.statistics();
        self.before_scrape(move || {
            let made = statistics.connects.load(Ordering::Relaxed);
            connects.inc_by(made.saturating_sub(connects.get()));
        });
    }

    fn registry(&self) -> std::sync::MutexGuard<'_, Registry> {
        self.0.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Common {
    fn new(registry: &mut Registry) -> Self {
        let common = Self {
            asked: Calls::default(),
            answered: Calls::default(),
            applied: Applied::default(),
            consumed: consumer::Consumers::new(registry),
            buried: Labelled::default(),
            is_up: Labelled::default(),
            is_ready: Gauge::default(),
            places_used: Labelled::default(),
            places: Labelled::default(),
        };
        let Self { asked, answered, applied, buried, is_up, is_ready, places_used, places, .. } = &common;
        registry.register("rpc_client_call_duration_seconds", "Asking a service, until its answer", asked.0.clone());
        registry.register("rpc_server_call_duration_seconds", "Answering a request", answered.0.clone());
        registry.register("messaging_process_duration_seconds", "Applying an event", applied.0.clone());
        registry.register("t3_dead_letters", "Messages that were copied to DEAD", buried.clone());
        registry.register("t3_dependency_up", "Whether what we need is there", is_up.clone());
        registry.register("t3_ready", "Whether the process can do its work", is_ready.clone());
        registry.register("t3_places_used", "Places that work in hand has taken", places_used.clone());
        registry.register(
            "t3_places",
            "Places for work in hand; past them callers are told to come again",
            places.clone(),
        );
        common
    }
}

/// A histogram with the bucket bounds [`ANSWERS`]; the constructor for families of histograms.
pub fn answers() -> Histogram {
    Histogram::new(ANSWERS.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_tells_of_itself_alone() {
        let (one, other) = (Metrics::new(Service::Mailer), Metrics::new(Service::Gateway));
        one.counter("t3_things", "Things").inc();
        assert!(one.text().contains("t3_things_total{service_name=\"mailer\"} 1"), "{}", one.text());
        assert!(!other.text().contains("t3_things"));
        assert!(!other.text().contains("mailer"));
    }

    #[test]
    fn a_place_that_is_taken_is_seen_when_somebody_looks() {
        let metrics = Metrics::new(Service::Mailer);
        let places = Arc::new(Semaphore::new(8));
        metrics.places("mails", places.clone());
        let _taken = places.try_acquire_many(3);
        let text = metrics.text();
        assert!(text.contains("t3_places_used{service_name=\"mailer\",place=\"mails\"} 3"), "{text}");
        assert!(text.contains("t3_places{service_name=\"mailer\",place=\"mails\"} 8"), "{text}");
    }
}
