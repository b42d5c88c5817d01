use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::{datetime::DateTime, jetstream::stream::LastRawMessageErrorKind};
use contracts::{Code, Event, Failure, Service, WindowsRecorded, stream};
use futures::future::{OptionFuture, join};
use kit::{Bus, Error, Lease, SharedRead};
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

/// How long a report waits at most until earlier windows are counted.
const PATIENCE: Duration = Duration::from_secs(2);
/// The first and the longest pause between two reads of the consumer's state. Each pause is twice
/// the one before.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(8));
/// The limits of the planned time from the beginning of a batch to the beginning of the next one.
/// The next batch begins earlier if a report waits, and later if the batch itself takes longer.
const PACE: (Duration, Duration) = (Duration::from_millis(25), Duration::from_millis(200));

/// Compares two positions in EVENTS: that of the last `windows.recorded` event, and that up to
/// which windows are counted. Concurrent reports share the reads of both.
#[derive(Debug)]
pub(crate) struct Progress {
    bus: Bus,
    /// Proves that the server that answers is the only leader of the stream.
    lease: Lease,
    /// The position in EVENTS of the last `windows.recorded` event.
    recorded: SharedRead<Result<u64, Failure>>,
    /// The position up to which windows are counted, as of the last read.
    floor: Mutex<Floor>,
    /// The position up to which windows are counted, as the consumer says now.
    acknowledged: SharedRead<Result<u64, Failure>>,
    /// Whether the last report found that all windows were counted already when it was requested.
    is_quiet: AtomicBool,
    /// Signals that a report waits for windows that are not counted yet.
    hurry: Notify,
    /// Signals that this process has counted a batch.
    counted: Notify,
}

/// A position in EVENTS. Every window up to it is counted.
#[derive(Clone, Copy, Debug, Default)]
struct Floor {
    place: u64,
    /// When the stream was created. The position is valid only for this stream: a stream that is
    /// created again starts at position 1.
    of: Option<DateTime>,
}

impl Floor {
    /// Raises the position to `counted`, which was read while the position was `before`, and returns
    /// it. What was read before the stream was created again says nothing about the new stream.
    fn raise(&mut self, before: Self, counted: u64) -> u64 {
        if self.of == before.of {
            self.place = self.place.max(counted);
        }
        self.place
    }
}

impl Progress {
    pub(crate) fn new(bus: Bus) -> Self {
        Self {
            bus,
            lease: Lease::default(),
            recorded: SharedRead::default(),
            floor: Mutex::default(),
            acknowledged: SharedRead::default(),
            is_quiet: AtomicBool::new(false),
            hurry: Notify::new(),
            counted: Notify::new(),
        }
    }

    /// Returns what `read` reads once every window that was recorded before this call is counted.
    ///
    /// A window is answered 201 once its event is in EVENTS, and the event is acknowledged once the
    /// sums that its windows change are stored. So this call waits until every `windows.recorded`
    /// event that is in EVENTS now is acknowledged. All replicas share one consumer, so the events
    /// that other replicas have counted are included.
    ///
    /// If no window came between the last two calls, `read` begins at once, while JetStream is
    /// still asked. Its result is used if this replica knew already before the call that every
    /// window up to now is counted. Otherwise `read` is called again.
    ///
    /// # Errors
    /// [`Code::Unavailable`] when the windows are not counted after 2 seconds, or when JetStream
    /// cannot be reached; and those of `read`.
    pub(crate) async fn caught_up<T, Fut>(&self, read: impl Fn() -> Fut) -> Result<T, Error>
    where
        Fut: Future<Output = Result<T, Error>>,
    {
        if kit::is_mutant("freshness_unasked") {
            return read().await;
        }
        let before = *self.floor();
        let early = OptionFuture::from(self.is_quiet.load(Ordering::Relaxed).then(&read));
        let (waited, early) = join(timeout(PATIENCE, self.until_counted_since(before)), early).await;
        let was_counted = waited.unwrap_or_else(|_| {
            let detail = "What was recorded last is not counted yet. Try again in a moment.";
            Err(Failure::new(Code::Unavailable, detail).into())
        })?;
        match early {
            Some(result) if was_counted => result,
            _ => read().await,
        }
    }

    /// Waits until every window that was recorded before this call is counted. Returns whether they
    /// were all counted at the position `before`.
    async fn until_counted_since(&self, before: Floor) -> Result<bool, Error> {
        let place = self.recorded().await?;
        let was_counted = place <= before.place && before.of.is_some() && before.of == self.floor().of;
        self.is_quiet.store(was_counted, Ordering::Relaxed);
        if !was_counted {
            self.until_counted(place).await?;
        }
        Ok(was_counted)
    }

    /// Wakes the reports that wait, and pauses before the next batch for as long as the last batch
    /// took; [`PACE`] limits the time of the batch and the pause together. During the pause,
    /// MongoDB is free for the recording of windows, and more windows arrive for the next batch: a
    /// batch of many windows costs hardly more than a batch of few. The pause ends early when a
    /// report waits.
    pub(crate) async fn rest(&self, begun: Instant) {
        self.counted.notify_waiters();
        let (shortest, longest) = PACE;
        let until = begun + (begun.elapsed() * 2).clamp(shortest, longest);
        tokio::select! {
            () = tokio::time::sleep_until(until) => {}
            () = self.hurry.notified() => {}
        }
    }

