//! Recording of windows: the messages that gateways publish to the stream INGEST, and the answers
//! of timetrack's workers.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Code, ContentHash, EmployeeId, Millis, WindowId, WindowSent};

/// The subject of windows that clients posted one at a time.
pub const INGEST_WINDOWS: &str = "ingest.v1.windows";
/// The subject of windows that a client posted together in one request. These messages have their
/// own consumer, so that single posts do not wait behind a client that posts many windows after an
/// outage. The answer to such a message says which windows are recorded, but does not contain the
/// recorded windows.
pub const INGEST_BATCHES: &str = "ingest.v1.batches";
/// The name of the durable consumer of [`INGEST_BATCHES`]. The consumer of [`INGEST_WINDOWS`] has
/// the name of its service, `timetrack`.
pub const INGEST_BATCHES_CONSUMER: &str = "timetrack_batches";

/// The content of one message in INGEST: the windows of one client's batch, or several single posts
/// that waited at the same moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestBatch {
    /// The windows. The answer has its outcomes in the same order.
    pub items: Vec<IngestItem>,
}

/// A window in INGEST. The gateway has already checked its format and limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IngestItem {
    /// The id of the window.
    pub id: WindowId,
    /// The employee who sent the window.
    pub employee_id: EmployeeId,
    /// When the window reached the gateway.
    pub received_at: Millis,
    /// A hash of all fields of the window. Equal hashes mean that two windows are the same.
    /// Different hashes do not prove that two windows differ: [`crate::WindowContent`] decides
    /// that.
    pub hash: ContentHash,
    /// The window as it was sent.
    pub window: WindowSent,
    /// The trace of the HTTP request that posted the window (the W3C header `traceparent`), if
    /// traces are collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// The answer to one message: what happened to each window, in the order of the message.
#[derive(Debug, Serialize, Deserialize)]
pub struct IngestAnswer {
    /// One outcome for each window.
    pub items: Vec<Outcome>,
    /// The reasons of windows that have the outcome [`Outcome::Queued`]. A window that only waits
    /// for an event about its employee, project or task has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<SetAside>,
}

/// Why a window is quarantined, for a window that may still be recorded: by itself at a later time,
/// or when an admin admits it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// The index of the window in the message.
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
    /// The window is recorded, written to the journals of a majority of replicas. Contains the
    /// [`crate::Window`] as JSON, or `null` if the message was sent on [`INGEST_BATCHES`].
    Stored(Box<RawValue>),
    /// The same window was recorded before. Contains the [`crate::Window`] in its present state as
    /// JSON, or `null` if the message was sent on [`INGEST_BATCHES`].
    Duplicate(Box<RawValue>),
    /// The id belongs to another window: one with other content ([`crate::WindowContent`]), or of
    /// another employee.
    Conflict,
    /// A rule forbids recording the window, so it is quarantined.
    Rejected {
        /// The reason, as a code for programs.
        code: Code,
        /// The reason, as a sentence for people.
        detail: String,
    },
    /// The window is quarantined and may still be recorded. [`IngestAnswer::set_aside`] has the
    /// reason, unless the window only waits for an event about its employee, project or task.
    Queued,
}
