//! A world in which the audit service runs, and what tests do there again and again.

use async_nats::jetstream::consumer::{Consumer, pull};
use bson::Document;
use contracts::{
    Action, Actor, AuditEntry, AuditSubject, Audited, EmployeeId, EventId, ListAuditEntries, Service, stream,
};
use kit::Origin;
use mongodb::Collection;
use testkit::{Running, World, eventually};

pub struct Trail {
    pub world: World,
}

/// Something that directory tells.
pub fn told(action: Action) -> Audited {
    let subject = AuditSubject::new("employee", kit::new_id::<EmployeeId>());
    Audited::new(kit::new_id(), Service::Directory, action, subject, contracts::Millis(1_760_000_000_000))
}

impl Trail {
    /// A world without a service that keeps the trail.
    pub async fn unkept() -> Self {
        Self { world: World::start().await }
    }

    /// One more replica of the service.
    pub async fn keep(&self) -> Running {
        let config = audit::Config::default();
        self.world.spawn(audit::needs(), |deps, shutdown| audit::run(config, deps, shutdown)).await
    }

    /// A world with one.
    pub async fn start() -> (Self, Running) {
        let trail = Self::unkept().await;
        let running = trail.keep().await;
        (trail, running)
    }

    pub async fn tell(&self, entry: &Audited) {
        self.tell_as(Actor::Root, entry).await;
    }

    pub async fn tell_as(&self, actor: Actor, entry: &Audited) {
        let origin = Origin::of_request("a-request".into()).with_actor(Some(actor));
        origin.scope(self.world.bus().publish_event(entry.id, entry)).await.unwrap();
    }

    /// Tells, where NATS may be away.
    pub async fn try_to_tell(&self, entry: &Audited) -> Result<(), kit::Error> {
        self.world.bus().publish_event(entry.id, entry).await
    }

    pub async fn list(&self, asked: ListAuditEntries) -> Vec<AuditEntry> {
        self.world.ask(&asked).await.unwrap().items
    }

    /// The whole trail, the newest first, once it has so many entries.
    pub async fn entries(&self, count: usize) -> Vec<AuditEntry> {
        eventually(&format!("{count} entries"), async || {
            let (mut all, mut asked) = (Vec::new(), ListAuditEntries::default());
            loop {
                let page = self.world.ask(&asked).await.ok()?;
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

    /// The stored entries, for whoever may change them.
    pub async fn stored(&self) -> Collection<Document> {
        self.world.database(Service::Audit).await.collection("entries")
    }

    /// What `verify` says, as the service's own user.
    pub async fn verify(&self, anchor: Option<audit::Anchor>) -> Result<Option<audit::Anchor>, String> {
        let deps = self.world.deps(Service::Audit).await;
        audit::verify(&deps, anchor, |_| ()).await.map_err(|error| error.to_string())
    }

    /// The service's consumer of the stream.
    pub async fn consumer(&self) -> Consumer<pull::Config> {
        let name = Service::Audit.name();
        self.world.bus().jetstream.get_consumer_from_stream(name, stream::EVENTS).await.unwrap()
    }

    /// Makes the stream drop everything that it holds.
    pub async fn drop_events(&self) {
        let stream = self.world.bus().jetstream.get_stream(stream::EVENTS).await.unwrap();
        stream.purge().await.unwrap();
    }
}

/// The ids, in order.
pub fn ids(entries: &[AuditEntry]) -> Vec<EventId> {
    entries.iter().map(|entry| entry.id).collect()
}
