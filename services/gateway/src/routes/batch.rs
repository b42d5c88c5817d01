use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
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
    extract::{Text, parse},
    ingest::Submitted,
};

/// The largest size of a decompressed batch, in bytes.
const BATCH_BYTES: usize = 900 * 1024;
/// The largest number of windows in a batch.
const BATCH_WINDOWS: usize = 500;
/// The number of windows of a batch that are deserialized before other requests have their turn.
const READ_AT_ONCE: usize = 32;

/// Windows that are sent together. Each window is checked separately, so an invalid window does not
/// affect the others.
#[derive(Deserialize, ToSchema)]
pub(super) struct Batch<'a> {
    /// The windows: 1 to 500.
    #[serde(borrow)]
    #[schema(value_type = Vec<WindowSent>, min_items = 1, max_items = 500)]
    windows: Vec<&'a RawValue>,
}

/// The results of the windows in a batch, in the order in which the windows were sent.
#[derive(Serialize, ToSchema)]
pub(super) struct BatchAnswer {
    items: Vec<BatchItem>,
}

/// The result of one window in a batch.
#[derive(Serialize, ToSchema)]
struct BatchItem {
    /// The id of the window. It is missing if the window is invalid and has no id.
    #[schema(value_type = Option<String>, format = Uuid)]
    id: Option<WindowId>,
    /// The status of the window.
    status: ItemStatus,
    /// The reason, as a code for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "not_on_project")]
    code: Option<Code>,
    /// The reason, as a sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The path at which the status of a queued window can be requested later.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
}

/// The status of a window in a batch.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ItemStatus {
    /// The window is recorded.
    Stored,
    /// The same window was recorded before.
    Duplicate,
    /// The id belongs to a window with other content.
    Conflict,
    /// A rule does not allow to record the window.
    Rejected,
    /// The window is accepted, but not recorded yet.
    Queued,
}

/// Record many windows at once.
///
/// Send up to 500 windows in a body of up to 900 KiB, plain or compressed
/// (`Content-Encoding: gzip`, `zstd` or `deflate`; the limit applies to the decompressed body). If
/// no response arrives, send the batch again: each window is recorded only once.
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
    Text(text): Text<BATCH_BYTES>,
) -> Result<Response, Problem> {
    // A batch is kept as text until its turn comes, because deserialized windows would take more
    // memory.
    let bytes = text.len();
    let windows = windows_in(text)?;
    let turn = app.ingest.turns().take(windows.len(), bytes).await?;
    let now = app.clock.now();
    let (mut good, mut read_ids) = (Vec::with_capacity(windows.len()), Vec::with_capacity(windows.len()));
    for (n, window) in (1..).zip(windows) {
        read_ids.push(match read(employee, now, &window) {
            Ok(item) => {
                let id = item.id;
                good.push(item);
                Ok(id)
            }
            Err(failure) => Err((sent_id(&window), failure)),
        });
        // Without this, other requests would wait until the whole batch is deserialized.
        if n % READ_AT_ONCE == 0 {
            tokio::task::yield_now().await;
        }
    }
    let mut submitted = app.ingest.submit(good, until(&headers)).await.into_iter();
    drop(turn);
    let mut items = Vec::with_capacity(read_ids.len());
    for id in read_ids {
        items.push(match id {
            Err((id, failure)) => BatchItem::refused(id, ItemStatus::Rejected, failure),
            Ok(id) => match submitted.next() {
                Some(Ok(submitted)) => BatchItem::settled(&app.base, id, submitted),
                // The windows of the batch that the stream has acknowledged are not lost. When the
                // client sends the batch again, they are duplicates.
                Some(Err(failure)) => return Err(failure.into()),
                None => return Err(Failure::new(Code::Internal, "Something went wrong on our side.").into()),
            },
        });
    }
    let is_queued = items.iter().any(|item| item.status == ItemStatus::Queued);
    let status = if is_queued { StatusCode::ACCEPTED } else { StatusCode::OK };
    Ok((status, applied(status, &headers), Json(BatchAnswer { items })).into_response())
}

/// The JSON of each window in a batch. All of them share the memory of `text`.
///
/// # Errors
/// 400 when the text is not a batch, or the number of windows is not 1 to 500.
fn windows_in(text: Bytes) -> Result<Vec<Bytes>, Failure> {
    let Batch { windows } = parse(&text)?;
    if windows.is_empty() || windows.len() > BATCH_WINDOWS {
        return Err(Failure::field("windows", format!("must hold 1 to {BATCH_WINDOWS} windows")));
    }
    Ok(windows.iter().map(|window| text.slice_ref(window.get().as_bytes())).collect())
}

/// The id in a window that cannot be deserialized. The response contains the id, so that the client
/// knows which window was rejected.
fn sent_id(json: &[u8]) -> Option<WindowId> {
    #[derive(Deserialize)]
    struct Named {
        id: Value,
    }
    let named: Named = serde_json::from_slice(json).ok()?;
    named.id.as_str()?.parse().ok()
}

fn read(employee_id: EmployeeId, received_at: Millis, json: &[u8]) -> Result<IngestItem, Failure> {
    item(employee_id, received_at, parse::<WindowSent>(json)?)
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
