use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use contracts::{Code, EmployeeId, Failure, IngestItem, Millis, Outcome, WindowId, WindowSent};
use kit::PublicUrl;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use utoipa::ToSchema;

use super::time_entries::{applied, item, location, until};
use crate::{
    App,
    auth::EmployeeCaller,
    error::Problem,
    extract::{Body, parse},
    ingest::Submitted,
};

/// The most bytes of a batch, decompressed.
const BATCH_BYTES: usize = 900 * 1024;
/// The most windows of a batch.
const BATCH_WINDOWS: usize = 500;

/// Windows that are sent together. Each is checked separately, so a wrong one does not affect the others.
#[derive(Deserialize, ToSchema)]
pub(super) struct Batch {
    /// At most 500 windows.
    #[schema(value_type = Vec<WindowSent>, min_items = 1, max_items = 500)]
    windows: Vec<Box<RawValue>>,
}

/// What happened to the windows of a batch, in the order sent.
#[derive(Serialize, ToSchema)]
pub(super) struct BatchAnswer {
    items: Vec<BatchItem>,
}

/// What happened to one window of a batch.
#[derive(Serialize, ToSchema)]
struct BatchItem {
    /// The window's id; none if a wrong window has none.
    #[schema(value_type = Option<String>, format = Uuid)]
    id: Option<WindowId>,
    /// What happened to it.
    status: ItemStatus,
    /// The reason, as a code for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "not_on_project")]
    code: Option<Code>,
    /// The reason, as a sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Where to ask for its state later.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
}

/// What happened to a window.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ItemStatus {
    /// It is recorded.
    Stored,
    /// The same window was recorded before.
    Duplicate,
    /// Its id belongs to a window with other content.
    Conflict,
    /// It may not be recorded.
    Rejected,
    /// It is accepted, but not yet recorded.
    Queued,
}

/// Record many windows at once.
///
/// Up to 500 windows in a body of up to 900 KiB, plain or compressed (`Content-Encoding: gzip`, `zstd` or
/// `deflate`; the limit applies to the uncompressed body). If you do not get an answer, send the batch again: each
/// window is recorded once.
#[utoipa::path(
    post, path = "/api/v1/time-entries/batch", tag = "Time", security(("employeeToken" = [])),
    params(("Prefer" = Option<String>, Header, description = "`respond-async`: 202 as soon as the windows are safe.", example = "respond-async")),
    request_body = Batch,
    responses(
        (status = 200, description = "All are settled: stored, duplicate, conflict or rejected, each by itself.", body = BatchAnswer),
        (status = 202, description = "Some are queued: safe, but not yet recorded.", body = BatchAnswer),
        (status = 429, description = "`too_many_requests`: its turn has not come within two seconds, or some could not be taken. Send the whole batch again in `Retry-After` seconds."),
    ),
)]
pub(super) async fn post_batch(
    State(app): State<Arc<App>>,
    EmployeeCaller(employee): EmployeeCaller,
    headers: HeaderMap,
    Body(batch): Body<Batch, BATCH_BYTES>,
) -> Result<Response, Problem> {
    if batch.windows.is_empty() || batch.windows.len() > BATCH_WINDOWS {
        return Err(Failure::field("windows", format!("must hold 1 to {BATCH_WINDOWS} windows")).into());
    }
    // Until their turn comes, windows are kept as they were sent, because that takes the least memory.
    let turn = app.ingest.turns().take(batch.windows.len()).await?;
    let now = app.clock.now();
    let mut good = Vec::with_capacity(batch.windows.len());
    let mut read_one = |window: Box<RawValue>| match read(employee, now, &window) {
        Ok(item) => {
            let id = item.id;
            good.push(item);
            Ok(id)
        }
        Err(failure) => Err((sent_id(&window), failure)),
    };
    let read: Vec<_> = batch.windows.into_iter().map(&mut read_one).collect();
    let mut submitted = app.ingest.submit(good, until(&headers)).await.into_iter();
    drop(turn);
    let mut items = Vec::with_capacity(read.len());
    for id in read {
        items.push(match id {
            Err((id, failure)) => BatchItem::refused(id, ItemStatus::Rejected, failure),
            Ok(id) => match submitted.next() {
                Some(Ok(submitted)) => BatchItem::settled(&app.base, id, submitted),
                // The accepted windows are safe. Sent again, they are duplicates.
                Some(Err(failure)) => return Err(failure.into()),
                None => return Err(Failure::new(Code::Internal, "Something went wrong on our side.").into()),
            },
        });
    }
    let is_queued = items.iter().any(|item| item.status == ItemStatus::Queued);
    let status = if is_queued { StatusCode::ACCEPTED } else { StatusCode::OK };
    Ok((status, applied(status, &headers), Json(BatchAnswer { items })).into_response())
}

/// The id in a window that is otherwise wrong. By it the client knows which window was rejected.
fn sent_id(json: &RawValue) -> Option<WindowId> {
    #[derive(Deserialize)]
    struct Named {
        id: Value,
    }
    let named: Named = serde_json::from_str(json.get()).ok()?;
    named.id.as_str()?.parse().ok()
}

fn read(employee_id: EmployeeId, received_at: Millis, json: &RawValue) -> Result<IngestItem, Failure> {
    item(employee_id, received_at, parse::<WindowSent>(json.get().as_bytes())?)
}

impl BatchItem {
    fn refused(id: Option<WindowId>, status: ItemStatus, failure: Failure) -> Self {
        Self { id, status, code: Some(failure.code), detail: Some(failure.detail), location: None }
    }

    fn settled(url: &PublicUrl, id: WindowId, Submitted { seq, outcome, aside }: Submitted) -> Self {
        let plain = |status| Self { id: Some(id), status, code: None, detail: None, location: None };
        match outcome {
            Outcome::Stored(_) => plain(ItemStatus::Stored),
            Outcome::Duplicate(_) => plain(ItemStatus::Duplicate),
            Outcome::Conflict => {
                let detail = "This id belongs to another window. Send this one with an id of its own.";
                Self::refused(Some(id), ItemStatus::Conflict, Failure::new(Code::Conflict, detail))
            }
            Outcome::Rejected { code, detail } => {
                Self::refused(Some(id), ItemStatus::Rejected, Failure::new(code, detail))
            }
            Outcome::Queued => {
                let (code, detail) = aside.map(|why| (why.code, why.detail)).unzip();
                Self { code, detail, location: Some(url.path(&location(id, seq))), ..plain(ItemStatus::Queued) }
            }
        }
    }
}
