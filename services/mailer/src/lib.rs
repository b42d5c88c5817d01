//! Mails invitations, links, word of changes and decisions, and once a day what waits for managers: by SMTP, with a
//! growing delay for as long as there is none; in development into a folder.

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

/// The most mails that one process sends at once: mail servers do not like more.
const MOST_AT_ONCE: usize = 8;

/// What consumers work with.
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
    /// Where links lead.
    pub(crate) public_url: PublicUrl,
    pub(crate) places: Arc<Semaphore>,
    pub(crate) metrics: MailMetrics,
}

/// Consumes until shutdown.
///
/// # Errors
/// When a setting makes no sense, or NATS refuses.
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
    // Nobody could be asked for mails that were missed: whoever invited or forgot asks again.
    kit::tell_gaps(&deps, &app.db, &shutdown).await;
    events().consume(app.clone(), &deps.bus, &shutdown).await?;
    if let Some(hour) = digest_hour {
        digests::keep(app.clone(), hour, &shutdown);
    }
    // It answers no questions, but is found and counted as the others are.
    Endpoints::new(Service::Mailer, app).serve(&deps.bus, &shutdown).await?;
    deps.health.started();
    shutdown.drained().await;
    Ok(())
}

/// What must be there before this service can work.
pub fn needs() -> Needs {
    let collections = [Deliveries::shape(), Decisions::shape(), Digests::shape(), kit::gaps_shape()];
    Needs::of(Service::Mailer).consumer(events().pull()).outbox().collections(collections)
}

/// What this service does about events: one line an event.
fn events() -> Events<App> {
    Events::new(Service::Mailer)
        .on(consumers::invitation_requested)
        .on(consumers::mail_requested)
        .on(consumers::correction_decided)
        .on(consumers::period_decided)
        .on(consumers::adjustment_made)
        .on(consumers::digest_requested)
}
