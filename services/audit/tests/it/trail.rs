//! The harness of the tests of the audit service, with helpers.

use async_nats::jetstream::consumer::{Consumer, pull};
use bson::Document;
use contracts::{
    Action, Actor, AuditEntry, AuditSubject, Audited, EmployeeId, EventId, ListAuditEntries, Service, stream,
};
use kit::Origin;
use mongodb::Collection;
use testkit::{Harness, Running, eventually};

pub struct Trail {
    pub harness: Harness,
}

/// An audited event of the service `directory` with this action, about a new employee id.
pub fn audited(action: Action) -> Audited {
    let subject = AuditSubject::new("employee", kit::new_id::<EmployeeId>());
    Audited::new(kit::new_id(), Service::Directory, action, subject, contracts::Millis(1_760_000_000_000))
}

impl Trail {
    /// Starts a harness without the audit service.
    pub async fn without_service() -> Self {
        Self { harness: Harness::start().await }
    }

    /// Starts a replica of the audit service.
    pub async fn start_service(&self) -> Running {
        let config = audit::Config::default();
        self.harness.spawn(audit::needs(), |deps, shutdown| audit::run(config, deps, shutdown)).await
    }

    /// Starts a harness with one replica of the audit service.
    pub async fn start() -> (Self, Running) {
        let trail = Self::without_service().await;
        let running = trail.start_service().await;
        (trail, running)
    }

    pub async fn publish(&self, entry: &Audited) {
        self.tell_as(Actor::Root, entry).await;
    }

    pub async fn tell_as(&self, actor: Actor, entry: &Audited) {
        let origin = Origin::of_request("a-request".into()).with_actor(Some(actor));
        origin.scope(self.harness.bus().publish_event(entry.id, entry)).await.unwrap();
    }

    /// Publishes an entry; returns an error while NATS cannot be reached.
    pub async fn try_publish(&self, entry: &Audited) -> Result<(), kit::Error> {
        self.harness.bus().publish_event(entry.id, entry).await
    }

    pub async fn list(&self, asked: ListAuditEntries) -> Vec<AuditEntry> {
        self.harness.ask(&asked).await.unwrap().items
    }

    /// Waits until the trail has at least this many entries. Returns all entries, the newest first.
    pub async fn entries(&self, count: usize) -> Vec<AuditEntry> {
        eventually(&format!("{count} entries"), async || {
            let (mut all, mut asked) = (Vec::new(), ListAuditEntries::default());
            loop {
                let page = self.harness.ask(&asked).await.ok()?;
                all.extend(page.items);
                asked.after = page.next;
                if asked.after.is_none() {
                    break;
                }
            }
            (all.len() >= count).then_some(all)
        })
        .await
    }

    /// The collection of entries, opened with a MongoDB user who may change documents.
    pub async fn stored(&self) -> Collection<Document> {
        self.harness.database(Service::Audit).await.collection("entries")
    }

    /// Verifies the trail with the MongoDB user of the service. The error is the text of the first
    /// fault.
    pub async fn verify(&self, anchor: Option<audit::Anchor>) -> Result<Option<audit::Anchor>, String> {
        let deps = self.harness.deps(Service::Audit).await;
        audit::verify(&deps, anchor, |_| ()).await.map_err(|error| error.to_string())
    }

    /// The service's durable consumer of EVENTS.
    pub async fn consumer(&self) -> Consumer<pull::Config> {
        let name = Service::Audit.name();
        self.harness.bus().jetstream.get_consumer_from_stream(name, stream::EVENTS).await.unwrap()
    }

    /// Purges all messages of EVENTS.
    pub async fn drop_events(&self) {
        let stream = self.harness.bus().jetstream.get_stream(stream::EVENTS).await.unwrap();
        stream.purge().await.unwrap();
    }
}

/// The event ids of these entries, in the same order.
pub fn ids(entries: &[AuditEntry]) -> Vec<EventId> {
    entries.iter().map(|entry| entry.id).collect()
}
