use std::time::Duration;

use async_nats::{datetime::DateTime, jetstream::stream::LastRawMessageErrorKind};
use contracts::{Code, Event, Failure, Service, WindowsRecorded, stream};
use kit::{Bus, Error, Lease, Together};
use tokio::{
    sync::{Mutex, Notify},
    time::Instant,
};

/// How long a question waits for what was recorded before it.
const PATIENCE: Duration = Duration::from_secs(2);
/// The pauses between two looks at the consumer grow from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(8));
/// The shortest and the longest time from the beginning of a round to that of the next.
const PACE: (Duration, Duration) = (Duration::from_millis(25), Duration::from_millis(200));

/// Up to where the recorded windows are counted. Questions that come at once look together.
#[derive(Debug)]
pub(crate) struct Progress {
    bus: Bus,
    /// That whoever answers as the stream's leader is the only one.
    lease: Lease,
    /// The last place in the stream with recorded windows.
    recorded: Together<Result<u64, Failure>>,
    /// What is counted, as the last question about it heard.
    floor: Mutex<Floor>,
    /// Somebody waits for what is not counted yet.
    hurry: Notify,
    /// A round of ours has come to its end.
    counted: Notify,
}

/// Everything up to a place is counted.
#[derive(Clone, Copy, Debug, Default)]
struct Floor {
    place: u64,
    /// When the stream was made that the place is of.
    of: Option<DateTime>,
}

impl Progress {
    pub(crate) fn new(bus: Bus) -> Self {
        let (lease, recorded) = (Lease::default(), Together::default());
        Self { bus, lease, recorded, floor: Mutex::default(), hurry: Notify::new(), counted: Notify::new() }
    }

    /// Waits until every window is counted that was recorded before now.
    ///
    /// A window is answered 201 once its event is in the stream, and its event is acknowledged once
    /// its days are stored. So it is enough that nothing of what is in the stream now lies behind the
    /// point up to which our consumer has acknowledged everything. All replicas share the consumer,
    /// so it does not matter which of them has counted.
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

    /// Tells those who wait that a round is over that began then, and rests for as long as it took
    /// and a little more: those who record share MongoDB with us, and a round of many windows is
    /// hardly more work than one of few. Not while somebody waits for an answer.
    pub(crate) async fn rest(&self, begun: Instant) {
        self.counted.notify_waiters();
        let (shortest, longest) = PACE;
        let until = begun + (begun.elapsed() * 2).clamp(shortest, longest);
        tokio::select! {
            () = tokio::time::sleep_until(until) => {}
            () = self.hurry.notified() => {}
        }
    }

    /// The last place with recorded windows, of a look that began after the question was here: our
    /// own, or one that somebody began while we waited for another one to end.
    async fn recorded(&self) -> Result<u64, Error> {
        let look = async { self.look().await.map_err(|error| error.to_failure()) };
        self.recorded.look(look).await.map_err(Error::from)
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

    /// Mostly nothing comes after what is known to be counted, and the answer to that is short.
    async fn last_place(&self) -> Result<u64, Error> {
        loop {
            let known = *self.floor.lock().await;
            let (comes_after, (made, last)) = tokio::try_join!(self.comes_after(known.place), self.stream())?;
            if known.of == Some(made) && known.place <= last {
                return if comes_after { self.last_recorded().await } else { Ok(known.place) };
            }
            // The stream was made anew: nothing would ever come after a place of the old one.
            *self.floor.lock().await = Floor { place: 0, of: Some(made) };
        }
    }

    async fn until_counted(&self, place: u64) -> Result<(), Error> {
        let (mut pause, longest) = PAUSES;
        loop {
            let mut floor = self.floor.lock().await;
            if floor.place < place {
                floor.place = self.acknowledged().await?.max(floor.place);
            }
            if floor.place >= place {
                return Ok(());
            }
            drop(floor);
            self.hurry.notify_one();
            // Another replica may have what we wait for.
            tokio::select! {
                () = self.counted.notified() => {}
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(longest),
            }
        }
    }

    /// Everything up to this place in the stream is counted.
    async fn acknowledged(&self) -> Result<u64, Error> {
        let stream = self.bus.jetstream.get_stream_no_info(stream::EVENTS).await.map_err(nats)?;
        let info = stream.consumer_info(Service::Analytics.name()).await.map_err(nats)?;
        Ok(info.ack_floor.stream_sequence)
    }

    /// When the stream was made, and its last place.
    async fn stream(&self) -> Result<(DateTime, u64), Error> {
        let stream = self.bus.jetstream.get_stream(stream::EVENTS).await.map_err(nats)?;
        let info = stream.cached_info();
        Ok((info.created, info.state.last_sequence))
    }

    /// Whether windows were recorded after this place. The stream's leader is asked: a follower may
    /// not have heard of the last ones.
    async fn comes_after(&self, place: u64) -> Result<bool, Error> {
        let stream = self.bus.jetstream.get_stream_no_info(stream::EVENTS).await.map_err(nats)?;
        match stream.get_first_raw_message_by_subject(WindowsRecorded::filter(), place + 1).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(false),
            Err(error) => Err(nats(error)),
        }
    }

    /// The last place where windows were recorded.
    async fn last_recorded(&self) -> Result<u64, Error> {
        let stream = self.bus.jetstream.get_stream_no_info(stream::EVENTS).await.map_err(nats)?;
        match stream.get_last_raw_message_by_subject(&WindowsRecorded::filter()).await {
            Ok(message) => Ok(message.sequence),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(0),
            Err(error) => Err(nats(error)),
        }
    }
}

fn nats(error: impl Into<async_nats::Error>) -> Error {
    Error::Nats(error.into())
}
