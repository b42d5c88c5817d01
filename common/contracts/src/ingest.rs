//! The volume path: what a gateway puts on the queue INGEST, and what a worker answers.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Code, ContentHash, EmployeeId, Millis, WindowId, WindowSent};

/// The subject on which windows are queued.
pub const INGEST_WINDOWS: &str = "ingest.v1.windows";

/// Windows on their way: one client's batch, or single posts that arrived together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestBatch {
    /// The windows; the answer keeps their order.
    pub items: Vec<IngestItem>,
}

/// One window on its way, its shape and limits checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IngestItem {
    /// Its id.
    pub id: WindowId,
    /// Who sent it.
    pub employee_id: EmployeeId,
    /// When it reached the gateway.
    pub received_at: Millis,
    /// All that it said: with the same hash it is the same window. With another one it may be too.
    pub hash: ContentHash,
    /// The window.
    pub window: WindowSent,
    /// The trace of the post that brought it (W3C `traceparent`), where traces are collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// What became of each window of a batch, in its order.
#[derive(Debug, Serialize, Deserialize)]
pub struct IngestAnswer {
    /// One outcome for each item.
    pub items: Vec<Outcome>,
    /// What more there is to say of those that are queued.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<SetAside>,
}

/// Why a window is queued that is set aside: it waits for its time, or for an admin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// Its place in the batch.
    pub item: usize,
    /// Why, as a word.
    pub code: Code,
    /// Why, and what happens next, as sentences.
    pub detail: String,
}

/// What became of one window.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is recorded: on a majority, in the journal. The [`crate::Window`], written once; null where the message was
    /// marked with [`crate::header::BATCHED`].
    Stored(Box<RawValue>),
    /// It was recorded before, the same. The [`crate::Window`] as it is now, or null.
    Duplicate(Box<RawValue>),
    /// Its id belongs to other content ([`crate::WindowContent`]), or to somebody else's window.
    Conflict,
    /// It may not be recorded, and is kept in quarantine.
    Rejected {
        /// Why, as a word.
        code: Code,
        /// Why, as a sentence.
        detail: String,
    },
    /// It waits in quarantine: it may only be early and is tried again, or [`IngestAnswer::set_aside`]
    /// says why.
    Queued,
}
