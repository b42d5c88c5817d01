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

/// The pause between two attempts to read the layouts at the start, while MongoDB is unreachable.
const PAUSE: Duration = Duration::from_secs(1);

/// The state of a collection's layout, as an operator sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayoutState {
    /// The name of the collection.
    pub collection: &'static str,
    /// The layout in which documents are written.
    pub written: i32,
    /// The number of documents that a migration must still read, because some of them may have an
    /// earlier layout.
    pub left: u64,
}

/// The layouts in which a service writes its documents. Every running process can read them.
///
/// A program can read every layout up to its newest one. It writes the layout that the database
/// names. So during a rolling update the new program writes the layout that the old program can
/// read, until an operator raises the layout ([`Layouts::raise`]). Then [`Layouts::migrate`]
/// rewrites the stored documents.
#[derive(Clone, Debug)]
pub struct Layouts {
    all: &'static [Layout],
    written: Arc<[AtomicI32]>,
    rows: Collection<Row>,
    db: Database,
}

impl Layouts {
    /// The collection in which the layouts are stored.
    pub fn shape() -> Shape {
        ("layouts", Vec::new())
    }

    /// The layouts of these collections. Until [`begin`](Self::begin) has run, documents are
    /// written in layout 1.
    pub fn open(db: &Database, all: &'static [Layout]) -> Self {
        let written = all.iter().map(|_| AtomicI32::new(1)).collect();
        Self { all, written, rows: db.collection("layouts"), db: db.clone() }
    }

    /// The layout in which documents of a collection are written now.
    pub fn written(&self, layout: &Layout) -> i32 {
        let place = self.all.iter().position(|one| one.collection() == layout.collection());
        place.and_then(|place| self.written.get(place)).map_or(1, |written| written.load(Ordering::Relaxed))
    }

    /// Reads the layouts for the first time, before anything is written, and retries until MongoDB
    /// answers. An empty collection gets the newest layout at once if `all_read_it` returns that
    /// all processes can read that layout. Returns false when the stop signal comes first.
    ///
    /// # Errors
    /// When a collection is written in a layout that this program cannot read.
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

    /// Reads the layouts again, and returns the state of each collection.
    ///
    /// # Errors
    /// Those of MongoDB, and as [`Layouts::begin`].
    pub async fn look(&self) -> Result<Vec<LayoutState>, Error> {
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
            all.push(LayoutState { collection, written: said, left });
        }
        Ok(all)
    }

    /// Makes the newest layout of each collection the written one: in this process at once, in
    /// other processes after their next [`Layouts::look`]. Every running program must be able to
    /// read the newest layouts.
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

    /// Rewrites all documents of earlier layouts while the service runs. It works for `busy`
    /// percent of the time and rests in between. If it is stopped, the next call continues at the
    /// same document. Several processes may run it at the same time. Calls `tell` with the progress
    /// after every batch.
    ///
    /// The pass over a collection is repeated until one pass has found nothing to rewrite, because
    /// other processes may write documents of an earlier layout until their next [`Layouts::look`].
    ///
    /// # Errors
    /// Errors of MongoDB that are not temporary, and documents that cannot be read.
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
