//! Requests one mail a day for each manager, once a set hour in the organisation's time zone has
//! come.

use std::{sync::Arc, time::Duration};

use contracts::{Caller, DigestRequested, GetSettings, ListManagers};
use kit::{Error, LogThrottle, Shutdown};
use tokio::time::sleep;

use crate::{
    App,
    domain::{Digest, DigestHour},
};

/// How often the service checks whether the hour has come.
const LOOK: Duration = Duration::from_secs(3);

/// Requests the mails of each day in a background task, until shutdown.
pub(crate) fn keep(app: Arc<App>, hour: DigestHour, shutdown: &Shutdown) {
    let stop = shutdown.clone();
    shutdown.spawn(async move {
        let (told, mut done) = (LogThrottle::default(), None::<Digest>);
        while !stop.is_stopping() {
            match look_unless_done(&app, hour, done).await {
                Ok(digest) => done = digest,
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

/// Requests the mails that are due, and returns their day. If `done` is a day that is not over yet,
/// its mails are requested already and nothing is queried.
async fn look_unless_done(app: &App, hour: DigestHour, done: Option<Digest>) -> Result<Option<Digest>, Error> {
    match done.filter(|done| app.clock.now() < done.until) {
        Some(done) => Ok(Some(done)),
        None => look(app, hour).await,
    }
}

/// Requests the mails that are due, unless they are requested already. Returns their day, or `None`
/// before the hour.
async fn look(app: &App, hour: DigestHour) -> Result<Option<Digest>, Error> {
    let settings = app.bus.ask(Caller::Service, &GetSettings {}).await?;
    let Some(digest) = Digest::due(app.clock.now(), &settings.timezone, hour) else { return Ok(None) };
    let Digest { day, until } = digest;
    if app.digests.are_requested(day).await? {
        return Ok(Some(digest));
    }
    let managers = kit::all_pages(async |after| app.bus.ask(Caller::Service, &ListManagers { after }).await).await?;
    let requested: Vec<_> = managers.into_iter().map(|manager_id| DigestRequested { manager_id, day, until }).collect();
    let is_first = kit::change!(app.db.awaited(Duration::ZERO), tx => {
        let is_first = app.digests.request(tx, day).await?;
        if is_first {
            tx.emit_all(&requested).await?;
            // The audit trail gets no entry, because a request for mails changes nothing that the
            // trail records.
            tx.is_audited_elsewhere();
        }
        Ok(is_first)
    })?;
    if is_first {
        tracing::info!(%day, managers = requested.len(), "managers are mailed what waits for them");
    }
    Ok(Some(digest))
}
