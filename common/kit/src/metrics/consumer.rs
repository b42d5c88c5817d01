use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use async_nats::jetstream::{Message, message};
use contracts::Millis;
use prometheus_client::registry::Registry;

use super::{Counter, Family, Gauge, Metrics, Seconds, sample};
use crate::{Bus, Clock, Pull, Shutdown};

/// A metric with the labels `stream` and `consumer`.
type OfConsumer<M> = Family<[(&'static str, &'static str); 2], M>;

/// The metrics of the durable consumers of a service.
#[derive(Default)]
pub(crate) struct Consumers {
    delivered: OfConsumer<Counter>,
    redelivered: OfConsumer<Counter>,
    pending: OfConsumer<Gauge>,
    ack_pending: OfConsumer<Gauge>,
    oldest_age: OfConsumer<Seconds>,
}

impl Consumers {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let all = Self::default();
        let mut on = |name, help, metric: &OfConsumer<Gauge>| registry.register(name, help, metric.clone());
        on("t3_consumer_pending_messages", "Messages that are not delivered yet", &all.pending);
        on("t3_consumer_ack_pending_messages", "Messages that are delivered, not acknowledged yet", &all.ack_pending);
        let mut on = |name, help, metric: &OfConsumer<Counter>| registry.register(name, help, metric.clone());
        on("t3_consumer_messages", "Messages that were delivered to this process", &all.delivered);
        on("t3_consumer_redeliveries", "Those that had been delivered before", &all.redelivered);
        let help = "How long the oldest message that is not acknowledged has been in the stream";
        registry.register("t3_consumer_oldest_age_seconds", help, all.oldest_age.clone());
        all
    }
}

/// The value of `oldest` when no message has arrived since the last sample.
const NONE: i64 = i64::MAX;

/// The metrics of one consumer.
#[derive(Clone, Debug)]
pub(crate) struct Consumed {
    delivered: Counter,
    redelivered: Counter,
    /// When the oldest of the messages received since the last sample was published to the stream,
    /// in milliseconds since 1970.
    oldest: Arc<AtomicI64>,
}

impl Consumed {
    pub(crate) fn new(metrics: &Metrics, pull: &Pull) -> Self {
        let (consumers, labels) = (&metrics.common().consumed, labels(pull));
        // Creates the counter with the value 0. An alert on an increase misses a counter whose
        // first value is above 0.
        drop(metrics.common().buried.get_or_create(&[("stream", pull.stream)]));
        Self {
            delivered: consumers.delivered.get_or_create_owned(&labels),
            redelivered: consumers.redelivered.get_or_create_owned(&labels),
            oldest: Arc::new(AtomicI64::new(NONE)),
        }
    }

    /// Counts the messages of one pull.
    pub(crate) fn record(&self, messages: &[Message]) {
        self.delivered.inc_by(messages.len() as u64);
        for info in messages.iter().filter_map(|message| message.info().ok()) {
            self.redelivered.inc_by(u64::from(info.delivered > 1));
            self.oldest.fetch_min(came_at(&info).0, Ordering::Relaxed);
        }
    }

    /// Samples the consumer's state on the server every few seconds, until shutdown.
    pub(crate) fn watch(&self, bus: &Bus, pull: &Pull, shutdown: &Shutdown) {
        let (consumers, labels) = (&bus.metrics().common().consumed, labels(pull));
        let gauges = Arc::new(Gauges {
            pending: consumers.pending.get_or_create_owned(&labels),
            ack_pending: consumers.ack_pending.get_or_create_owned(&labels),
            oldest_age: consumers.oldest_age.get_or_create_owned(&labels),
            oldest: self.oldest.clone(),
            since: AtomicI64::new(now().0),
        });
        let (bus, stream, durable) = (bus.clone(), pull.stream, pull.durable);
        sample(shutdown, move || {
            let (bus, gauges) = (bus.clone(), gauges.clone());
            async move {
                let stream = bus.jetstream.get_stream_no_info(stream).await?;
                let info = stream.consumer_info(durable).await?;
                gauges.set(info.num_pending, info.num_ack_pending);
                anyhow::Ok(())
            }
        });
    }
}

fn labels(pull: &Pull) -> [(&'static str, &'static str); 2] {
    [("stream", pull.stream), ("consumer", pull.durable)]
}

struct Gauges {
    pending: Gauge,
    ack_pending: Gauge,
    oldest_age: Seconds,
    oldest: Arc<AtomicI64>,
    /// The estimated time at which the oldest pending message was published, in milliseconds since
    /// 1970.
    since: AtomicI64,
}

impl Gauges {
    /// Sets the gauges. The server does not say when the oldest pending message was published, so
    /// the age is an estimate. The oldest pending message is taken to be as old as the oldest
    /// message that was delivered since the last sample. If none was delivered, the earlier
    /// estimate stays; when no message is pending, the estimate is the present.
    fn set(&self, pending: u64, ack_pending: usize) {
        self.pending.set(pending as i64);
        self.ack_pending.set(ack_pending as i64);
        let (now, came) = (now(), self.oldest.swap(NONE, Ordering::Relaxed));
        if pending == 0 && ack_pending == 0 {
            self.since.store(now.0, Ordering::Relaxed);
        } else if came != NONE {
            self.since.store(came, Ordering::Relaxed);
        }
        self.oldest_age.set(seconds(now - Millis(self.since.load(Ordering::Relaxed))));
    }
}

/// How long ago a message was published to its stream, in seconds. The value includes the
/// difference between the clocks of this machine and the NATS server.
pub fn age(message: &Message) -> Option<f64> {
    message.info().ok().map(|info| seconds(now() - came_at(&info)))
}

fn came_at(info: &message::Info<'_>) -> Millis {
    Millis((info.published.unix_timestamp_nanos() / 1_000_000) as i64)
}

/// The time of the system clock. The server stamps messages with its system clock, which the clock
/// of a test would not match.
fn now() -> Millis {
    Clock::system().now()
}

/// Converts milliseconds to seconds. A negative value, which comes from clocks that differ, becomes
/// 0.
pub fn seconds(millis: i64) -> f64 {
    millis.max(0) as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_as_old_as_what_came_last_and_nothing_is_of_no_age() {
        let oldest = Arc::new(AtomicI64::new(NONE));
        let (pending, ack_pending, oldest_age) = Default::default();
        let gauges =
            Gauges { pending, ack_pending, oldest_age, oldest: oldest.clone(), since: AtomicI64::new(now().0) };
        oldest.store(now().0 - 60_000, Ordering::Relaxed);
        gauges.set(10, 2);
        assert!((60.0..70.0).contains(&gauges.oldest_age.get()), "{}", gauges.oldest_age.get());
        gauges.set(10, 2);
        assert!(gauges.oldest_age.get() >= 60.0, "nothing came since: it still waits");
        gauges.set(0, 0);
        assert_eq!(gauges.oldest_age.get(), 0.0);
    }
}
