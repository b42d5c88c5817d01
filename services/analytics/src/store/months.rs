use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::Hash,
};

use anyhow::Context;
use bson::{Binary, Document, doc};
use futures::TryStreamExt;
use kit::{
    Error,
    mongo::{one_of, value},
};
use mongodb::Collection;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{bulk, packed};
use crate::domain::{Cells, Stretch, add_up, cells};

/// The document of a month, of an employee or of all employees together. The key of a day is its
/// number since 1970-01-01; a missing day has no time. Each kind of value is an embedded document
/// of its own, so that a report reads only the kinds that it needs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "Id: Serialize + DeserializeOwned")]
pub(super) struct Row<Id> {
    #[serde(rename = "_id")]
    pub(super) id: Id,
    /// The version, which every recomputation increases, even if no value changes.
    #[serde(default)]
    pub(super) version: i64,
    /// The sums of the whole month, by project and task.
    pub(super) total: Option<Binary>,
    /// The sum of each day, of all projects and tasks together.
    #[serde(default)]
    pub(super) sums: BTreeMap<String, Binary>,
    /// The sums of each day, by project and task.
    #[serde(default)]
    pub(super) cells: BTreeMap<String, Binary>,
    /// The hash of each day. Missing in documents of all employees together, and on days that an
    /// earlier version of the program has computed.
    #[serde(default)]
    pub(super) marks: BTreeMap<String, Binary>,
    /// The stretches of each day. Missing in documents of all employees together.
    #[serde(default)]
    pub(super) parts: BTreeMap<String, Binary>,
}

/// The state of a month's document at the moment of reading. New values are stored only if the
/// document still has this version.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The version of the document; 0 if there was no document.
    pub(crate) version: i64,
    /// The packed sums of each day of the month, by project and task.
    cells: BTreeMap<String, Binary>,
    parts: BTreeMap<String, Binary>,
}

impl Seen {
    /// The sums of a day, by project and task; empty if it has none.
    pub(crate) fn cells(&self, day: i64) -> anyhow::Result<Cells> {
        self.cells.get(&day.to_string()).map_or(Ok(Cells::new()), packed::unpack_cells)
    }

    /// The stretches of a day, if the day was requested; otherwise none.
    pub(crate) fn stretches(&self, day: i64) -> anyhow::Result<Vec<Stretch>> {
        let packed = self.parts.get(&day.to_string());
        packed.map_or(Ok(Vec::new()), |packed| packed::unpack_stretches(day, packed))
    }
}

#[cfg(test)]
impl Seen {
    /// The state of a document of all employees together, with these sums of days.
    pub(super) fn of_company(version: i64, cells: &BTreeMap<i64, Cells>) -> anyhow::Result<Self> {
        let pack = |(day, cells): (&i64, &Cells)| Ok((day.to_string(), packed::pack_cells(cells)?));
        Ok(Self { version, cells: cells.iter().map(pack).collect::<anyhow::Result<_>>()?, parts: BTreeMap::new() })
    }
}

/// The new value of a day.
#[derive(Clone, Debug)]
pub(crate) enum Fresh {
    /// The stretches of a day of one employee.
    Stretches(Vec<Stretch>),
    /// The sums of a day of all employees together, by project and task.
    Cells(Cells),
}

/// A collection with one document for each month. Single days of a document can be replaced. No
/// document is ever removed.
#[derive(Debug)]
pub(super) struct Months<Id: Send + Sync> {
    pub(super) rows: Collection<Row<Id>>,
}

impl<Id> Months<Id>
where
    Id: Copy + Ord + Hash + Serialize + DeserializeOwned + Send + Sync + Unpin,
{
    /// The versions of the documents of these months, with the stretches of these days. A month
    /// without a document has version 0.
    pub(super) async fn seen(
        &self,
        ids: impl IntoIterator<Item = Id>,
        days: &BTreeSet<i64>,
    ) -> Result<HashMap<Id, Seen>, Error> {
        let mut seen: HashMap<Id, Seen> = ids.into_iter().map(|id| (id, Seen::default())).collect();
        let mut fields = doc! { "version": 1, "cells": 1 };
        fields.extend(days.iter().map(|day| (format!("parts.{day}"), 1.into())));
        let mut found = self.rows.find(doc! { "_id": one_of(seen.keys()) }).projection(fields).await?;
        while let Some(Row { id, version, cells, parts, .. }) = found.try_next().await? {
            seen.insert(id, Seen { version, cells, parts });
        }
        Ok(seen)
    }

    /// Stores the new values of these days in the document of each month whose version is still the
    /// one in `seen`. Returns the other months.
    pub(super) async fn store(
        &self,
        months: BTreeMap<Id, BTreeMap<i64, Fresh>>,
        seen: &HashMap<Id, Seen>,
    ) -> Result<BTreeSet<Id>, Error> {
        let ids: Vec<Id> = months.keys().copied().collect();
        let mut updates = Vec::with_capacity(ids.len());
        let first = Seen::default();
        for (id, days) in months {
            let seen = seen.get(&id).unwrap_or(&first);
            updates.push((doc! { "_id": value(&id), "version": seen.version }, update(seen, days)?));
        }
        let lost = bulk::update_all(&self.rows, &updates).await?;
        Ok(lost.into_iter().filter_map(|position| ids.get(position)).copied().collect())
    }
}

/// The update of a month's document: the new values of these days, the new sums of the month and
/// the next version.
fn update(seen: &Seen, days: BTreeMap<i64, Fresh>) -> anyhow::Result<Document> {
    let others = seen.cells.iter().filter(|(day, _)| day.parse().is_ok_and(|day| !days.contains_key(&day)));
    let mut all: Vec<Cells> = others.map(|(_, cells)| packed::unpack_cells(cells)).collect::<Result<_, _>>()?;
    let (mut set, mut unset) = (doc! { "version": seen.version + 1 }, Document::new());
    for (day, fresh) in days {
        let (cells, parts) = match fresh {
            Fresh::Stretches(stretches) => {
                let mark = packed::pack_mark(stretches.iter().map(|stretch| stretch.mark()).sum());
                (cells(&stretches), Some((mark, packed::pack_stretches(day, &stretches)?)))
            }
            Fresh::Cells(cells) => (cells, None),
        };
        if cells.is_empty() {
            unset.extend(["sums", "cells", "marks", "parts"].map(|group| (format!("{group}.{day}"), true.into())));
            continue;
        }
        let mut sum = crate::domain::Total::default();
        cells.iter().for_each(|(_, total)| sum += *total);
        set.insert(format!("sums.{day}"), packed::pack_sum(sum)?);
        set.insert(format!("cells.{day}"), packed::pack_cells(&cells)?);
        if let Some((mark, parts)) = parts {
            set.insert(format!("marks.{day}"), mark);
            set.insert(format!("parts.{day}"), parts);
        }
        all.push(cells);
    }
    set.insert("total", packed::pack_cells(&add_up(&all))?);
    let mut update = doc! { "$set": set };
    if !unset.is_empty() {
        update.insert("$unset", unset);
    }
    Ok(update)
}

/// Unpacks the values of each day of an embedded document.
pub(super) fn days<T>(
    group: &BTreeMap<String, Binary>,
    unpack: impl Fn(i64, &Binary) -> anyhow::Result<T>,
) -> anyhow::Result<BTreeMap<i64, T>> {
    let day = |(name, packed): (&String, &Binary)| {
        let day = name.parse().context("a day that is not named by its number")?;
        Ok((day, unpack(day, packed)?))
    };
    group.iter().map(day).collect()
}