    /// The position that must be counted ([`Self::last_place`]), from a read that began after this
    /// call.
    async fn recorded(&self) -> Result<u64, Error> {
        let read = async { self.look().await.map_err(|error| error.to_failure()) };
        self.recorded.read(read).await.map_err(Error::from)
    }

    async fn look(&self) -> Result<u64, Error> {
        loop {
            let only_leader_until = self.lease.until(&self.bus.jetstream).await?;
            let place = self.last_place().await?;
            if Instant::now() < only_leader_until {
                return Ok(place);
            }
        }
    }

    /// The position of the last `windows.recorded` event, or the counted position if no such event
    /// is after it. Usually none is, and then the server need not send a whole event.
    async fn last_place(&self) -> Result<u64, Error> {
        loop {
            let known = *self.floor();
            let (comes_after, (made, last)) = tokio::try_join!(self.comes_after(known.place), self.stream())?;
            if known.of == Some(made) && known.place <= last {
                return if comes_after { self.last_recorded().await } else { Ok(known.place) };
            }
            // The stream was created again, so positions in the old stream are not valid in the new
            // one.
            *self.floor() = Floor { place: 0, of: Some(made) };
        }
    }

    async fn until_counted(&self, place: u64) -> Result<(), Error> {
        let (mut pause, longest) = PAUSES;
        loop {
            let before = *self.floor();
            if before.place >= place || self.floor_since(before).await? >= place {
                return Ok(());
            }
            self.hurry.notify_one();
            // Another replica may count the windows that this report waits for. No signal comes
            // from another replica, so the position is also read again after a pause.
            tokio::select! {
                () = self.counted.notified() => {}
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(longest),
            }
        }
    }

    /// The position up to which windows are counted, from a read that began after this call. `before`
    /// is the known position at the time of this call.
    async fn floor_since(&self, before: Floor) -> Result<u64, Error> {
        let read = async { self.acknowledged().await.map_err(|error| error.to_failure()) };
        let counted = self.acknowledged.read(read).await.map_err(Error::from)?;
        Ok(self.floor().raise(before, counted))
    }

    fn floor(&self) -> MutexGuard<'_, Floor> {
        self.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The position in EVENTS up to which every window is counted, from the state of the consumer.
    async fn acknowledged(&self) -> Result<u64, Error> {
        let stream = self.bus.jetstream.get_stream_no_info(stream::EVENTS).await.map_err(nats)?;
        let info = stream.consumer_info(Service::Analytics.name()).await.map_err(nats)?;
        Ok(counted(info.delivered.stream_sequence, info.ack_floor.stream_sequence, info.num_ack_pending))
    }

    /// The time at which the stream was created, and its last position.
    async fn stream(&self) -> Result<(DateTime, u64), Error> {
        let stream = self.bus.jetstream.get_stream(stream::EVENTS).await.map_err(nats)?;
        let info = stream.cached_info();
        Ok((info.created, info.state.last_sequence))
    }

    /// Whether a `windows.recorded` event is after this position. The request goes to the stream's
    /// leader, because a follower may lack the last events.
    async fn comes_after(&self, place: u64) -> Result<bool, Error> {
        let stream = self.bus.jetstream.get_stream_no_info(stream::EVENTS).await.map_err(nats)?;
        match stream.get_first_raw_message_by_subject(WindowsRecorded::filter(), place + 1).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(false),
            Err(error) => Err(nats(error)),
        }
    }

    /// The position of the last `windows.recorded` event; 0 if the stream has none.
    async fn last_recorded(&self) -> Result<u64, Error> {
        let stream = self.bus.jetstream.get_stream_no_info(stream::EVENTS).await.map_err(nats)?;
        match stream.get_last_raw_message_by_subject(&WindowsRecorded::filter()).await {
            Ok(message) => Ok(message.sequence),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(0),
            Err(error) => Err(nats(error)),
        }
    }
}

/// The position up to which every window is counted. While no event is delivered and
/// unacknowledged, this is the last delivered position, because the acknowledgement floor may stay
/// lower forever after a network partition. Otherwise this is the acknowledgement floor.
fn counted(delivered: u64, acknowledged: u64, in_hand: usize) -> u64 {
    if in_hand == 0 { delivered.max(acknowledged) } else { acknowledged }
}

fn nats(error: impl Into<async_nats::Error>) -> Error {
    Error::Nats(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_of_a_stream_that_was_made_anew_meanwhile_raises_nothing() {
        let of = |seconds| DateTime::from_unix_timestamp(seconds).ok();
        let before = Floor { place: 7, of: of(1) };
        let mut same = before;
        assert_eq!((same.raise(before, 9), same.raise(before, 8)), (9, 9));
        let mut anew = Floor { place: 0, of: of(2) };
        assert_eq!((anew.raise(before, 9), anew.raise(anew, 3)), (0, 3));
    }

    #[test]
    fn with_nothing_in_hand_all_that_was_delivered_is_counted() {
        assert_eq!(counted(9, 9, 0), 9);
        assert_eq!(counted(9, 5, 0), 9, "the acknowledgements were lost with a leader");
        assert_eq!(counted(9, 5, 1), 5);
    }
}
