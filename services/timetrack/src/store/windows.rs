use std::collections::{BTreeMap, HashMap};

use bson::{Document, doc};
use contracts::{
    Actor, ContentHash, EmployeeId, Filter, Label, ListWindows, Millis, ProjectId, TaskId, TimeRange, WINDOW_MOST,
    WindowContent, WindowId,
};
use futures::{Stream, TryStreamExt};
use kit::{Database, Error, Layouts, Shape, Tx, mongo};
use mongodb::{Collection, options::Hint};
use serde::{Deserialize, Serialize};

use super::stored_window::{Laid, StoredWindow, WINDOWS};

/// The number of documents that MongoDB returns at once.
pub(super) const BATCH: u32 = 250;
/// The most employees whose windows MongoDB merges from the index by employee. For more employees,
/// MongoDB would sort their windows by start instead.
const MOST_MERGED: usize = 200;

/// The id, employee, start and end of a window.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Stretch {
    #[serde(rename = "_id")]
    pub(crate) id: WindowId,
    pub(crate) window: When,
}

/// The last window of an employee: what they work on, and where.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Doing {
    pub(crate) employee_id: EmployeeId,
    pub(crate) project_id: ProjectId,
    pub(crate) task_id: TaskId,
    pub(crate) computer: Label,
    pub(crate) end: Millis,
}

/// The time range of a window, with its employee, project and task.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Worked {
    pub(crate) id: WindowId,
    pub(crate) employee_id: EmployeeId,
    pub(crate) project_id: ProjectId,
    pub(crate) task_id: TaskId,
    pub(crate) range: TimeRange,
}

/// The projection of a window that has the fields of [`Worked`].
#[derive(Debug, Deserialize)]
struct StoredWork {
    #[serde(rename = "_id")]
    id: WindowId,
    window: Work,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Work {
    employee_id: EmployeeId,
    project_id: ProjectId,
    task_id: TaskId,
    start: Millis,
    end: Millis,
}

#[derive(Debug, Deserialize)]
struct StoredDoing {
    window: Doing,
}

/// The fields of [`Stretch`] that are inside the stored `window`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct When {
    pub(crate) employee_id: EmployeeId,
    pub(crate) start: Millis,
    pub(crate) end: Millis,
}

/// The state of a window before an admin corrected or voided it.
#[derive(Debug, Serialize, Deserialize)]
struct Former<W> {
    /// The key: `<window>_<revision>`.
    #[serde(rename = "_id")]
    key: String,
    was: W,
    /// The actor who changed the window; `admin` in documents that earlier versions of the program
    /// wrote.
    changed_by: Option<String>,
    /// When the window was changed.
    changed_at: Millis,
}

/// The result of inserting several windows.
#[derive(Debug)]
pub(crate) struct Inserted {
    /// The ids that were stored already, each with its stored window.
    pub(crate) taken: HashMap<WindowId, StoredWindow>,
    /// The indexes of the windows that were not inserted.
    pub(crate) refused: Vec<usize>,
}

/// The collections of recorded windows and of their former states.
#[derive(Clone, Debug)]
pub(crate) struct WindowStore {
    pub(super) windows: Collection<StoredWindow>,
    history: Collection<Former<StoredWindow>>,
    layouts: Layouts,
}

impl WindowStore {
    pub(super) fn shapes() -> [Shape; 2] {
        let windows = vec![
            mongo::index(by_employee()),
            mongo::index(doc! { "window.projectId": 1, "window.start": 1, "_id": 1 }),
            mongo::index(doc! { "window.taskId": 1, "window.start": 1, "_id": 1 }),
            mongo::index(doc! { "window.shiftId": 1, "window.start": 1, "_id": 1 }),
            mongo::index(by_start()),
        ];
        [("windows", windows), ("window_history", vec![mongo::index(doc! { "was._id": 1 })])]
    }

