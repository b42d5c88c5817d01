use std::time::Duration;

use async_nats::jetstream::stream::LastRawMessageErrorKind;
use contracts::{Code, Event, Failure, Service, WindowsRecorded, stream};
use kit::{Bus, Error};
use tokio::time::Instant;

/// How long a question waits for what was recorded before it.
const PATIENCE: Duration = Duration::from_secs(2);
/// The pauses between two looks at the consumer grow from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(40));

/// Waits until every window is counted that was recorded before now.
///
/// A window is answered 201 once its event is in the stream, and its event is acknowledged once
/// its days are stored. So it is enough that nothing of what is in the stream now lies behind the
/// point up to which our consumer has acknowledged everything. All replicas share the consumer, so
/// it does not matter which of them has counted.
///
/// # Errors
/// [`Code::Unavailable`] after 2 seconds.
pub(crate) async fn until_caught_up(bus: &Bus) -> Result<(), Error> {
    let started = Instant::now();
    let (mut pause, longest) = PAUSES;
    let mut floor = acknowledged(bus).await?;
    // Mostly there is none, and the answer to that is short: all is counted.
    if recorded_after(bus, floor).await?.is_none() {
        return Ok(());
    }
    let Some(last) = last_recorded(bus).await? else { return Ok(()) };
    while floor < last {
        if started.elapsed() > PATIENCE {
            let detail = "What was recorded last is not counted yet. Try again in a moment.";
            return Err(Failure::new(Code::Unavailable, detail).into());
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(longest);
        floor = acknowledged(bus).await?;
    }
    Ok(())
}

/// Everything up to this place in the stream is counted.
async fn acknowledged(bus: &Bus) -> Result<u64, Error> {
    let stream = bus.jetstream.get_stream_no_info(stream::EVENTS).await.map_err(nats)?;
    let info = stream.consumer_info(Service::Analytics.name()).await.map_err(nats)?;
    Ok(info.ack_floor.stream_sequence)
}

/// The first place after this one where windows were recorded. The stream's leader is asked: a
/// follower may not have heard of the last ones.
async fn recorded_after(bus: &Bus, place: u64) -> Result<Option<u64>, Error> {
    let stream = bus.jetstream.get_stream_no_info(stream::EVENTS).await.map_err(nats)?;
    match stream.get_first_raw_message_by_subject(WindowsRecorded::filter(), place + 1).await {
        Ok(message) => Ok(Some(message.sequence)),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(nats(error)),
    }
}

/// The last place where windows were recorded.
async fn last_recorded(bus: &Bus) -> Result<Option<u64>, Error> {
    let stream = bus.jetstream.get_stream_no_info(stream::EVENTS).await.map_err(nats)?;
    match stream.get_last_raw_message_by_subject(&WindowsRecorded::filter()).await {
        Ok(message) => Ok(Some(message.sequence)),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(nats(error)),
    }
}

fn nats(error: impl Into<async_nats::Error>) -> Error {
    Error::Nats(error.into())
}
