use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::Service;

/// A request to a service, sent as core NATS request/reply on `svc.<service>.v1.<noun>.<verb>`.
pub trait Request: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The type of a successful reply.
    type Reply: Serialize + DeserializeOwned + Send + 'static;
    /// The service that answers.
    const SERVICE: Service;
    /// `<noun>.<verb>`.
    const NAME: &'static str;
    /// Whether a repetition has no further effect. Only then is it sent again after a failure.
    const IDEMPOTENT: bool;

    /// The subject that it is sent on.
    fn subject() -> String {
        format!("svc.{}.v1.{}", Self::SERVICE, Self::NAME)
    }
}

/// A change that has happened, published to the stream [`stream::EVENTS`] on
/// `evt.<service>.v1.<noun>.<id>.<past-verb>`.
///
/// It contains the new state of the aggregate and its version, so that a consumer gets the right state from
/// repeated, late or reordered events.
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The service that publishes it. If several services publish it, the service that owns the message; it
    /// overrides [`Event::subject`] and [`Event::filter`].
    const SERVICE: Service;
    /// The kind of aggregate that has changed.
    const NOUN: &'static str;
    /// What happened, as a verb in the past tense.
    const VERB: &'static str;
    /// The services whose copies must be updated before a command that caused the event answers.
    const AWAITED: &'static [Service];

    /// The id of the aggregate: the `<id>` of the subject, without dots or spaces.
    fn aggregate(&self) -> String;

    /// The subject it is published on.
    fn subject(&self) -> String {
        format!("evt.{}.v1.{}.{}.{}", Self::SERVICE, Self::NOUN, self.aggregate(), Self::VERB)
    }

    /// The pattern of the subjects of all events of this kind.
    fn filter() -> String {
        format!("evt.{}.v1.{}.*.{}", Self::SERVICE, Self::NOUN, Self::VERB)
    }
}

macro_rules! requests {
    ($($service:ident: $name:ty => $reply:ty, $verb:literal $(, $again:ident)?;)*) => {$(
        impl $crate::Request for $name {
            type Reply = $reply;
            const SERVICE: $crate::Service = $crate::Service::$service;
            const NAME: &'static str = $verb;
            const IDEMPOTENT: bool = $crate::message::requests!(@ $($again)?);
        }
    )*};
    (@) => { false };
    (@ idempotent) => { true };
}
pub(crate) use requests;

/// A page of a long list. Pages keep replies far below NATS's limit of 1 MiB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T, C> {
    /// The items of this page.
    pub items: Vec<T>,
    /// Where the next page starts, if there is one: send it as `after`.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub next: Option<C>,
}

/// The JetStream streams and buckets, by name.
pub mod stream {
    /// All events. It drops old events by age and size.
    pub const EVENTS: &str = "EVENTS";
    /// The subjects of [`EVENTS`].
    pub const EVENTS_SUBJECTS: &str = "evt.>";
    /// Windows from desktop apps: a work queue that refuses new messages when it is full.
    pub const INGEST: &str = "INGEST";
    /// The subjects of [`INGEST`].
    pub const INGEST_SUBJECTS: &str = "ingest.v1.>";
    /// Messages that no consumer could process, each with the reason.
    pub const DEAD: &str = "DEAD";
    /// The subjects of [`DEAD`].
    pub const DEAD_SUBJECTS: &str = "dead.>";
    /// The key-value bucket of revoked tokens, written by directory, watched by gateways.
    pub const REVOCATIONS: &str = "revocations";
    /// The stream that holds [`REVOCATIONS`].
    pub const REVOCATIONS_STREAM: &str = "KV_revocations";
    /// The subjects of [`REVOCATIONS_STREAM`].
    pub const REVOCATIONS_SUBJECTS: &str = "$KV.revocations.>";

    /// The subject of messages of `stream` that `consumer` could not process. The sequence number in `stream`
    /// follows, by which a message is found again.
    pub fn dead_subject(stream: &str, consumer: &str) -> String {
        format!("dead.{}.{consumer}", stream.to_lowercase())
    }
}

/// The headers of our messages. The W3C header `traceparent` is used as well.
pub mod header {
    /// The [`crate::Caller`].
    pub const CALLER: &str = "T3-Caller";
    /// The [`crate::Actor`].
    pub const ACTOR: &str = "T3-Actor";
    /// The id of the event that caused the message.
    pub const CAUSE: &str = "T3-Cause";
    /// When the sender stops waiting, in milliseconds since 1970 UTC.
    pub const DEADLINE: &str = "T3-Deadline";
    /// The address of the client behind the HTTP request that caused the message.
    pub const ADDRESS: &str = "T3-Address";
    /// The id of the HTTP request that caused the message.
    pub const REQUEST_ID: &str = "T3-Request-Id";
    /// The algorithm that an event's payload is compressed by: `zstd`, or no header.
    pub const ENCODING: &str = "Content-Encoding";
    /// The inbox that waits for the [`crate::Applied`] report of an event.
    pub const APPLIED_TO: &str = "T3-Applied-To";
    /// The inbox that waits for the answer to queued windows.
    pub const ANSWER_TO: &str = "T3-Answer-To";
    /// Why a message is dead.
    pub const DEAD_REASON: &str = "T3-Dead-Reason";
    /// The original subject of a dead message.
    pub const DEAD_SUBJECT: &str = "T3-Dead-Subject";
    /// The number of deliveries of a dead message.
    pub const DEAD_DELIVERIES: &str = "T3-Dead-Deliveries";
}

/// The report of a consumer that it has applied an event, for the handler that waits for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// The event.
    pub event: crate::EventId,
    /// The service that has applied it.
    pub by: Service,
    /// Events that applying it caused. The handler waits for them too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caused: Vec<Awaited>,
}

/// An event, and the services that a handler waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Awaited {
    /// The event.
    pub event: crate::EventId,
    /// The services that will report it as applied.
    pub by: Vec<Service>,
}
