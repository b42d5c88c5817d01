//! The metrics that only this service has.

use std::{sync::Arc, time::Duration};

use contracts::{Action, DAY};
use kit::{
    Error, Metrics, Shutdown,
    metrics::{Counter, Family, Gauge, sample},
};

use crate::{App, domain::Broken, domain::Fact, store::verify};

/// The time between two verifications of the whole chain.
const CHECK_EVERY: Duration = Duration::from_secs(6 * 3600);

/// The metrics of the audit trail.
#[derive(Clone, Debug)]
pub(crate) struct AuditMetrics {
    entries: Family<[(&'static str, &'static str); 1], Counter>,
    head: Gauge,
    gaps: Gauge,
    broken: Gauge,
}

impl AuditMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let entries = Family::default();
        metrics.register(
            "t3_audit_entries",
            "Entries that this process has written, by what they tell of",
            entries.clone(),
        );
        let all = Self {
            entries,
            head: metrics.gauge("t3_audit_head", "The place of the last entry"),
            gaps: metrics.gauge("t3_audit_gaps", "Gaps in the stream that were found in the last 24 hours"),
            broken: metrics.gauge("t3_audit_broken", "Whether the last check found an entry that does not fit"),
        };
        // Every counter must exist with the value 0 from the start. Otherwise its first value would
        // not be an increase, and an alert on increases would miss it.
        for action in Action::ALL {
            drop(all.entries.get_or_create(&[("action", action.as_str())]));
        }
        all
    }

    /// Counts these written entries, by their action.
    pub(crate) fn recorded(&self, facts: &[Fact]) {
        for fact in facts {
            let known = Action::ALL.iter().find(|action| action.as_str() == fact.action);
            self.entries.get_or_create(&[("action", known.map_or("other", |action| action.as_str()))]).inc();
        }
    }
}

/// Starts two tasks that run until shutdown. One updates the metrics of the trail's length and gaps
/// every five seconds. The other verifies the chain every six hours.
pub(crate) fn watch(app: &Arc<App>, shutdown: &Shutdown) {
    let measured = app.clone();
    sample(shutdown, move || {
        let app = measured.clone();
        async move {
            app.metrics.head.set(app.store.chain.head().await?.seq);
            let since = app.clock.now() - DAY;
            app.metrics.gaps.set(app.store.chain.count_since(Action::AuditGap.as_str(), since.0).await? as i64);
            Ok::<(), Error>(())
        }
    });
    let (app, stop) = (app.clone(), shutdown.clone());
    tokio::spawn(async move {
        while !stop.is_stopping() {
            match verify(&app.store, None, |_| ()).await {
                Ok(_) => drop(app.metrics.broken.set(0)),
                Err(error) if error.is::<Broken>() => {
                    app.metrics.broken.set(1);
                    tracing::error!("the audit trail is broken: {error}");
                }
                Err(error) => tracing::warn!("the audit trail cannot be checked now: {error:#}"),
            }
            tokio::select! {
                () = tokio::time::sleep(CHECK_EVERY) => {}
                () = stop.stopping() => {}
            }
        }
    });
}
