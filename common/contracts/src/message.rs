use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::Service;

/// A question or a command to a service, answered by core NATS request/reply on
/// `svc.<service>.v1.<noun>.<verb>`.
pub trait Request: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What comes back.
    type Reply: Serialize + DeserializeOwned + Send + 'static;
    /// Who answers.
    const SERVICE: Service;
    /// `<noun>.<verb>`.
    const NAME: &'static str;
    /// Whether asking twice is the same as asking once: only then is it asked again.
    const IDEMPOTENT: bool;

    /// The subject it is asked on.
    fn subject() -> String {
        format!("svc.{}.v1.{}", Self::SERVICE, Self::NAME)
    }
}

/// Something that happened, on the stream [`stream::EVENTS`], subject
/// `evt.<service>.v1.<noun>.<id>.<past-verb>`.
///
/// It carries the aggregate's new state and its version, so that a consumer can take it twice,
/// late or out of order, and end up right.
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Who says so; of an event that several services tell, whose message it is: it overrides
    /// [`Event::subject`] and [`Event::filter`].
    const SERVICE: Service;
    /// What it happened to.
    const NOUN: &'static str;
    /// What happened.
    const VERB: &'static str;
    /// Whose copies a caller expects to be up to date when the command has answered.
    const AWAITED: &'static [Service];

    /// The aggregate it happened to: the `<id>` of the subject, without dots or spaces.
    fn aggregate(&self) -> String;

    /// The subject it is published on.
    fn subject(&self) -> String {
        format!("evt.{}.v1.{}.{}.{}", Self::SERVICE, Self::NOUN, self.aggregate(), Self::VERB)
    }

    /// The subjects of all events of this kind.
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

/// A page of a long list: replies stay far below NATS's 1 MiB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T, C> {
    /// What is on this page.
    pub items: Vec<T>,
    /// Where the next page starts, if there is one: send it as `after`.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub next: Option<C>,
}

/// The JetStream streams and buckets, by name.
pub mod stream {
    /// All events; limits retention.
    pub const EVENTS: &str = "EVENTS";
    /// The subjects of [`EVENTS`].
    pub const EVENTS_SUBJECTS: &str = "evt.>";
    /// Windows as the desktop apps send them; a work queue that refuses the new when full.
    pub const INGEST: &str = "INGEST";
    /// The subjects of [`INGEST`].
    pub const INGEST_SUBJECTS: &str = "ingest.v1.>";
    /// Messages that no consumer could make sense of, each with its reason.
    pub const DEAD: &str = "DEAD";
    /// The subjects of [`DEAD`].
    pub const DEAD_SUBJECTS: &str = "dead.>";
    /// The key-value bucket of revoked tokens, written by directory, watched by gateways.
    pub const REVOCATIONS: &str = "revocations";
    /// The stream that holds [`REVOCATIONS`].
    pub const REVOCATIONS_STREAM: &str = "KV_revocations";
    /// The subjects of [`REVOCATIONS_STREAM`].
    pub const REVOCATIONS_SUBJECTS: &str = "$KV.revocations.>";

    /// Where messages of `stream` that `consumer` could not take are copied to: each on this subject
    /// and its place in that stream, by which it is found again.
    pub fn dead_subject(stream: &str, consumer: &str) -> String {
        format!("dead.{}.{consumer}", stream.to_lowercase())
    }
}

/// The headers of our messages. The trace context travels beside them as `traceparent`.
pub mod header {
    /// Who is asking: a [`crate::Caller`].
    pub const CALLER: &str = "T3-Caller";
    /// Who acts: a [`crate::Actor`].
    pub const ACTOR: &str = "T3-Actor";
    /// The id of the event that caused the message.
    pub const CAUSE: &str = "T3-Cause";
    /// When the asker stops listening, in milliseconds since 1970 UTC.
    pub const DEADLINE: &str = "T3-Deadline";
    /// The address of the client behind the HTTP request that caused the message.
    pub const ADDRESS: &str = "T3-Address";
    /// The id of the HTTP request that caused the message.
    pub const REQUEST_ID: &str = "T3-Request-Id";
    /// Where an [`crate::Applied`] report of an event is awaited.
    pub const APPLIED_TO: &str = "T3-Applied-To";
    /// Where the answer to an ingested batch is awaited.
    pub const ANSWER_TO: &str = "T3-Answer-To";
    /// That ingested windows came in clients' batches: single posts go first, and the answer says of a stored window
    /// only that it is stored.
    pub const BATCHED: &str = "T3-Batched";
    /// Why a message is dead.
    pub const DEAD_REASON: &str = "T3-Dead-Reason";
    /// The subject a dead message came on.
    pub const DEAD_SUBJECT: &str = "T3-Dead-Subject";
    /// How often a dead message was delivered.
    pub const DEAD_DELIVERIES: &str = "T3-Dead-Deliveries";
}

/// A consumer's word that it has applied an event, to whoever waits for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// The event.
    pub event: crate::EventId,
    /// Who has applied it.
    pub by: Service,
    /// The events that applying it caused: they are awaited in turn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caused: Vec<Awaited>,
}

/// An event, and whose copies are awaited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Awaited {
    /// The event.
    pub event: crate::EventId,
    /// Who is to report it as applied.
    pub by: Vec<Service>,
}
