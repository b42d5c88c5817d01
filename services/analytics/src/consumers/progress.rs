use std::time::Duration;

use async_nats::{
    datetime::DateTime,
    jetstream::{self, stream::LastRawMessageErrorKind},
};
use contracts::{Code, Event, Failure, Service, WindowsRecorded, stream};
use kit::{Bus, Error, Lease, SharedRead};
use tokio::{
    sync::{Mutex, Notify},
    time::Instant,
};

/// How long a question waits until earlier windows are counted.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long JetStream may take to answer before it is asked again: while another leader is elected nobody answers, and the
/// new one has not heard what was asked before.
const ANSWER: Duration = Duration::from_millis(500);
/// The pause before that, where it says at once that it cannot.
const PAUSE: Duration = Duration::from_millis(50);
/// The pauses between two reads of the consumer's state grow from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(8));
/// The shortest and the longest time from the beginning of a batch of recounting to that of the next.
const PACE: (Duration, Duration) = (Duration::from_millis(25), Duration::from_millis(200));

/// The position in EVENTS up to which windows are counted. Concurrent questions share one read of it.
#[derive(Debug)]
pub(crate) struct Progress {
    bus: Bus,
    jetstream: jetstream::Context,
    /// Proves that the server that answers is the stream's only leader.
    lease: Lease,
    /// The position in the stream of the last event about recorded windows.
    recorded: SharedRead<Result<u64, Failure>>,
    /// The counted position, as it was last read.
    floor: Mutex<Floor>,
    /// Signals that a question waits for windows that are not counted yet.
    hurry: Notify,
    /// Signals that a batch of this process is counted.
    counted: Notify,
}

/// A position in the stream up to which everything is counted.
#[derive(Clone, Copy, Debug, Default)]
struct Floor {
    place: u64,
    /// When the stream was created that has this position.
    of: Option<DateTime>,
}

impl Progress {
    pub(crate) fn new(bus: Bus) -> Self {
        let (lease, recorded) = (Lease::default(), SharedRead::default());
        let mut jetstream = bus.jetstream.clone();
        jetstream.set_timeout(ANSWER);
        Self { bus, jetstream, lease, recorded, floor: Mutex::default(), hurry: Notify::new(), counted: Notify::new() }
    }

    /// Waits until every window is counted that was recorded before now.
    ///
    /// A window is answered 201 once its event is in the stream, and the event is acknowledged once the sums of its
    /// days are stored. So it is enough that every event that is in the stream now is acknowledged. All replicas
    /// share the consumer, so it does not matter which of them has counted.
    ///
    /// # Errors
    /// [`Code::Unavailable`] after 2 seconds.
    pub(crate) async fn until_caught_up(&self) -> Result<(), Error> {
        if kit::is_mutant("freshness_unasked") {
            return Ok(());
        }
        let caught_up = async { self.until_counted(self.recorded().await?).await };
        tokio::time::timeout(PATIENCE, caught_up).await.unwrap_or_else(|_| {
            let detail = "What was recorded last is not counted yet. Try again in a moment.";
            Err(Failure::new(Code::Unavailable, detail).into())
        })
    }

    /// Ends a batch that began at this time: wakes the questions that wait, and rests for as long as the batch took,
    /// within limits. Recording uses the same MongoDB, and a batch of many windows costs hardly more than one of few.
    /// The rest ends early when a question waits.
    pub(crate) async fn rest(&self, begun: Instant) {
        self.counted.notify_waiters();
        let (shortest, longest) = PACE;
        let until = begun + (begun.elapsed() * 2).clamp(shortest, longest);
        tokio::select! {
            () = tokio::time::sleep_until(until) => {}
            () = self.hurry.notified() => {}
        }
    }

    /// The position of the last recorded windows, from a read that began after this call.
    async fn recorded(&self) -> Result<u64, Error> {
        let look = async { self.until_answered(|| self.look()).await.map_err(|error| error.to_failure()) };
        self.recorded.look(look).await.map_err(Error::from)
    }

