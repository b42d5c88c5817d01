use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::Service;

/// A request to a service, sent with request/reply of core NATS on the subject
/// `svc.<service>.v1.<noun>.<verb>`.
pub trait Request: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The type of a successful reply.
    type Reply: Serialize + DeserializeOwned + Send + 'static;
    /// The service that handles the request.
    const SERVICE: Service;
    /// The noun and the verb of the subject: `<noun>.<verb>`.
    const NAME: &'static str;
    /// Whether sending the request twice has the same effect as sending it once. Only such a
    /// request is sent again after a failure.
    const IDEMPOTENT: bool;

    /// The subject that the request is sent on.
    fn subject() -> String {
        format!("svc.{}.v1.{}", Self::SERVICE, Self::NAME)
    }
}

/// A change that has happened. It is published to the stream [`stream::EVENTS`] on the subject
/// `evt.<service>.v1.<noun>.<id>.<past-verb>`.
///
/// An event about the state of an aggregate contains the new state and its version, so that a
/// consumer can ignore repeated and late events.
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The service that publishes the event. If several services publish it, this is the service
    /// that owns the message type, which then overrides [`Event::subject`] and [`Event::filter`].
    const SERVICE: Service;
    /// The kind of aggregate that has changed, which is the `<noun>` of the subject.
    const NOUN: &'static str;
    /// What happened, as a verb in the past tense: the `<past-verb>` of the subject.
    const VERB: &'static str;
    /// The services that update their copies by this event. The handler of the request that caused
    /// the event waits for them, up to a time limit, before it answers.
    const AWAITED: &'static [Service];

    /// The id of the aggregate, which is the `<id>` of the subject. It has no dots and no spaces.
    fn aggregate(&self) -> String;

    /// The subject that the event is published on.
    fn subject(&self) -> String {
        format!("evt.{}.v1.{}.{}.{}", Self::SERVICE, Self::NOUN, self.aggregate(), Self::VERB)
    }

    /// The pattern that matches the subjects of all events of this type.
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

/// A page of a long list. Lists are divided into pages so that each reply stays far below NATS's
/// limit of 1 MiB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T, C> {
    /// The items of this page.
    pub items: Vec<T>,
    /// The position of the last item of this page, if another page follows. Send it as `after` to
    /// get the next page.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub next: Option<C>,
}

/// The names of the JetStream streams and of the KV bucket, and their subjects.
pub mod stream {
    /// The stream of all events. It deletes old events by age and by size.
    pub const EVENTS: &str = "EVENTS";
    /// The subjects of [`EVENTS`].
    pub const EVENTS_SUBJECTS: &str = "evt.>";
    /// The stream of posted windows: a work queue. When it is full, it refuses new messages.
    pub const INGEST: &str = "INGEST";
    /// The subjects of [`INGEST`].
    pub const INGEST_SUBJECTS: &str = "ingest.v1.>";
    /// The stream of messages that no consumer could process, each with the reason in its headers.
    pub const DEAD: &str = "DEAD";
    /// The subjects of [`DEAD`].
    pub const DEAD_SUBJECTS: &str = "dead.>";
    /// The KV bucket with which gateways check tokens and API keys. Directory writes the employees'
    /// epochs and roles, the API keys and the ended sessions, and each gateway writes its
    /// heartbeat. Gateways and directory watch it.
    pub const REVOCATIONS: &str = "revocations";
    /// The stream that contains the entries of [`REVOCATIONS`].
    pub const REVOCATIONS_STREAM: &str = "KV_revocations";
    /// The subjects of [`REVOCATIONS_STREAM`].
    pub const REVOCATIONS_SUBJECTS: &str = "$KV.revocations.>";

    /// The subject, in DEAD, of messages of `stream` that `consumer` could not process. Such a
    /// message is published on this subject, followed by a dot and the message's sequence number in
    /// `stream`, so that it can be found by that number.
    pub fn dead_subject(stream: &str, consumer: &str) -> String {
        format!("dead.{}.{consumer}", stream.to_lowercase())
    }
}

/// The headers of messages between services. The W3C header `traceparent` is used too.
pub mod header {
    /// The [`crate::Caller`] of a request.
    pub const CALLER: &str = "T3-Caller";
    /// The [`crate::Actor`] of a request or event.
    pub const ACTOR: &str = "T3-Actor";
    /// The id of the event that caused the message.
    pub const CAUSE: &str = "T3-Cause";
    /// When the sender stops waiting for the reply, in milliseconds since 1970 UTC.
    pub const DEADLINE: &str = "T3-Deadline";
    /// The network address of the client that sent the HTTP request which caused the message.
    pub const ADDRESS: &str = "T3-Address";
    /// The id of the HTTP request that caused the message.
    pub const REQUEST_ID: &str = "T3-Request-Id";
    /// The algorithm with which an event's payload is compressed: `zstd`. A message without this
    /// header is not compressed.
    pub const ENCODING: &str = "Content-Encoding";
    /// The inbox of the handler that waits for the [`crate::Applied`] reports of an event.
    pub const APPLIED_TO: &str = "T3-Applied-To";
    /// The inbox of the gateway that waits for the answer to the windows of a message.
    pub const ANSWER_TO: &str = "T3-Answer-To";
    /// Why a message was moved to DEAD.
    pub const DEAD_REASON: &str = "T3-Dead-Reason";
    /// The subject that a message in DEAD was published on first.
    pub const DEAD_SUBJECT: &str = "T3-Dead-Subject";
    /// How many times a message in DEAD was delivered before it was given up.
    pub const DEAD_DELIVERIES: &str = "T3-Dead-Deliveries";
}

/// The report of a consumer that it has applied an event. It is sent to the handler that waits
/// until the event is applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// The id of the event.
    pub event: crate::EventId,
    /// The service that has applied it.
    pub by: Service,
    /// The events that the consumer has caused by applying this event. The handler waits for them
    /// too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caused: Vec<Awaited>,
}

/// An event, and the services that a handler waits for before it answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Awaited {
    /// The id of the event.
    pub event: crate::EventId,
    /// The services that must report the event as applied.
    pub by: Vec<Service>,
}
