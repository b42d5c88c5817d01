use std::{sync::Arc, time::Duration};

use contracts::{Action, AuditSubject, Code, Failure};
use mongodb::Collection;
use serde::Serialize;

use crate::{
    Bus, Change, Delivery, Error, Shutdown,
    outbox::{Outbox, Row},
};

/// The database of one service, with its outbox. No other service reads it.
#[derive(Clone, Debug)]
pub struct Database {
    pub(crate) mongo: mongodb::Database,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) bus: Bus,
}

impl Database {
    pub(crate) fn new(mongo: mongodb::Database, bus: Bus) -> Self {
        let outbox = Arc::new(Outbox::new(mongo.collection::<Row>("outbox"), bus.clone()));
        Self { mongo, outbox, bus }
    }

    /// A collection of this database.
    pub fn collection<T: Send + Sync + Serialize>(&self, name: &str) -> Collection<T> {
        self.mongo.collection(name)
    }

    /// Publishes committed events from the outbox until shutdown.
    pub fn relay(&self, shutdown: &Shutdown) {
        self.outbox.watch(shutdown);
        let (outbox, stop) = (self.outbox.clone(), shutdown.clone());
        shutdown.spawn(async move { outbox.relay(&stop).await });
    }

    /// Writes an entry to the audit trail about something that changes no data, such as a log-in. For a
    /// change use [`crate::Tx::audit`].
    ///
    /// # Errors
    /// Those of MongoDB.
    pub async fn audit(&self, action: Action, subject: AuditSubject) -> Result<(), Error> {
        self.outbox.add_alone(&self.outbox.entry(action, subject, None)?).await
    }

    /// Waits until the stream has every event that is committed by now.
    ///
    /// # Errors
    /// 503 when the stream does not have them in time; they are published later.
    pub async fn until_published(&self, within: Duration) -> Result<(), Error> {
        // Waits for these rows, not for an empty outbox: while others write, it is never empty.
        if self.outbox.until_published(&self.outbox.waiting().await?, within).await {
            return Ok(());
        }
        let detail = "It is done, but not yet told to everybody. Ask again in a moment.";
        Err(Failure::new(Code::Unavailable, detail).into())
    }

    /// A change for [`crate::change!`]. Once it is committed, the call waits, at most this long, until the
    /// copies in other services have applied its events.
    #[must_use]
    pub fn awaited(&self, within: Duration) -> Change<'_> {
        Change::new(self, Some(self.bus.client.new_inbox()), Some(within))
    }

    /// A change for [`crate::follow!`]. Its events carry the reply inbox of the event that caused it.
    #[must_use]
    pub fn following(&self, delivery: &Delivery) -> Change<'_> {
        Change::new(self, delivery.applied_to.clone(), None)
    }
}
