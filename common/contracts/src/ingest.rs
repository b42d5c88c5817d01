//! Recording windows: what a gateway publishes to the queue INGEST, and what a worker answers.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Code, ContentHash, EmployeeId, Millis, WindowId, WindowSent};

/// The subject of windows that were posted one by one.
pub const INGEST_WINDOWS: &str = "ingest.v1.windows";
/// The subject of windows that a client sent many of in one request. It has a consumer of its own, so that single
/// posts do not wait behind clients that catch up after an outage. The answer says of a stored one only that it is
/// stored.
pub const INGEST_BATCHES: &str = "ingest.v1.batches";
/// The durable consumer of [`INGEST_BATCHES`]. That of [`INGEST_WINDOWS`] has the name of its service, timetrack.
pub const INGEST_BATCHES_CONSUMER: &str = "timetrack_batches";

/// The content of one message: the batch of one client, or single posts that arrived together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestBatch {
    /// The windows; the answer keeps their order.
    pub items: Vec<IngestItem>,
}

/// A window in the queue. The gateway has checked its format and limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IngestItem {
    /// The window's id.
    pub id: WindowId,
    /// The employee who sent it.
    pub employee_id: EmployeeId,
    /// When it reached the gateway.
    pub received_at: Millis,
    /// A hash of all its fields. Equal hashes mean the same window; different hashes may too
    /// ([`crate::WindowContent`]).
    pub hash: ContentHash,
    /// The window.
    pub window: WindowSent,
    /// The trace of the HTTP request that brought it (W3C `traceparent`), if traces are collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// What happened to each window of a message, in the same order.
#[derive(Debug, Serialize, Deserialize)]
pub struct IngestAnswer {
    /// One outcome for each item.
    pub items: Vec<Outcome>,
    /// The reasons of those that are quarantined but reported as queued.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<SetAside>,
}

/// Why a window is quarantined that may still be recorded: later by itself, or by an admin's decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// Its index in the message.
    pub item: usize,
    /// The reason, as a code for programs.
    pub code: Code,
    /// The reason and what happens next, as sentences for people.
    pub detail: String,
}

/// What happened to one window.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is recorded on a majority, in the journal. The [`crate::Window`], written once; null where the message was
    /// sent on [`INGEST_BATCHES`].
    Stored(Box<RawValue>),
    /// The same window was recorded before. The [`crate::Window`] in its present state, or null.
    Duplicate(Box<RawValue>),
    /// Its id belongs to a window with other content ([`crate::WindowContent`]), or of somebody else.
    Conflict,
    /// It may not be recorded, and is quarantined.
    Rejected {
        /// The reason, as a code for programs.
        code: Code,
        /// The reason, as a sentence for people.
        detail: String,
    },
    /// It is quarantined: it may be early and is tried again, or [`IngestAnswer::set_aside`] has the reason.
    Queued,
}
