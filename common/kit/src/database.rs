use std::{sync::Arc, time::Duration};

use contracts::{Action, AuditSubject, Code, Failure};
use mongodb::Collection;
use serde::Serialize;

use crate::{
    Bus, Change, Delivery, Error, Shutdown,
    outbox::{Outbox, Row},
};

/// The database of one service, with its outbox. No other service reads this database.
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

    /// Starts a task that publishes committed events from the outbox until shutdown.
    pub fn relay(&self, shutdown: &Shutdown) {
        self.outbox.watch(shutdown);
        let (outbox, stop) = (self.outbox.clone(), shutdown.clone());
        shutdown.spawn(async move { outbox.relay(&stop).await });
    }

    /// Adds an entry to the audit trail about an action that changes no data, such as a log-in. For
    /// an action that changes data use [`crate::Tx::audit`].
    ///
    /// # Errors
    /// Those of MongoDB.
    pub async fn audit(&self, action: Action, subject: AuditSubject) -> Result<(), Error> {
        self.outbox.add_alone(&self.outbox.entry(action, subject, None)?).await
    }

    /// Waits until the stream EVENTS has stored every event that is committed by now.
    ///
    /// # Errors
    /// 503 when the stream has not stored all of them within `within`. The outbox publishes the
    /// others later.
    pub async fn until_published(&self, within: Duration) -> Result<(), Error> {
        // Waits for the rows that are in the outbox now, not for an empty outbox: while other calls
        // write, the outbox is never empty.
        if self.outbox.until_published(&self.outbox.waiting().await?, within).await {
            return Ok(());
        }
        let detail = "It is done, but not yet told to everybody. Ask again in a moment.";
        Err(Failure::new(Code::Unavailable, detail).into())
    }

    /// A change for [`crate::change!`]. After the commit, the macro waits, at most `within`, until
    /// the other services have applied the change's events to their copies.
    #[must_use]
    pub fn awaited(&self, within: Duration) -> Change<'_> {
        Change::new(self, Some(self.bus.client.new_inbox()), Some(within))
    }

    /// A change for [`crate::follow!`], caused by the event `delivery`. The change's events carry
    /// the same reply inbox as that event.
    #[must_use]
    pub fn following(&self, delivery: &Delivery) -> Change<'_> {
        Change::new(self, delivery.applied_to.clone(), None)
    }
}
