//! Once a day, from an hour of the organisation's day on, requests a mail for each manager.

use std::{sync::Arc, time::Duration};

use contracts::{Caller, DigestRequested, EmployeeId, GetSettings, ListManagers};
use jiff::civil::Date;
use kit::{Error, LogThrottle, Shutdown};
use tokio::time::sleep;

use crate::{
    App,
    domain::{Digest, DigestHour},
};

/// How often the service checks whether the hour has come.
const LOOK: Duration = Duration::from_secs(3);

/// Requests the mails of each day, until shutdown.
pub(crate) fn keep(app: Arc<App>, hour: DigestHour, shutdown: &Shutdown) {
    let stop = shutdown.clone();
    shutdown.spawn(async move {
        let (told, mut done) = (LogThrottle::default(), None);
        while !stop.is_stopping() {
            match look(&app, hour, done).await {
                Ok(day) => done = day.or(done),
                Err(error) if told.may_log(()) => {
                    tracing::warn!(%error, "nobody knows whom to mail what waits; it is looked again");
                }
                Err(_) => {}
            }
            tokio::select! {
                () = sleep(LOOK) => {}
                () = stop.stopping() => {}
            }
        }
    });
}

/// Requests the mails that are due, unless those of their day are requested already. Gives that day.
async fn look(app: &App, hour: DigestHour, done: Option<Date>) -> Result<Option<Date>, Error> {
    let settings = app.bus.ask(Caller::Service, &GetSettings {}).await?;
    let Some(Digest { day, until }) = Digest::due(app.clock.now(), &settings.timezone, hour) else { return Ok(None) };
    if done.is_some_and(|done| done >= day) || app.digests.are_requested(day).await? {
        return Ok(Some(day));
    }
    let managers = managers(app).await?;
    let requested: Vec<_> = managers.into_iter().map(|manager_id| DigestRequested { manager_id, day, until }).collect();
    let is_first = kit::change!(app.db.awaited(Duration::ZERO), tx => {
        let is_first = app.digests.request(tx, day).await?;
        if is_first {
            tx.emit_all(&requested).await?;
            // The audit trail gets no entry: nobody has changed anything.
            tx.is_audited_elsewhere();
        }
        Ok(is_first)
    })?;
    if is_first {
        tracing::info!(%day, managers = requested.len(), "managers are mailed what waits for them");
    }
    Ok(Some(day))
}

/// The ids of all managers of teams.
async fn managers(app: &App) -> Result<Vec<EmployeeId>, Error> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = app.bus.ask(Caller::Service, &ListManagers { after }).await?;
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}
