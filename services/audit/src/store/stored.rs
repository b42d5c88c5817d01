use contracts::{AuditSubject, EventId, Millis};
use serde::{Deserialize, Serialize};

use crate::domain::{Entry, Fact, Hash};

/// The document of an entry. `verify` requires exactly these fields in this order. A later version
/// may add a field if older entries leave the field out: then the older entries stay valid.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Stored {
    #[serde(rename = "_id")]
    pub(super) seq: i64,
    event: EventId,
    at: Millis,
    actor: String,
    action: String,
    subject: AuditSubject,
    request_id: Option<String>,
    cause: Option<EventId>,
    address: Option<String>,
    changes: Option<String>,
    stream_seq: i64,
    /// The hash of the entry, in hexadecimal.
    hash: String,
}

impl From<Entry> for Stored {
    fn from(Entry { seq, fact, hash }: Entry) -> Self {
        Self {
            seq,
            event: fact.event,
            at: fact.at,
            actor: fact.actor,
            action: fact.action,
            subject: AuditSubject { kind: fact.subject_kind, id: fact.subject_id },
            request_id: fact.request_id,
            cause: fact.cause,
            address: fact.address,
            changes: fact.changes,
            stream_seq: fact.stream_seq,
            hash: crate::domain::hex(&hash),
        }
    }
}

impl TryFrom<Stored> for Entry {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, &'static str> {
        let hash: Hash = crate::domain::from_hex(&stored.hash).ok_or("its hash is no SHA-256")?;
        let fact = Fact {
            event: stored.event,
            at: stored.at,
            actor: stored.actor,
            action: stored.action,
            subject_kind: stored.subject.kind,
            subject_id: stored.subject.id,
            request_id: stored.request_id,
            cause: stored.cause,
            address: stored.address,
            changes: stored.changes,
            stream_seq: stored.stream_seq,
        };
        Ok(Self { seq: stored.seq, fact, hash })
    }
}
