use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::Duration,
};

use anyhow::anyhow;
use bson::{Document, doc};
use contracts::{
    Code, EmployeeId, FactSum, Failure, Label, Millis, ProjectId, RatePart, Rates, TaskId, TimeRange, WINDOW_MOST,
    WindowFact, WindowId,
};
use futures::{StreamExt, TryStreamExt, stream};
use kit::{
    Database, Error, Shape,
    mongo::{index, one_of, taken, value},
};
use mongodb::{Collection, options::Hint};
use serde::{Deserialize, Serialize};

use super::{bulk, read_all};
use crate::domain::{EmployeeDay, Place, UtcMonth, latest};

/// How often facts are written at most when other writers change the same windows at the same time.
const TRIES: u32 = 50;
/// The pause before each new attempt.
const PAUSE: Duration = Duration::from_millis(5);
/// The most time ranges in one query. [`AT_ONCE`] such queries run at the same time.
const PLACES_AT_ONCE: usize = 32;
const AT_ONCE: usize = 4;

/// Whether a new fact (second argument) replaces the stored fact of the same window (first
/// argument).
type Rule = fn(&WindowFact, &WindowFact) -> bool;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: WindowId,
    revision: i64,
    employee: EmployeeId,
    project: ProjectId,
    task: TaskId,
    shift: Label,
    start: Millis,
    end: Millis,
    billable: bool,
    overtime: bool,
    rates: Rates,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rate_parts: Vec<RatePart>,
    voided: bool,
    /// The employees and time ranges of earlier revisions. The sums there must be recomputed too,
    /// also when the event is redelivered after the new fact was stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    moved_from: Vec<Stood>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stood {
    employee: EmployeeId,
    start: Millis,
    end: Millis,
}

impl From<WindowFact> for Row {
    fn from(fact: WindowFact) -> Self {
        Self {
            id: fact.id,
            revision: fact.revision,
            employee: fact.employee_id,
            project: fact.project_id,
            task: fact.task_id,
            shift: fact.shift_id,
            start: fact.start,
            end: fact.end,
            billable: fact.billable,
            overtime: fact.overtime,
            rates: fact.rates,
            rate_parts: fact.rate_parts,
            voided: fact.voided,
            moved_from: Vec::new(),
        }
    }
}

impl From<Row> for WindowFact {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            revision: row.revision,
            employee_id: row.employee,
            project_id: row.project,
            task_id: row.task,
            shift_id: row.shift,
            start: row.start,
            end: row.end,
            billable: row.billable,
            overtime: row.overtime,
            rates: row.rates,
            rate_parts: row.rate_parts,
            voided: row.voided,
        }
    }
}

impl Row {
    fn stands(&self) -> Stood {
        Stood { employee: self.employee, start: self.start, end: self.end }
    }

    /// The time ranges of all revisions of this window that were stored.
    fn places(&self) -> impl Iterator<Item = Place> {
        let stood = self.moved_from.iter().copied().chain([self.stands()]);
        stood.map(|Stood { employee, start, end }| Place { employee, start, end })
    }

    /// The document after this one, for a later revision of the window. It keeps the former time
    /// ranges.
    fn follow(self, fact: WindowFact) -> Self {
        let (stood, mut moved_from) = (self.stands(), self.moved_from);
        let next = Self::from(fact);
        if next.stands() != stood && !moved_from.contains(&stood) {
            moved_from.push(stood);
        }
        Self { moved_from, ..next }
    }
}

/// The collection with one document for each window: its fact with the highest revision. A document
/// is removed only if timetrack has no such window.
#[derive(Debug)]
pub(crate) struct Facts {
    rows: Collection<Row>,
}

impl Facts {
    pub(super) fn shape() -> Shape {
        ("facts", [by_employee(), by_shift()].map(index).into())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self { rows: db.collection("facts") }
    }

    /// Stores facts that are new or have a higher revision. Returns the present and former time
    /// ranges of all these windows, also of facts that were already stored: the sums of these times
    /// must be recomputed.
    pub(crate) async fn take(&self, facts: Vec<WindowFact>) -> Result<Vec<Place>, Error> {
        self.store(facts, |known, fact| fact.revision > known.revision).await
    }

    /// Stores facts, and also replaces a stored fact that differs at the same revision. For facts
    /// that timetrack has sent as their present state.
    pub(crate) async fn heal(&self, facts: Vec<WindowFact>) -> Result<Vec<Place>, Error> {
        self.store(facts, |known, fact| fact.revision >= known.revision && fact != known).await
    }

