use std::collections::HashMap;

use anyhow::Context;
use bson::{Bson, Document, doc};
use contracts::{Label, ListOverlaps, OverlapCursor, ProjectId, TaskId, TimeRange, WINDOW_MOST, WindowId};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use kit::{Error, mongo};
use mongodb::{Collection, options::Hint};
use serde::Deserialize;

use super::{Stretch, WindowStore, windows::by_employee};
use crate::domain::Span;

/// The number of documents that MongoDB returns at once.
const BATCH: u32 = 2_500;

/// The fields of a window that the list of overlaps shows.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Party {
    pub(crate) project_id: ProjectId,
    pub(crate) task_id: TaskId,
    pub(crate) computer: Label,
    pub(crate) hwid: Label,
}

#[derive(Debug, Deserialize)]
struct StoredParty {
    #[serde(rename = "_id")]
    id: WindowId,
    window: Party,
}

impl WindowStore {
    /// The windows that are needed to find the overlaps of a request after its cursor, ordered by
    /// employee, start and id. They are read from the index alone.
    ///
    /// A window that touches the range starts up to 24 hours before it. A window that it may lose
    /// time to starts up to 24 hours before that. A window that may lose time to it starts up to 24
    /// hours after the range.
    pub(crate) async fn spans(
        &self,
        list: &ListOverlaps,
    ) -> Result<impl Stream<Item = Result<Span, Error>> + Send + Unpin + use<>, Error> {
        let (first, last) = (list.range.start() - WINDOW_MOST - WINDOW_MOST, list.range.end() + WINDOW_MOST);
        let mut questions = Vec::new();
        let mut who = Document::new();
        if let Some(OverlapCursor { employee_id, start, .. }) = list.after {
            let from = first.max(start - WINDOW_MOST);
            questions.push(doc! {
                "window.employeeId": mongo::value(&employee_id),
                "window.start": { "$gt": from.0, "$lt": last.0 },
                "voided": false,
            });
            who.insert("$gt", mongo::value(&employee_id));
        }
        if !list.employees.is_empty() {
            who.extend(mongo::one_of(&list.employees));
        }
        if who.is_empty() {
            // Without a condition on the first field of the index, MongoDB would scan the whole
            // index and read every window.
            who.insert("$gte", Bson::MinKey);
        }
        questions.push(doc! {
            "window.employeeId": who,
            "window.start": { "$gt": first.0, "$lt": last.0 },
            "voided": false,
        });
        let windows = self.windows.clone_with_type::<Stretch>();
        let spans = stream::iter(questions).then(move |question| spans(windows.clone(), question)).try_flatten();
        Ok(spans.boxed())
    }

    /// The shown fields of these windows. Windows that do not exist are left out.
    pub(crate) async fn parties(
        &self,
        ids: impl IntoIterator<Item = WindowId>,
    ) -> Result<HashMap<WindowId, Party>, Error> {
        let fields = doc! { "window.projectId": 1, "window.taskId": 1, "window.computer": 1, "window.hwid": 1 };
        let windows = self.windows.clone_with_type::<StoredParty>();
        let found = windows.find(doc! { "_id": mongo::one_of(ids) }).projection(fields).batch_size(BATCH).await?;
        Ok(found.map_ok(|stored| (stored.id, stored.window)).try_collect().await?)
    }
}

async fn spans(
    windows: Collection<Stretch>,
    question: Document,
) -> Result<impl Stream<Item = Result<Span, Error>> + Send, Error> {
    let fields = doc! { "window.employeeId": 1, "window.start": 1, "window.end": 1 };
    let order = doc! { "window.employeeId": 1, "window.start": 1, "_id": 1 };
    let found = windows.find(question).projection(fields).sort(order).hint(Hint::Keys(by_employee()));
    Ok(found.batch_size(BATCH).await?.map(|stretch| span(stretch?)))
}

fn span(Stretch { id, window }: Stretch) -> Result<Span, Error> {
    let range = TimeRange::new(window.start, window.end).context("a stored window that is empty")?;
    Ok(Span { employee: window.employee_id, id, range })
}
