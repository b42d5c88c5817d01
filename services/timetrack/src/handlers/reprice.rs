use std::{sync::Arc, time::Duration};

use contracts::{
    Action, AuditSubject, Code, EventId, Failure, GetReprice, PreviewReprice, RepriceDifference, RepriceId, RepriceJob,
    RepricePreview, StartReprice, WINDOWS_AN_EVENT, WindowsRecorded, created,
};
use kit::{Call, Error, Shutdown};
use serde_json::json;
use uuid::Uuid;

use super::reprice_plan::{Plan, money, plan};
use crate::{
    App, Step,
    consumers::settled_in,
    domain::{Worked, repriced},
    store::{Repricing, StoredWindow},
};

/// How long a request for a finished job waits until the job's events are published.
const PUBLISHED: Duration = Duration::from_secs(5);
/// The interval between two searches for jobs of crashed processes.
const TAKE_OVER: Duration = Duration::from_secs(5);

/// Computes what repricing the windows of a filter would change. Nothing is changed. For admins.
pub(crate) async fn preview_reprice(
    app: Arc<App>,
    call: Call,
    PreviewReprice { filter }: PreviewReprice,
) -> Result<RepricePreview, Error> {
    call.require_admin()?;
    let plan = plan(&app, &filter).await?;
    let (before, after) = money(&app, &plan.changes).await?;
    let difference = RepriceDifference {
        costs: contracts::Money(after.costs.0 - before.costs.0).cents(),
        income: contracts::Money(after.income.0 - before.income.0).cents(),
    };
    Ok(RepricePreview {
        count: plan.changes.len() as u64,
        settled: plan.settled as u64,
        costs: after.costs.cents(),
        income: after.income.cents(),
        difference,
        hash: plan.hash.simple().to_string(),
    })
}

/// Starts a job that does what a preview has shown, if nothing has changed since. The job runs in
/// the background after the answer. A repeated request returns the same job.
pub(crate) async fn start_reprice(
    app: Arc<App>,
    call: Call,
    StartReprice { filter, hash }: StartReprice,
) -> Result<RepriceJob, Error> {
    call.require_admin()?;
    let seen = Uuid::try_parse(&hash).map_err(|_| is_other())?;
    if let Some(job) = app.store.reprices.find(RepriceId(seen)).await? {
        return Ok(job.shown());
    }
    let Plan { changes, total, hash, .. } = plan(&app, &filter).await?;
    if hash != seen {
        return Err(is_other().into());
    }
    let job = Repricing::new(RepriceId(hash), filter, changes.len(), total, app.clock.now());
    let is_new = kit::change!(app.db.awaited(Duration::ZERO), tx => {
        let is_new = app.store.reprices.begin(tx, &job).await?;
        if is_new {
            tx.audit(Action::RepriceStarted, AuditSubject::new("reprice", job.id), told(&job)).await?;
        }
        Ok(is_new)
    })?;
    let shown = job.shown();
    if is_new {
        let work = app.clone();
        app.shutdown.spawn(async move {
            let id = job.id;
            if let Err(error) = run(&work, job).await {
                tracing::warn!(%error, job = %id, "pricing windows anew waits");
            }
        });
    }
    Ok(shown)
}

fn is_other() -> Failure {
    let detail = "Windows or rates have changed since this was previewed. Ask for a preview again, and confirm that.";
    Failure::new(Code::PreviewChanged, detail)
}

/// Gets the progress of a job.
pub(crate) async fn get_reprice(app: Arc<App>, call: Call, GetReprice { id }: GetReprice) -> Result<RepriceJob, Error> {
    call.require_admin()?;
    let job = app.store.reprices.find(id).await?.ok_or_else(|| Failure::not_found("job"))?;
    if job.done {
        // The last windows are committed before their events are published. Without this wait, a
        // report that is requested after "done" could still have the old prices.
        app.db.until_published(PUBLISHED).await?;
    }
    Ok(job.shown())
}

