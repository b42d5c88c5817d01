use std::collections::HashMap;

use bson::{Document, doc};
use contracts::{Code, EmployeeId, ListQuarantine, Millis, SettledTime, TimeRange, WindowContent, WindowId, Within};
use futures::{Stream, TryStreamExt};
use kit::{Database, Error, Shape, Tx, mongo};
use mongodb::Collection;
use serde::Deserialize;

use crate::domain::{Decision, Quarantined};

/// How often a write is tried when other writers change the same document.
const TRIES: usize = 5;
/// The most windows with one id that are read.
const MOST_OF_AN_ID: i64 = 100;
/// The number at which the count of windows with one reason stops.
const MOST_COUNTED: u64 = 10_000;

/// The collection of quarantined windows. A document is deleted only when its window is recorded.
///
/// Each document has one content: the same window id with another content is another document. The
/// keys of documents that earlier versions of the program wrote lack the content, so documents are
/// found by their fields.
#[derive(Clone, Debug)]
pub(crate) struct QuarantineStore(Collection<Quarantined>);

impl QuarantineStore {
    pub(super) fn shape() -> Shape {
        let by_id = mongo::index(doc! { "window_id": 1 });
        let by_waiting = mongo::index(doc! { "waiting": 1, "since": 1 });
        let by_due = mongo::index(doc! { "due": 1 });
        let by_code = mongo::index(doc! { "code": 1, "decision": 1, "waiting": 1, "_id": 1 });
        let by_decision = mongo::index(doc! { "decision": 1, "waiting": 1, "_id": 1 });
        let by_age = mongo::index(doc! { "since": 1, "_id": 1 });
        let by_employee = mongo::index(doc! { "item.employeeId": 1, "since": 1, "_id": 1 });
        ("quarantine", vec![by_id, by_waiting, by_due, by_code, by_decision, by_age, by_employee])
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("quarantine"))
    }

    /// Quarantines a window, and returns its document. If the document exists, its content and its
    /// decision stay.
    pub(crate) async fn add(&self, new: Quarantined) -> Result<Quarantined, Error> {
        if kit::is_mutant("quarantine_dropped") {
            return Ok(new);
        }
        for _ in 0..TRIES {
            let Some(known) = self.0.find_one(same(&new)).await? else {
                match self.0.insert_one(&new).await {
                    Ok(_) => return Ok(new),
                    Err(error) if mongo::is_duplicate(&error) => continue,
                    Err(error) => return Err(error.into()),
                }
            };
            let quarantined = known.again(&new);
            // The filter refuses the write if an admin has decided in between. Otherwise the
            // decision would be lost.
            let undecided = doc! { "_id": quarantined.key(), "decision": mongo::value(&known.decision) };
            if self.0.replace_one(undecided, &quarantined).await?.matched_count == 1 {
                return Ok(quarantined);
            }
        }
        Err(mongo::not_on_majority().into())
    }

    /// Removes recorded windows from quarantine. A window with an admin's decision stays, with who
    /// decided and when. If it was discarded, its decision gets the id of the recorded window,
    /// because it was recorded at the same moment. The method reads first, because there is hardly
    /// ever anything to write.
    pub(crate) async fn release(&self, recorded: &[(WindowId, WindowContent)]) -> Result<(), Error> {
        let ids = mongo::one_of(recorded.iter().map(|(id, _)| id));
        let quarantined = self.0.find(doc! { "window_id": ids, "decision.recorded_as": null }).await?;
        let mut quarantined: Vec<Quarantined> = quarantined.try_collect().await?;
        quarantined.retain(|quarantined| recorded.contains(&(quarantined.window_id, (&quarantined.item).into())));
        for discarded in quarantined.iter().filter(|quarantined| quarantined.decision.is_some()) {
            let this = doc! { "_id": discarded.key(), "decision.recorded_as": null };
            let set = doc! { "$set": { "decision.recorded_as": mongo::value(&discarded.window_id) } };
            self.0.update_one(this, set).await?;
        }
        let keys: Vec<&str> =
            quarantined.iter().filter(|quarantined| quarantined.decision.is_none()).map(Quarantined::key).collect();
        if !keys.is_empty() {
            self.0.delete_many(doc! { "_id": { "$in": keys }, "decision": null }).await?;
        }
        Ok(())
    }

    /// The quarantined windows with these ids that have a decision.
    pub(crate) async fn decided(&self, ids: &[WindowId]) -> Result<Vec<Quarantined>, Error> {
        let these = doc! { "window_id": mongo::one_of(ids), "decision": { "$ne": null } };
        Ok(self.0.find(these).await?.try_collect().await?)
    }

    /// The ids of windows that are undecided or discarded, and with `also_admitted` those of
    /// admitted ones. At most `most`, in any order.
    pub(crate) async fn kept(&self, also_admitted: bool, most: usize) -> Result<Vec<WindowId>, Error> {
        let rows = self.0.clone_with_type::<QuarantinedId>();
        let these = if also_admitted {
            doc! {}
        } else {
            doc! { "decision.recorded_as": null }
        };
        let found = rows.find(these).projection(doc! { "window_id": 1 });
        let found = found.limit(most as i64).batch_size(5_000).await?;
        Ok(found.map_ok(|quarantined| quarantined.window_id).try_collect().await?)
    }

    /// Stores the decision of an admin. A window can be discarded while it has no decision, and
    /// admitted while it is not admitted. Returns whether the decision was stored.
    pub(crate) async fn decide(
        &self,
        tx: &mut Tx<'_>,
        quarantined: &Quarantined,
        decision: &Decision,
    ) -> Result<bool, Error> {
        let undecided = if decision.recorded_as.is_some() { "decision.recorded_as" } else { "decision" };
        let this = doc! { "_id": quarantined.key(), undecided: null };
        let set = doc! { "decision": mongo::value(decision), "waiting": false };
        let update = doc! { "$set": set, "$unset": { "due": "" } };
        Ok(self.0.update_one(this, update).session(&mut tx.session).await?.matched_count == 1)
    }

    /// The number of undecided windows for each of these reasons, and the number of waiting
    /// windows, which are tried again automatically. Each count stops at [`MOST_COUNTED`].
    pub(crate) async fn sizes(
        &self,
        codes: impl IntoIterator<Item = Code>,
    ) -> Result<(HashMap<Code, u64>, u64), Error> {
        let mut sizes = HashMap::new();
        for code in codes {
            let of_code = doc! { "code": mongo::value(&code), "decision": null };
            sizes.insert(code, self.0.count_documents(of_code).limit(MOST_COUNTED).await?);
        }
        let waiting = self.0.count_documents(doc! { "waiting": true }).limit(MOST_COUNTED).await?;
        Ok((sizes, waiting))
    }

    /// The waiting windows after this one, in the order of the moment since when they wait: the
    /// first `most`.
    pub(crate) async fn waiting(&self, after: Option<&Quarantined>, most: i64) -> Result<Vec<Quarantined>, Error> {
        let mut filter = doc! { "waiting": true };
        if let Some(after) = after {
            filter.insert("$or", later(after.since, after.key()));
        }
        let oldest = self.0.find(filter).sort(doc! { "since": 1, "_id": 1 }).limit(most).await?;
        Ok(oldest.try_collect().await?)
    }

    /// The windows whose moment `due` has come, in the order of that moment: the first `most`.
    pub(crate) async fn due(&self, now: Millis, most: i64) -> Result<Vec<Quarantined>, Error> {
        let due = self.0.find(doc! { "due": { "$lte": now.0 } }).sort(doc! { "due": 1 }).limit(most).await?;
        Ok(due.try_collect().await?)
    }

    /// The undecided windows, or with `decided` the decided ones, in the order of time and key. Of
    /// all employees, or of those that the request and the caller's limits allow.
    pub(crate) async fn all(
        &self,
        asked: &ListQuarantine,
        within: Option<Within>,
    ) -> Result<impl Stream<Item = mongodb::error::Result<Quarantined>> + use<>, Error> {
        let mut filter = match asked.decided {
            true => doc! { "decision": { "$ne": null } },
            false => doc! { "decision": null },
        };
        if let Some(employee) = &asked.employee {
            filter.insert("item.employeeId", mongo::value(employee));
        }
        if let Some(after) = &asked.after {
            filter.insert("$or", later(after.since, &Quarantined::key_after(after)));
        }
        if let Some(within) = within {
            filter.insert("$and", vec![doc! { "item.employeeId": mongo::one_of(within.employees) }]);
        }
        Ok(self.0.find(filter).sort(doc! { "since": 1, "_id": 1 }).await?)
    }

    /// The number of undecided windows, of all employees or of those of a manager. The count stops
    /// at `most`.
    pub(crate) async fn count(&self, within: Option<Within>, most: u64) -> Result<u64, Error> {
        let mut filter = doc! { "decision": null };
        filter.extend(within.map(|within| ("item.employeeId".to_owned(), mongo::one_of(within.employees).into())));
        Ok(self.0.count_documents(filter).limit(most).await?)
    }

    /// Whether an employee has a waiting window that touches a range.
    pub(crate) async fn any_waiting(&self, employee: EmployeeId, range: TimeRange) -> Result<bool, Error> {
        let mut filter = touching(range);
        filter.insert("waiting", true);
        filter.insert("item.employeeId", mongo::value(&employee));
        Ok(self.0.find_one(filter).await?.is_some())
    }

    /// Marks the undecided windows that touch this time, and that were quarantined because their
    /// time was settled, so that they are tried again. The project is not compared.
    pub(crate) async fn let_in(&self, time: SettledTime) -> Result<(), Error> {
        let start = time.start.unwrap_or(Millis(i64::MIN));
        let Ok(range) = TimeRange::new(start, time.end) else { return Ok(()) };
        let mut filter = touching(range);
        filter.insert("code", mongo::value(&Code::PeriodLocked));
        filter.insert("decision", bson::Bson::Null);
        if let Some(employee) = &time.employee_id {
            filter.insert("item.employeeId", mongo::value(employee));
        }
        self.0.update_many(filter, doc! { "$set": { "waiting": true } }).await?;
        Ok(())
    }

    /// The windows that wait for an admin and are not tried again automatically: the first `most`
    /// after this key, in the order of keys.
    pub(crate) async fn for_admins(&self, after: &str, most: i64) -> Result<Vec<Quarantined>, Error> {
        let these = doc! { "decision": null, "waiting": false, "due": null, "_id": { "$gt": after } };
        Ok(self.0.find(these).sort(doc! { "_id": 1 }).limit(most).await?.try_collect().await?)
    }

    /// Marks these windows to be tried again, unless an admin has decided in between, or they are
    /// quarantined for another reason now.
    pub(crate) async fn try_again(&self, these: &[&Quarantined]) -> Result<(), Error> {
        for quarantined in these {
            let as_it_was =
                doc! { "_id": quarantined.key(), "code": mongo::value(&quarantined.code), "decision": null };
            self.0.update_one(as_it_was, doc! { "$set": { "waiting": true } }).await?;
        }
        Ok(())
    }

    /// The quarantined windows with this id, the newest first, at most [`MOST_OF_AN_ID`]: of this
    /// employee, or of any employee if none is given.
    pub(crate) async fn under(
        &self,
        window: WindowId,
        employee: Option<EmployeeId>,
    ) -> Result<Vec<Quarantined>, Error> {
        let mut filter = doc! { "window_id": mongo::value(&window) };
        if let Some(employee) = employee {
            filter.insert("item.employeeId", mongo::value(&employee));
        }
        let latest = self.0.find(filter).sort(doc! { "since": -1 }).limit(MOST_OF_AN_ID).await?;
        Ok(latest.try_collect().await?)
    }
}

/// The projection of a quarantined window that has only its id.
#[derive(Debug, Deserialize)]
struct QuarantinedId {
    window_id: WindowId,
}

/// Matches windows that touch a range.
fn touching(range: TimeRange) -> Document {
    doc! { "item.window.start": { "$lt": range.end().0 }, "item.window.end": { "$gt": range.start().0 } }
}

/// Matches the same window, by its id and content.
fn same(quarantined: &Quarantined) -> Document {
    let content = WindowContent::from(&quarantined.item);
    doc! {
        "window_id": mongo::value(&quarantined.window_id),
        "item.employeeId": mongo::value(&content.employee_id),
        "item.window.start": content.start.0,
        "item.window.end": content.end.0,
        "item.window.projectId": mongo::value(&content.project_id),
        "item.window.taskId": mongo::value(&content.task_id),
    }
}

/// Matches the documents after a position in the order of time and key.
fn later(since: Millis, key: &str) -> Vec<Document> {
    vec![doc! { "since": { "$gt": since.0 } }, doc! { "since": since.0, "_id": { "$gt": key } }]
}
