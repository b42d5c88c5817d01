use anyhow::Context;
use async_nats::{
    HeaderMap,
    jetstream::{AckKind, Message, message::StreamMessage, stream::DirectGetErrorKind},
};
use contracts::{header, stream};

use crate::{Bus, Error, bus::one_line};

/// Copies a message that cannot be processed to the stream DEAD, with the reason, and then ends the
/// delivery of the message. The delivery ends only after JetStream has acknowledged the copy.
///
/// # Errors
/// When the copy was not acknowledged. Then the message is delivered again.
pub async fn bury(bus: &Bus, message: &Message, reason: &str) -> Result<(), Error> {
    let info = message.info().map_err(Error::Nats)?;
    let subject = format!("{}.{}", stream::dead_subject(info.stream, info.consumer), info.stream_sequence);
    let mut headers = message.headers.clone().unwrap_or_default();
    // The id is the same in every attempt, so that the stream drops a second copy of the message.
    headers.insert(async_nats::header::NATS_MESSAGE_ID, format!("{}.{}", info.consumer, info.stream_sequence));
    headers.insert(header::DEAD_REASON, one_line(reason));
    headers.insert(header::DEAD_SUBJECT, message.subject.as_str());
    headers.insert(header::DEAD_DELIVERIES, info.delivered.to_string());
    let sent = bus.jetstream.publish_with_headers(subject, headers, message.payload.clone()).await;
    sent.map_err(|e| Error::Nats(e.into()))?.await.map_err(|e| Error::Nats(e.into()))?;
    let stream = [stream::EVENTS, stream::INGEST].into_iter().find(|name| *name == info.stream).unwrap_or("other");
    bus.metrics().common().buried.get_or_create(&[("stream", stream)]).inc();
    tracing::error!(reason, subject = %message.subject, deliveries = info.delivered, "a message is dead; its copy is in DEAD");
    message.ack_with(AckKind::Term).await.map_err(Error::Nats)
}

/// A message in the stream DEAD, as operators see it.
#[derive(Clone, Debug)]
pub struct Dead {
    /// The sequence number in the stream DEAD.
    pub seq: u64,
    /// The subject that the message was originally published on.
    pub subject: String,
    /// The consumer that could not process the message, as `dead.<stream>.<consumer>`.
    pub consumer: String,
    /// Why the message could not be processed.
    pub reason: String,
    /// How often the message was delivered.
    pub deliveries: String,
    /// When the message was moved to DEAD, in RFC 3339.
    pub at: String,
    /// The body of the message.
    pub payload: bytes::Bytes,
    /// The headers of the message.
    pub headers: HeaderMap,
}

impl From<StreamMessage> for Dead {
    fn from(message: StreamMessage) -> Self {
        let header = |name: &str| message.headers.get(name).map(ToString::to_string).unwrap_or_default();
        Self {
            seq: message.sequence,
            subject: header(header::DEAD_SUBJECT),
            consumer: message.subject.splitn(4, '.').take(3).collect::<Vec<_>>().join("."),
            reason: header(header::DEAD_REASON),
            deliveries: header(header::DEAD_DELIVERIES),
            at: message.time.to_string(),
            payload: message.payload,
            headers: message.headers,
        }
    }
}

/// The dead message that had the sequence number `seq` in `stream`, if `consumer` could not process
/// it.
///
/// # Errors
/// When JetStream cannot be reached.
pub async fn dead_at(bus: &Bus, stream: &str, consumer: &str, seq: u64) -> Result<Option<Dead>, Error> {
    let dead = bus.jetstream.get_stream_no_info(stream::DEAD).await.map_err(|e| Error::Nats(e.into()))?;
    let subject = format!("{}.{seq}", stream::dead_subject(stream, consumer));
    match dead.direct_get_last_for_subject(subject).await {
        Ok(message) => Ok(Some(message.into())),
        Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::Nats(error.into())),
    }
}

/// The dead messages whose sequence number in DEAD is above `after`, oldest first, at most 100.
///
/// # Errors
/// When JetStream cannot be reached.
pub async fn list_dead(bus: &Bus, after: u64) -> anyhow::Result<Vec<Dead>> {
    let stream = bus.jetstream.get_stream(stream::DEAD).await?;
    let mut found = Vec::new();
    let mut next = after + 1;
    while found.len() < 100 {
        match stream.direct_get_next_for_subject(stream::DEAD_SUBJECTS, Some(next)).await {
            Ok(message) => {
                next = message.sequence + 1;
                found.push(message.into());
            }
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

/// The number of all dead messages, and the oldest of them, at most 100.
///
/// # Errors
/// When JetStream cannot be reached.
pub async fn all_dead(bus: &Bus) -> anyhow::Result<(u64, Vec<Dead>)> {
    let stream = bus.jetstream.get_stream(stream::DEAD).await?;
    let count = stream.cached_info().state.messages;
    Ok((count, if count == 0 { Vec::new() } else { list_dead(bus, 0).await? }))
}

/// Publishes a dead message again on its original subject, and then removes it from DEAD. All
/// consumers of the subject get the message again, which is harmless: they are idempotent.
///
/// # Errors
/// When DEAD has no such message, or the message's stream does not acknowledge it. Then the message
/// stays in DEAD.
pub async fn replay_dead(bus: &Bus, seq: u64) -> anyhow::Result<()> {
    let stream = bus.jetstream.get_stream(stream::DEAD).await?;
    let message = stream.direct_get(seq).await.with_context(|| format!("there is no dead message {seq}"))?;
    let mut headers = HeaderMap::new();
    for (name, values) in message.headers.iter() {
        let ours = [header::DEAD_REASON, header::DEAD_SUBJECT, header::DEAD_DELIVERIES];
        let name: &str = name.as_ref();
        if !ours.contains(&name) && !name.starts_with("Nats-") {
            values.iter().for_each(|value| headers.append(name, value.clone()));
        }
    }
    // With its original id, the stream could drop the message as a duplicate.
    headers.insert(async_nats::header::NATS_MESSAGE_ID, crate::new_id::<contracts::EventId>().to_string());
    let subject = Dead::from(message.clone()).subject;
    bus.jetstream.publish_with_headers(subject, headers, message.payload).await?.await?;
    stream.delete_message(seq).await?;
    Ok(())
}
