use std::{sync::Arc, time::Duration};

use contracts::{Action, AuditSubject, Code, Failure};
use mongodb::Collection;
use serde::Serialize;

use crate::{
    Bus, Change, Delivery, Error, Shutdown,
    outbox::{Outbox, Row},
};

/// A service's own database, and the outbox in it. Nobody else reads it.
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

    /// A collection.
    pub fn collection<T: Send + Sync + Serialize>(&self, name: &str) -> Collection<T> {
        self.mongo.collection(name)
    }

    /// Publishes what is committed, until shutdown.
    pub fn relay(&self, shutdown: &Shutdown) {
        self.outbox.watch(shutdown);
        let (outbox, stop) = (self.outbox.clone(), shutdown.clone());
        shutdown.spawn(async move { outbox.relay(&stop).await });
    }

    /// Tells the audit trail of something that changes nothing, such as a log-in. Of a change tells
    /// [`crate::Tx::audit`].
    ///
    /// # Errors
    /// Those of MongoDB.
    pub async fn audit(&self, action: Action, subject: AuditSubject) -> Result<(), Error> {
        self.outbox.add_alone(&self.outbox.entry(action, subject, None)?).await
    }

    /// Waits until the stream has all events that are committed by now.
    ///
    /// # Errors
    /// 503 when it does not have them in time: they follow, but not yet.
    pub async fn until_published(&self, within: Duration) -> Result<(), Error> {
        // Not until nothing waits: while others write, something always does.
        if self.outbox.until_sent(&self.outbox.waiting().await?, within).await {
            return Ok(());
        }
        let detail = "It is done, but not yet told to everybody. Ask again in a moment.";
        Err(Failure::new(Code::Unavailable, detail).into())
    }

    /// The change that [`crate::change!`] runs: once committed, its events' copies are awaited.
    #[must_use]
    pub fn awaited(&self, within: Duration) -> Change<'_> {
        Change::new(self, Some(self.bus.client.new_inbox()), Some(within))
    }

    /// The change that [`crate::follow!`] runs: its events carry the inbox of their cause on.
    #[must_use]
    pub fn following(&self, delivery: &Delivery) -> Change<'_> {
        Change::new(self, delivery.applied_to.clone(), None)
    }
}