    pub(super) fn open(db: &Database, layouts: Layouts) -> Self {
        // Windows are read in any layout as `StoredWindow`, and written in the present layout as
        // `Laid`. So the collections are opened with one type and used with the other.
        let windows = db.collection::<Laid<'_>>("windows").clone_with_type();
        let history = db.collection::<Former<Laid<'_>>>("window_history").clone_with_type();
        Self { windows, history, layouts }
    }

    /// The document of a window in the layout that is written now.
    fn laid_out<'a>(&self, window: &'a StoredWindow) -> Laid<'a> {
        window.laid_out(self.layouts.written(&WINDOWS))
    }

    /// Inserts windows with one journaled majority write. A window whose id exists already is not
    /// changed.
    pub(crate) async fn insert(&self, windows: &[StoredWindow]) -> Result<Inserted, Error> {
        let none = Inserted { taken: HashMap::new(), refused: Vec::new() };
        if windows.is_empty() {
            return Ok(none);
        }
        if kit::is_mutant("no_unique_windows") {
            let again: Vec<_> =
                windows.iter().map(|window| StoredWindow { id: kit::new_id(), ..window.clone() }).collect();
            self.windows
                .clone_with_type::<Laid<'_>>()
                .insert_many(again.iter().map(|window| self.laid_out(window)))
                .await?;
            return Ok(none);
        }
        let laid_out = windows.iter().map(|window| self.laid_out(window));
        let inserted = self.windows.clone_with_type::<Laid<'_>>().insert_many(laid_out).ordered(false).await;
        let Err(error) = inserted else { return Ok(none) };
        let refused = mongo::taken(&error).ok_or(error)?;
        let taken = self.under(refused.iter().map(|n| windows[*n].id)).await?;
        // A window with the same id is stored, but it is not on a majority yet and may be lost with
        // the primary. An error makes the message be redelivered until the result is final.
        if refused.iter().any(|n| !taken.contains_key(&windows[*n].id)) {
            return Err(mongo::not_on_majority().into());
        }
        Ok(Inserted { taken, refused })
    }

    /// The windows with these ids. Without ids there is no query.
    pub(crate) async fn under(
        &self,
        ids: impl IntoIterator<Item = WindowId>,
    ) -> Result<HashMap<WindowId, StoredWindow>, Error> {
        let ids: Vec<WindowId> = ids.into_iter().collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let stored = self.windows.find(doc! { "_id": mongo::one_of(&ids) }).await?;
        Ok(stored.map_ok(|window| (window.id, window)).try_collect().await?)
    }

    /// Finds one window: of this employee, or of any employee if none is given.
    pub(crate) async fn find(&self, id: WindowId, employee: Option<EmployeeId>) -> Result<Option<StoredWindow>, Error> {
        let mut filter = doc! { "_id": mongo::value(&id) };
        if let Some(employee) = employee {
            filter.insert("window.employeeId", mongo::value(&employee));
        }
        Ok(self.windows.find_one(filter).await?)
    }

    /// Whether a recorded window was sent with this content. Later corrections do not matter,
    /// because the first state of a corrected window is kept in the history.
    pub(crate) async fn was_sent_as(
        &self,
        stored: &StoredWindow,
        content: WindowContent,
        hash: impl Into<Option<ContentHash>>,
    ) -> Result<bool, Error> {
        if stored.window.employee_id != content.employee_id {
            return Ok(false);
        }
        let hash = hash.into();
        if hash.is_some() && stored.hash == hash {
            return Ok(true);
        }
        let mut first = None;
        if stored.revision > 1 {
            let of_this = doc! { "was._id": mongo::value(&stored.id) };
            first = self.history.find_one(of_this).sort(doc! { "was.revision": 1 }).await?;
        }
        let was = first.as_ref().map_or(&stored.window, |former| &former.was.window);
        Ok(WindowContent::from(was) == content)
    }

    /// The windows that touch a range and match the filter, ordered by start and id: one more than
    /// a page has.
    pub(crate) async fn touching(
        &self,
        list: &ListWindows,
    ) -> Result<impl Stream<Item = mongodb::error::Result<StoredWindow>> + use<>, Error> {
        // No window is longer than 24 hours, so the start is limited on both sides, and so is the
        // scan of the index.
        let (start, end) = (list.range.start(), list.range.end());
        let mut all = vec![
            doc! { "window.start": { "$gt": (start - WINDOW_MOST).0, "$lt": end.0 } },
            doc! { "window.end": { "$gt": start.0 } },
            doc! { "voided": false },
        ];
        all.extend(some_of("window.employeeId", &list.filter.employees));
        all.extend(some_of("window.projectId", &list.filter.projects));
        all.extend(some_of("window.taskId", &list.filter.tasks));
        all.extend(some_of("window.shiftId", &list.filter.shifts));
        if let Some(after) = list.after {
            all.push(doc! { "window.start": { "$gte": after.start.0 } });
            all.push(doc! { "$or": [
                { "window.start": { "$gt": after.start.0 } },
                { "_id": { "$gt": mongo::value(&after.id) } },
            ] });
        }
        let most = list.limit.map_or(kit::PAGE_MOST, |limit| limit.min(kit::PAGE_MOST)) as i64 + 1;
        let by_start = doc! { "window.start": 1, "_id": 1 };
        let mut found = self.windows.find(doc! { "$and": all }).sort(by_start).limit(most).batch_size(BATCH);
        let Filter { employees, projects, tasks, shifts } = &list.filter;
        let only_employees = projects.is_empty() && tasks.is_empty() && shifts.is_empty();
        if only_employees && (1..=MOST_MERGED).contains(&employees.len()) {
            // Without the hint, MongoDB would usually choose the index by start, and read the
            // windows of all employees.
            found = found.hint(Hint::Keys(by_employee()));
        }
        Ok(found.await?)
    }

    /// For each employee, the window that ends last of those that started after `began` and ended
    /// after `ended`. Employees without such a window are left out; the order is that of their ids.
    pub(crate) async fn doing(&self, began: Millis, ended: Millis) -> Result<Vec<Doing>, Error> {
        let fields = ["employeeId", "projectId", "taskId", "computer", "end"];
        let fields: Document = fields.iter().map(|field| (format!("window.{field}"), 1.into())).collect();
        let lately = doc! { "window.start": { "$gt": began.0 }, "window.end": { "$gt": ended.0 }, "voided": false };
        let windows = self.windows.clone_with_type::<StoredDoing>();
        let mut found =
            windows.find(lately).projection(fields).hint(Hint::Keys(by_start())).batch_size(10 * BATCH).await?;
        let mut last: BTreeMap<EmployeeId, Doing> = BTreeMap::new();
        while let Some(StoredDoing { window }) = found.try_next().await? {
            match last.get(&window.employee_id) {
                Some(known) if known.end >= window.end => {}
                _ => drop(last.insert(window.employee_id, window)),
            }
        }
        Ok(last.into_values().collect())
    }

    /// The starts and ends of these employees' windows that start after `after`, and at or before
    /// `until`.
    pub(crate) async fn starting(
        &self,
        employees: impl IntoIterator<Item = EmployeeId>,
        after: Millis,
        until: Millis,
    ) -> Result<Vec<Stretch>, Error> {
        let filter = doc! {
            "window.employeeId": mongo::one_of(employees),
            "window.start": { "$gt": after.0, "$lte": until.0 },
            "voided": false,
        };
        let fields = doc! { "window.employeeId": 1, "window.start": 1, "window.end": 1 };
        let windows = self.windows.clone_with_type::<Stretch>();
        Ok(windows.find(filter).projection(fields).batch_size(10 * BATCH).await?.try_collect().await?)
    }

    /// The work of these employees in windows that start after `after` and before `before`, in any
    /// order.
    pub(crate) async fn worked(
        &self,
        employees: impl IntoIterator<Item = EmployeeId>,
        after: Millis,
        before: Millis,
    ) -> Result<Vec<Worked>, Error> {
        let filter = doc! {
            "window.employeeId": mongo::one_of(employees),
            "window.start": { "$gt": after.0, "$lt": before.0 },
            "voided": false,
        };
        let fields = doc! {
            "window.employeeId": 1, "window.projectId": 1, "window.taskId": 1, "window.start": 1, "window.end": 1,
        };
        let windows = self.windows.clone_with_type::<StoredWork>();
        // Without the hint, MongoDB would usually choose the index by start, and read the windows
        // of all employees.
        let mut found =
            windows.find(filter).projection(fields).hint(Hint::Keys(by_employee())).batch_size(10 * BATCH).await?;
        let mut worked = Vec::new();
        while let Some(StoredWork { id, window }) = found.try_next().await? {
            let Work { employee_id, project_id, task_id, start, end } = window;
            let range = TimeRange::new(start, end).ok();
            worked.extend(range.map(|range| Worked { id, employee_id, project_id, task_id, range }));
        }
        Ok(worked)
    }

    /// Reads the windows with these ids, in a transaction.
    pub(crate) async fn these(&self, tx: &mut Tx<'_>, ids: &[WindowId]) -> Result<Vec<StoredWindow>, Error> {
        let mut found = self.windows.find(doc! { "_id": mongo::one_of(ids) }).session(&mut tx.session).await?;
        Ok(found.stream(&mut tx.session).try_collect().await?)
    }

    /// Reads the window with this id, in a transaction.
    pub(crate) async fn get(&self, tx: &mut Tx<'_>, id: WindowId) -> Result<Option<StoredWindow>, Error> {
        Ok(self.windows.find_one(doc! { "_id": mongo::value(&id) }).session(&mut tx.session).await?)
    }

    /// Removes a window that was just recorded, and neither published nor answered.
    pub(crate) async fn take_back(&self, tx: &mut Tx<'_>, id: WindowId) -> Result<(), Error> {
        self.windows.delete_one(doc! { "_id": mongo::value(&id), "revision": 1 }).session(&mut tx.session).await?;
        Ok(())
    }

    /// Inserts one window in a transaction. The id must not be in use.
    pub(crate) async fn insert_one(&self, tx: &mut Tx<'_>, window: &StoredWindow) -> Result<(), Error> {
        let windows = self.windows.clone_with_type::<Laid<'_>>();
        windows.insert_one(self.laid_out(window)).session(&mut tx.session).await?;
        Ok(())
    }

    /// Replaces a window. Its former state is stored in the history, with who changed it and when.
    pub(crate) async fn replace(
        &self,
        tx: &mut Tx<'_>,
        was: StoredWindow,
        now: &StoredWindow,
        changed_by: Option<Actor>,
    ) -> Result<(), Error> {
        let (windows, this) = (self.windows.clone_with_type::<Laid<'_>>(), doc! { "_id": mongo::value(&was.id) });
        windows.replace_one(this, self.laid_out(now)).session(&mut tx.session).await?;
        let key = format!("{}_{}", was.id, was.revision);
        let former = Former {
            key,
            was: self.laid_out(&was),
            changed_by: changed_by.map(|actor| actor.to_string()),
            changed_at: now.window.updated_at,
        };
        let history = self.history.clone_with_type::<Former<Laid<'_>>>();
        history.insert_one(&former).session(&mut tx.session).await?;
        Ok(())
    }
}

fn by_start() -> Document {
    doc! { "window.start": 1, "_id": 1, "window.end": 1 }
}

/// The keys of the index by employee. They include the end and `voided`, so overlaps are found
/// without reading any document.
pub(super) fn by_employee() -> Document {
    doc! { "window.employeeId": 1, "window.start": 1, "_id": 1, "window.end": 1, "voided": 1 }
}

/// A condition that a field has one of these values; none if there are no values.
pub(super) fn some_of<T: Serialize>(field: &str, values: &[T]) -> Option<Document> {
    (!values.is_empty()).then(|| doc! { field: mongo::one_of(values) })
}