    /// Inserts the facts of new windows, and replaces stored facts where `comes_before` says so.
    /// Returns the present and former time ranges of all these windows.
    async fn store(&self, facts: Vec<WindowFact>, comes_before: Rule) -> Result<Vec<Place>, Error> {
        let mut places: Vec<Place> = facts.iter().map(Place::of).collect();
        let mut known = self.insert_new(latest(facts)).await?;
        for _ in 0..TRIES {
            if known.is_empty() {
                return Ok(places);
            }
            known = self.replace(known, comes_before, &mut places).await?;
            if !known.is_empty() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        Err(Failure::new(Code::Unavailable, "Too many changes of the same windows at once.").into())
    }

    /// Inserts the facts of new windows. Returns the facts of windows that are already stored.
    async fn insert_new(&self, facts: HashMap<WindowId, WindowFact>) -> Result<HashMap<WindowId, WindowFact>, Error> {
        let facts: Vec<WindowFact> = facts.into_values().collect();
        if facts.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = facts.iter().cloned().map(Row::from);
        let Err(error) = self.rows.insert_many(rows).ordered(false).await else { return Ok(HashMap::new()) };
        let met = taken(&error).ok_or(error)?;
        Ok(met.into_iter().filter_map(|n| facts.get(n)).map(|fact| (fact.id, fact.clone())).collect())
    }

    /// Replaces stored facts where `comes_before` says so, and adds the time ranges of all stored
    /// ones to `places`. Returns the facts to try again: those with a concurrent change, and those
    /// whose document was inserted concurrently and is not yet on a majority.
    async fn replace(
        &self,
        mut facts: HashMap<WindowId, WindowFact>,
        comes_before: Rule,
        places: &mut Vec<Place>,
    ) -> Result<HashMap<WindowId, WindowFact>, Error> {
        let stored: Vec<Row> = self.rows.find(doc! { "_id": one_of(facts.keys()) }).await?.try_collect().await?;
        let mut newer = Vec::new();
        for row in stored {
            places.extend(row.places());
            let fact = facts.remove(&row.id).ok_or_else(|| anyhow!("a fact that nobody asked for"))?;
            let (id, revision) = (row.id, row.revision);
            let known = WindowFact::from(row.clone());
            if comes_before(&known, &fact) {
                newer.push((doc! { "_id": value(&id), "revision": revision }, row.follow(fact)));
            }
        }
        let mut lost = bulk::replace_all(&self.rows, &newer).await?;
        lost.sort_unstable();
        for position in lost.into_iter().rev() {
            let fact = WindowFact::from(newer.swap_remove(position).1);
            facts.insert(fact.id, fact);
        }
        Ok(facts)
    }

    /// The facts of the windows, voided ones excepted, that reach into any of these time ranges of
    /// employees. A fact may be returned twice.
    pub(crate) async fn reaching_into(&self, places: Vec<Place>) -> Result<Vec<WindowFact>, Error> {
        let loads = places.chunks(PLACES_AT_ONCE).map(|places| {
            let any: Vec<Document> = places.iter().map(|place| touching(*place)).collect();
            async move {
                let found = self.rows.find(doc! { "$or": any }).hint(Hint::Keys(by_employee())).await?;
                Ok::<_, Error>(found.map_ok(WindowFact::from).try_collect::<Vec<_>>().await?)
            }
        });
        let loads: Vec<_> = loads.collect();
        let loaded: Vec<Vec<WindowFact>> = stream::iter(loads).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(loaded.into_iter().flatten().collect())
    }

    /// For each of these employees and each UTC month: the number of the employee's windows that
    /// begin in the month, the sum of their revisions and the sum of their lengths.
    pub(crate) async fn sums(&self, employees: &BTreeSet<EmployeeId>) -> Result<HashSet<FactSum>, Error> {
        let these = doc! { "$match": { "employee": one_of(employees) } };
        let start = doc! { "$toDate": "$start" };
        let month = doc! { "$add": [{ "$multiply": [{ "$year": &start }, 100] }, { "$month": &start }] };
        let group = doc! { "$group": {
            "_id": { "employee": "$employee", "month": month },
            "windows": { "$sum": 1_i64 },
            "revisions": { "$sum": { "$toLong": "$revision" } },
            "time": { "$sum": { "$toLong": { "$subtract": ["$end", "$start"] } } },
        } };
        let shown = doc! { "$project": {
            "_id": 0, "employeeId": "$_id.employee", "month": { "$toInt": "$_id.month" },
            "windows": 1, "revisions": 1, "time": 1,
        } };
        let sums = self.rows.aggregate([these, group, shown]).with_type::<FactSum>().await?;
        Ok(sums.try_collect().await?)
    }

    /// The facts of an employee's windows that begin in a time range.
    pub(crate) async fn beginning(&self, place: Place) -> Result<HashMap<WindowId, WindowFact>, Error> {
        let filter = doc! {
            "employee": value(&place.employee),
            "start": { "$gte": place.start.0, "$lt": place.end.0 },
            "end": { "$gt": place.start.0, "$lt": (place.end + WINDOW_MOST).0 },
        };
        let found = self.rows.find(filter).hint(Hint::Keys(by_employee())).await?;
        Ok(found.map_ok(|row| (row.id, row.into())).try_collect().await?)
    }

    /// The stored facts of these windows.
    pub(crate) async fn known(&self, ids: &[WindowId]) -> Result<HashMap<WindowId, WindowFact>, Error> {
        let found = self.rows.find(doc! { "_id": one_of(ids) }).await?;
        Ok(found.map_ok(|row| (row.id, row.into())).try_collect().await?)
    }

    /// Removes the fact of a window that timetrack does not have, unless the fact has another
    /// revision now. Returns whether it was removed.
    pub(crate) async fn forget(&self, fact: &WindowFact) -> Result<bool, Error> {
        let this = doc! { "_id": value(&fact.id), "revision": fact.revision };
        Ok(self.rows.delete_one(this).await?.deleted_count > 0)
    }

    /// The employees who have facts.
    pub(crate) async fn employees(&self) -> Result<BTreeSet<EmployeeId>, Error> {
        read_all(self.rows.distinct("employee", doc! {}).await?)
    }

    /// The months that the windows of an employee touch.
    pub(crate) async fn months_of(&self, employee: EmployeeId) -> Result<BTreeSet<UtcMonth>, Error> {
        let stood = self.rows.clone_with_type::<Stood>();
        let found =
            stood.find(doc! { "employee": value(&employee) }).projection(stands()).hint(Hint::Keys(by_employee()));
        let mut found = found.await?;
        let mut months = BTreeSet::new();
        while let Some(Stood { employee, start, end }) = found.try_next().await? {
            months.extend(Place { employee, start, end }.days().map(|day| day.month().month));
        }
        Ok(months)
    }

    /// The UTC days in a range on which these employees have windows of these shifts that are not
    /// voided. An empty list of employees means all.
    pub(crate) async fn days_of_shifts(
        &self,
        range: TimeRange,
        shifts: &[Label],
        employees: &[EmployeeId],
    ) -> Result<BTreeSet<EmployeeDay>, Error> {
        let mut filter = doc! {
            "shift": one_of(shifts),
            "start": { "$gt": (range.start() - WINDOW_MOST).0, "$lt": range.end().0 },
            "end": { "$gt": range.start().0 },
            "voided": false,
        };
        if !employees.is_empty() {
            filter.insert("employee", one_of(employees));
        }
        let stood = self.rows.clone_with_type::<Stood>();
        let mut found = stood.find(filter).projection(stands()).hint(Hint::Keys(by_shift())).await?;
        let mut days = BTreeSet::new();
        while let Some(Stood { employee, start, end }) = found.try_next().await? {
            let inside = |day: &EmployeeDay| TimeRange::of_utc_day(day.day).clip(range).is_some();
            days.extend(Place { employee, start, end }.days().filter(inside));
        }
        Ok(days)
    }
}

/// The projection to the fields of [`Stood`]. A query by employee alone reads these fields from the
/// index, and reads no document.
fn stands() -> Document {
    doc! { "_id": 0, "employee": 1, "start": 1, "end": 1 }
}

/// Matches windows of an employee that reach into a time range and are not voided. No window is
/// longer than [`WINDOW_MOST`], so a window that starts before the range ends has its own end at
/// most that much later. This limits the scan of the index.
fn touching(Place { employee, start, end }: Place) -> Document {
    doc! {
        "employee": value(&employee),
        "end": { "$gt": start.0, "$lt": (end + WINDOW_MOST).0 },
        "start": { "$lt": end.0 },
        "voided": false,
    }
}

fn by_employee() -> Document {
    doc! { "employee": 1, "end": 1, "start": 1 }
}

fn by_shift() -> Document {
    doc! { "shift": 1, "start": 1, "end": 1, "employee": 1 }
}
