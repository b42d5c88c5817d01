//! Changes of many windows: a bulk update that a filter selects, and new rates.

use std::collections::HashMap;

use bson::{Document, doc};
use contracts::{Millis, UpdateWindows, WindowChanges, WindowId};
use futures::{Stream, TryStreamExt};
use kit::{Error, Tx, mongo};

use super::{
    stored_window::StoredWindow,
    windows::{BATCH, WindowStore, some_of},
};

impl WindowStore {
    /// The ids of the next windows that an update changes, in order: the first `most` after this
    /// id.
    pub(crate) async fn to_update(
        &self,
        update: &UpdateWindows,
        after: Option<WindowId>,
        most: usize,
    ) -> Result<Vec<WindowId>, Error> {
        let mut filter = filter_of(update);
        if let Some(after) = after {
            filter.insert("_id", doc! { "$gt": mongo::value(&after) });
        }
        let found = self.windows.find(filter).sort(doc! { "_id": 1 }).limit(most as i64);
        Ok(found.await?.map_ok(|w| w.id).try_collect().await?)
    }

    /// All windows that match the filter of an update, in the order of their ids.
    pub(crate) async fn all_of(
        &self,
        update: &UpdateWindows,
    ) -> Result<impl Stream<Item = mongodb::error::Result<StoredWindow>> + Unpin + use<>, Error> {
        let all = filter_of(update);
        Ok(self.windows.find(all).sort(doc! { "_id": 1 }).batch_size(BATCH).await?)
    }

    /// Stores the new rates of these windows with their time of change, and increases their
    /// revisions.
    pub(crate) async fn put_rates(&self, tx: &mut Tx<'_>, changed: &[StoredWindow]) -> Result<(), Error> {
        // Most windows get the same rates, so windows are grouped by their rates: a few writes are
        // enough.
        let mut by_rates: HashMap<String, Vec<&StoredWindow>> = HashMap::new();
        for one in changed {
            let key = serde_json::to_string(&(one.window.rates(), &one.window.rate_parts, one.window.updated_at))?;
            by_rates.entry(key).or_default().push(one);
        }
        for alike in by_rates.into_values() {
            let Some(one) = alike.first() else { continue };
            let mut set = Document::new();
            if let bson::Bson::Document(rates) = mongo::value(&one.window.rates()) {
                set.extend(rates.into_iter().map(|(rate, amount)| (format!("window.{rate}"), amount)));
            }
            set.insert("window.updatedAt", one.window.updated_at.0);
            set.insert("window.rateParts", mongo::value(&one.window.rate_parts));
            let these = doc! { "_id": mongo::one_of(alike.iter().map(|one| one.id)) };
            let update = doc! { "$set": set, "$inc": { "revision": 1 } };
            self.windows.update_many(these, update).session(&mut tx.session).await?;
        }
        Ok(())
    }

    /// Changes these windows and increases their revisions. Returns the changed windows.
    pub(crate) async fn update(
        &self,
        tx: &mut Tx<'_>,
        ids: &[WindowId],
        changes: &WindowChanges,
        now: Millis,
    ) -> Result<Vec<StoredWindow>, Error> {
        let these = doc! { "_id": mongo::one_of(ids) };
        let mut set = fields(changes);
        set.insert("window.updatedAt", now.0);
        let update = doc! { "$set": set, "$inc": { "revision": 1 } };
        self.windows.update_many(these.clone(), update).session(&mut tx.session).await?;
        let in_parts = fields_of_parts(changes);
        if !in_parts.is_empty() {
            let on_several_days = doc! { "$and": [these.clone(), { "window.rateParts.0": { "$exists": true } }] };
            self.windows.update_many(on_several_days, doc! { "$set": in_parts }).session(&mut tx.session).await?;
        }
        let mut changed = Vec::with_capacity(ids.len());
        let mut cursor = self.windows.find(these).session(&mut tx.session).await?;
        while let Some(window) = cursor.next(&mut tx.session).await {
            changed.push(window?);
        }
        Ok(changed)
    }
}

/// Matches the windows that an update changes.
pub(super) fn filter_of(update: &UpdateWindows) -> Document {
    let mut all = vec![doc! { "voided": false }];
    all.extend(some_of("window.employeeId", &update.employees));
    all.extend(some_of("window.projectId", &update.projects));
    all.extend(some_of("window.taskId", &update.tasks));
    all.extend(some_of("window.shiftId", &update.shifts));
    if let Some(begin) = update.begin {
        all.push(doc! { "window.start": { "$gte": begin.start().0, "$lt": begin.end().0 } });
    }
    doc! { "$and": all }
}

/// The changed rates, as fields of all rate parts of a stored window.
fn fields_of_parts(changes: &WindowChanges) -> Document {
    let rates = ["billRate", "overtimeBillRate", "payRate", "overtimePayRate"];
    let mut given = match mongo::value(changes) {
        bson::Bson::Document(given) => given,
        _ => Document::new(),
    };
    let of_part = |rate| Some((format!("window.rateParts.$[].{rate}"), given.remove(rate)?));
    rates.into_iter().filter_map(of_part).collect()
}

/// The changed fields, as fields of a stored window.
fn fields(changes: &WindowChanges) -> Document {
    match mongo::value(changes) {
        bson::Bson::Document(given) => {
            given.into_iter().map(|(field, value)| (format!("window.{field}"), value)).collect()
        }
        _ => Document::new(),
    }
}
