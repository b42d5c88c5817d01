use std::{
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
    time::Duration,
};

use anyhow::anyhow;
use bson::{RawDocumentBuf, doc};
use futures::TryStreamExt;
use mongodb::Collection;

use crate::{
    Database, Error, Layout, Shape, Shutdown,
    endpoints::ChainLine,
    layout_row::{Row, row_of},
    migration::{Migrating, Migration},
};

/// The pause between two attempts to read the layouts at the start, while MongoDB is away.
const PAUSE: Duration = Duration::from_secs(1);

/// The layout of a collection, as an operator sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The name of the collection.
    pub collection: &'static str,
    /// The layout in which documents are written.
    pub written: i32,
    /// How many documents a migration has still to look at: some may be of an earlier layout.
    pub left: u64,
}

/// The layouts in which a service writes its documents: layouts that all its processes can read.
///
/// A program reads every layout up to its newest, and writes the one that the database says. So during a
/// rolling update the new program writes what the old one reads, and its own layout once somebody has
/// said so ([`Layouts::raise`]). Then [`Layouts::migrate`] rewrites what is there.
#[derive(Clone, Debug)]
pub struct Layouts {
    all: &'static [Layout],
    written: Arc<[AtomicI32]>,
    rows: Collection<Row>,
    db: Database,
}

impl Layouts {
    /// The collection that it needs.
    pub fn shape() -> Shape {
        ("layouts", Vec::new())
    }

    /// The layouts of these collections. Until [`begin`](Self::begin) documents are written in the first layout.
    pub fn open(db: &Database, all: &'static [Layout]) -> Self {
        let written = all.iter().map(|_| AtomicI32::new(1)).collect();
        Self { all, written, rows: db.collection("layouts"), db: db.clone() }
    }

    /// The layout in which documents of a collection are written now.
    pub fn written(&self, layout: &Layout) -> i32 {
        let place = self.all.iter().position(|one| one.collection() == layout.collection());
        place.and_then(|place| self.written.get(place)).map_or(1, |written| written.load(Ordering::Relaxed))
    }

    /// Looks for the first time, before anything is written. What is empty has the newest layout from the
    /// beginning, where all processes can read that; `all_read_it` is asked until MongoDB says. False where it is
    /// time to stop before MongoDB is there.
    ///
    /// # Errors
    /// Where a collection is written in a layout that this program cannot read.
    pub async fn begin<F>(&self, all_read_it: impl Fn() -> F, shutdown: &Shutdown) -> Result<bool, Error>
    where
        F: Future<Output = Result<bool, Error>>,
    {
        loop {
            let looked = match all_read_it().await {
                Ok(all_read_it) => self.look_first(all_read_it).await,
                Err(error) => Err(error),
            };
            match looked {
                Ok(()) => return Ok(true),
                Err(error) if error.is_away() => {
                    let error = anyhow::Error::from(error);
                    tracing::warn!(error = %error.chain_line(), "it is not known yet in which layouts to write");
                }
                Err(error) => return Err(error),
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = shutdown.stopping() => return Ok(false),
            }
        }
    }

    async fn look_first(&self, all_read_it: bool) -> Result<(), Error> {
        for layout in self.all.iter().filter(|_| all_read_it) {
            let is_known = self.row(layout).await?.is_some();
            if !is_known && self.documents(layout).find_one(doc! {}).await?.is_none() {
                let newest = doc! { "written": layout.newest(), "everywhere": layout.newest(), "round": null };
                let new = doc! { "$setOnInsert": newest };
                self.rows.update_one(row_of(layout), new).upsert(true).await?;
            }
        }
        self.look().await.map(drop)
    }

    /// Looks anew in which layouts documents are written, and how each collection stands.
    ///
    /// # Errors
    /// Those of MongoDB, and as [`Layouts::begin`].
    pub async fn look(&self) -> Result<Vec<Standing>, Error> {
        let rows: Vec<Row> = self.rows.find(doc! {}).await?.try_collect().await?;
        let mut all = Vec::with_capacity(self.all.len());
        for (layout, written) in self.all.iter().zip(&*self.written) {
            let (collection, newest) = (layout.collection(), layout.newest());
            let row = rows.iter().find(|row| row.collection == collection);
            let said = row.map_or(1, |row| row.written);
            if said > newest {
                let what = format!("{collection} is written in layout {said}, and this program reads 1 to {newest}");
                return Err(anyhow!("{what}: run a newer one").into());
            }
            written.fetch_max(said, Ordering::Relaxed);
            let left = match row {
                Some(row) if row.everywhere >= newest => 0,
                Some(Row { round: Some(round), .. }) => round.left(),
                _ => self.documents(layout).estimated_document_count().await?,
            };
            all.push(Standing { collection, written: said, left });
        }
        Ok(all)
    }

    /// From now on documents are written in the newest layouts: by this process at once, by others when they
    /// look. None of them may be a program that cannot read it.
    ///
    /// # Errors
    /// Those of MongoDB.
    pub async fn raise(&self) -> Result<(), Error> {
        for layout in self.all {
            let new = doc! {
                "$max": { "written": layout.newest() },
                "$setOnInsert": { "everywhere": 1, "round": null },
            };
            self.rows.update_one(row_of(layout), new).upsert(true).await?;
        }
        self.look().await.map(drop)
    }

    /// Rewrites all documents that are of earlier layouts, beside everything else, and takes so many of
    /// 100 parts of the time for it. Stopped at any moment it goes on where it was, and several may do it
    /// at once. Tells how far it is after every batch.
    ///
    /// It goes round until a whole round has found nothing: somebody may have begun to write in an earlier
    /// layout before they heard of the newest.
    ///
    /// # Errors
    /// Those of MongoDB, where they do not pass, and where a document cannot be read.
    pub async fn migrate(&self, busy: u8, tell: impl Fn(Migrating)) -> Result<(), Error> {
        self.raise().await?;
        for layout in self.all {
            Migration::new(layout, self.documents(layout), self.rows.clone()).run(busy, &tell).await?;
        }
        Ok(())
    }

    async fn row(&self, layout: &Layout) -> Result<Option<Row>, Error> {
        Ok(self.rows.find_one(row_of(layout)).await?)
    }

    fn documents(&self, layout: &Layout) -> Collection<RawDocumentBuf> {
        self.db.collection(layout.collection())
    }
}
