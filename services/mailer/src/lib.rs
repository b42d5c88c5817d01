//! Sends mails by SMTP: invitations, links, notices of changes and decisions, and a daily mail for
//! managers. Failed attempts are repeated with a growing delay. In development, mails may be
//! written to a folder instead.

mod config;
mod consumers;
mod digests;
mod domain;
mod metrics;
mod outgoing;
mod store;

use std::sync::Arc;

use contracts::Service;
use kit::{Bus, Clock, Database, Deps, Endpoints, Events, Needs, PublicUrl, Shutdown};
use lettre::message::Mailbox;
use tokio::sync::Semaphore;

pub use config::Config;
use metrics::MailMetrics;
use outgoing::Outgoing;
use store::{Decisions, Deliveries, Digests};

/// The largest number of mails that one process sends at the same time. Mail servers limit the
/// connections of a client.
const MOST_AT_ONCE: usize = 8;

/// The state that all consumers share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) bus: Bus,
    pub(crate) db: Database,
    pub(crate) deliveries: Deliveries,
    pub(crate) decisions: Decisions,
    pub(crate) digests: Digests,
    pub(crate) clock: Clock,
    pub(crate) outgoing: Outgoing,
    pub(crate) sender: Mailbox,
    /// The URL with which links in mails begin.
    pub(crate) public_url: PublicUrl,
    pub(crate) places: Arc<Semaphore>,
    pub(crate) metrics: MailMetrics,
}

/// Runs the service until shutdown.
///
/// # Errors
/// When a setting is invalid, or a consumer cannot be started on NATS.
pub async fn run(config: Config, deps: Deps, shutdown: Shutdown) -> anyhow::Result<()> {
    let outgoing = config.outgoing(deps.environment, &deps.data)?;
    let (sender, public_url, digest_hour) = (config.sender()?, config.public_url()?, config.digest_hour()?);
    if !deps.until_provisioned(&needs(), &shutdown).await {
        return Ok(());
    }
    let db = deps.database();
    db.relay(&shutdown);
    let (deliveries, decisions, digests) = (Deliveries::open(&db), Decisions::open(&db), Digests::open(&db));
    let (bus, clock, places) = (deps.bus.clone(), deps.clock.clone(), Arc::new(Semaphore::new(MOST_AT_ONCE)));
    bus.metrics().places("mails", places.clone());
    let metrics = MailMetrics::new(bus.metrics());
    let app = App { bus, db, deliveries, decisions, digests, clock, outgoing, sender, public_url, places, metrics };
    let app = Arc::new(app);
    metrics::watch(&app, &shutdown);
    // Events that are purged from the stream EVENTS before the mailer has consumed them are only
    // counted and logged, because no other service can tell which mails are missing. The person who
    // waits for such a mail requests it again.
    kit::watch_gaps(&deps, &app.db, &shutdown).await;
    events().consume(app.clone(), &deps.bus, &shutdown).await?;
    if let Some(hour) = digest_hour {
        digests::keep(app.clone(), hour, &shutdown);
    }
    // The mailer answers no requests. Serving an empty table makes it discoverable, with
    // statistics, like the other services.
    Endpoints::new(Service::Mailer, app).serve(&deps.bus, &shutdown).await?;
    deps.health.started();
    shutdown.drained().await;
    Ok(())
}

/// What provisioning must create for this service.
pub fn needs() -> Needs {
    let collections = [Deliveries::shape(), Decisions::shape(), Digests::shape(), kit::gaps_shape()];
    Needs::of(Service::Mailer).consumer(events().pull()).outbox().collections(collections)
}

/// The events that this service consumes, one line each.
fn events() -> Events<App> {
    Events::new(Service::Mailer)
        .on(consumers::invitation_requested)
        .on(consumers::mail_requested)
        .on(consumers::correction_decided)
        .on(consumers::period_decided)
        .on(consumers::adjustment_made)
        .on(consumers::digest_requested)
}