/// Until shutdown, continues jobs of crashed processes.
pub(crate) fn take_over_reprices(app: Arc<App>, shutdown: &Shutdown) {
    let stop = shutdown.clone();
    shutdown.spawn(async move {
        while !stop.is_stopping() {
            match app.store.reprices.take_over(app.clock.now()).await {
                Ok(Some(job)) => {
                    tracing::info!(job = %job.id, "going on with pricing windows anew");
                    if let Err(error) = run(&app, job).await {
                        tracing::warn!(%error, "pricing windows anew waits");
                    }
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "cannot look for jobs that price windows anew"),
            }
            tokio::select! {
                () = tokio::time::sleep(TAKE_OVER) => {}
                () = stop.stopping() => {}
            }
        }
    });
}

/// Runs a job with the origin of the request that started it, also when this process has taken it
/// over.
async fn run(app: &App, job: Repricing) -> Result<(), Error> {
    job.origin().scope(go_on(app, job)).await
}

/// Runs a job in chunks. Each chunk is one transaction with its event and the job's progress. The
/// last chunk also stores the audit entry.
///
/// A window that already has the present price keeps its revision, so a repeated chunk changes
/// nothing.
async fn go_on(app: &App, mut job: Repricing) -> Result<(), Error> {
    let windows = job.filter.windows();
    while !job.done {
        if app.shutdown.is_stopping() {
            return Err(Failure::new(Code::Unavailable, "The service stops. The job goes on elsewhere.").into());
        }
        let ids = app.store.windows.to_update(&windows, job.after, WINDOWS_AN_EVENT).await?;
        let next = kit::change!(app.db.awaited(Duration::ZERO), tx => {
            let now = app.clock.now();
            let mut next = job.clone();
            next.after = ids.last().copied().or(job.after);
            next.seen += ids.len() as i64;
            if ids.len() < WINDOWS_AN_EVENT {
                next.finish(now);
            }
            let mut changed = Vec::new();
            if !ids.is_empty() {
                let stored = app.store.windows.these(tx, &ids).await?;
                let prices = app.store.prices_of(&stored).await?;
                let priced = stored.into_iter().filter(|one| !one.voided).filter_map(|one| {
                    let price = repriced(&one.window, &prices)?;
                    Some((Worked::of_window(&one.window)?, (one, price)))
                });
                let (worked, priced): (Vec<Worked>, Vec<_>) = priced.unzip();
                for (by, (mut one, price)) in settled_in(app, tx, &worked).await?.into_iter().zip(priced) {
                    if by.is_some() {
                        next.settled += 1;
                        continue;
                    }
                    one.window.set_rates(price.rates, price.parts);
                    (one.window.updated_at, one.revision) = (now, one.revision + 1);
                    changed.push(one);
                }
            }
            next.changed += changed.len() as i64;
            if !app.store.reprices.note(tx, &next, job.after, now).await? {
                return Ok(None);
            }
            if !changed.is_empty() {
                app.store.windows.put_rates(tx, &changed).await?;
                let batch = kit::new_id::<EventId>().to_string();
                let windows = changed.iter().map(StoredWindow::fact).collect();
                tx.emit(&WindowsRecorded { batch, windows }).await?;
            }
            match next.done {
                true => tx.audit(Action::RepriceFinished, AuditSubject::new("reprice", job.id), told(&next)).await?,
                false => tx.is_audited_elsewhere(),
            }
            Ok(Some(next))
        })?;
        job = match next {
            Some(next) => next,
            // Another process has continued the job, so this one goes on from the stored progress.
            None => app.store.reprices.find(job.id).await?.ok_or_else(|| Failure::not_found("job"))?,
        };
        app.faults.at(Step::Repriced).await;
    }
    Ok(())
}

/// The content of the audit entry: the filter, the number of windows to change, how many were
/// changed, and how many were left because they are settled.
fn told(job: &Repricing) -> serde_json::Value {
    let (filter, changed, settled) = (&job.filter, job.changed, job.settled);
    created(&json!({ "filter": filter, "count": job.count, "changed": changed, "settled": settled }))
}