    /// Asks again while nobody answers, for as long as the caller has patience. Without a connection it is no use.
    async fn until_answered<T, F: Future<Output = Result<T, Error>>>(&self, ask: impl Fn() -> F) -> Result<T, Error> {
        loop {
            match ask().await {
                Err(error) if error.is_away() && self.bus.is_connected() => tokio::time::sleep(PAUSE).await,
                done => return done,
            }
        }
    }

    async fn look(&self) -> Result<u64, Error> {
        loop {
            let only_leader_until = self.lease.until(&self.jetstream).await?;
            let place = self.last_place().await?;
            if Instant::now() < only_leader_until {
                return Ok(place);
            }
        }
    }

    /// Nearly always nothing is newer than the counted position, and then the answer is small.
    async fn last_place(&self) -> Result<u64, Error> {
        loop {
            let known = *self.floor.lock().await;
            let (comes_after, (made, last)) = tokio::try_join!(self.comes_after(known.place), self.stream())?;
            if known.of == Some(made) && known.place <= last {
                return if comes_after { self.last_recorded().await } else { Ok(known.place) };
            }
            // The stream was created again, so positions of the old one mean nothing.
            *self.floor.lock().await = Floor { place: 0, of: Some(made) };
        }
    }

    async fn until_counted(&self, place: u64) -> Result<(), Error> {
        let (mut pause, longest) = PAUSES;
        loop {
            let mut floor = self.floor.lock().await;
            if floor.place < place {
                let acknowledged = self.until_answered(|| self.acknowledged()).await?;
                floor.place = acknowledged.max(floor.place);
            }
            if floor.place >= place {
                return Ok(());
            }
            drop(floor);
            self.hurry.notify_one();
            // Another replica may count the windows that this question waits for; it does not signal that.
            tokio::select! {
                () = self.counted.notified() => {}
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(longest),
            }
        }
    }

    /// The position up to which the consumer has acknowledged everything.
    async fn acknowledged(&self) -> Result<u64, Error> {
        let stream = self.jetstream.get_stream_no_info(stream::EVENTS).await.map_err(nats)?;
        let info = stream.consumer_info(Service::Analytics.name()).await.map_err(nats)?;
        Ok(counted(info.delivered.stream_sequence, info.ack_floor.stream_sequence, info.num_ack_pending))
    }

    /// When the stream was created, and its last position.
    async fn stream(&self) -> Result<(DateTime, u64), Error> {
        let stream = self.jetstream.get_stream(stream::EVENTS).await.map_err(nats)?;
        let info = stream.cached_info();
        Ok((info.created, info.state.last_sequence))
    }

    /// Whether windows were recorded after this position. It asks the stream's leader, because a follower may lack
    /// the last events.
    async fn comes_after(&self, place: u64) -> Result<bool, Error> {
        let stream = self.jetstream.get_stream_no_info(stream::EVENTS).await.map_err(nats)?;
        match stream.get_first_raw_message_by_subject(WindowsRecorded::filter(), place + 1).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(false),
            Err(error) => Err(nats(error)),
        }
    }

    /// The position of the last event about recorded windows.
    async fn last_recorded(&self) -> Result<u64, Error> {
        let stream = self.jetstream.get_stream_no_info(stream::EVENTS).await.map_err(nats)?;
        match stream.get_last_raw_message_by_subject(&WindowsRecorded::filter()).await {
            Ok(message) => Ok(message.sequence),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(0),
            Err(error) => Err(nats(error)),
        }
    }
}

/// The place up to which everything is counted. While nothing is in hand, that is all that was delivered: after a
/// cluster of servers was parted, the place up to which everything is acknowledged may stay behind for good.
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
    fn with_nothing_in_hand_all_that_was_delivered_is_counted() {
        assert_eq!(counted(9, 9, 0), 9);
        assert_eq!(counted(9, 5, 0), 9, "the acknowledgements were lost with a leader");
        assert_eq!(counted(9, 5, 1), 5);
    }
}
