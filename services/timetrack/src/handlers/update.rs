use std::{sync::Arc, time::Duration};

use contracts::{
    Action, AuditSubject, Code, EventId, Failure, SettlementChanged, UpdateWindows, WINDOWS_AN_EVENT, WindowChanges,
    WindowsRecorded, WindowsUpdated, created,
};
use futures::TryStreamExt;
use kit::{Call, Error, Shutdown};
use serde_json::json;

use crate::{
    App,
    domain::Settled,
    store::{StoredWindow, UpdateJob},
};

/// How long the events of an update may take to leave the outbox.
const PUBLISHED: Duration = Duration::from_secs(30);
/// How often a job is begun anew because something was settled meanwhile.
const TRIES: usize = 20;
/// How often jobs are looked for whose process has died.
const TAKE_OVER: Duration = Duration::from_secs(5);

/// Changes all windows of a filter that are stored when it is asked; one that is recorded while it
/// runs may be changed too. Once begun it is finished, whether or not somebody still waits for it.
pub(crate) async fn update(app: Arc<App>, call: Call, request: UpdateWindows) -> Result<WindowsUpdated, Error> {
    call.require_admin()?;
    if !request.names_something() {
        let detail = "Name the employees, projects, tasks or shifts whose windows change.";
        return Err(Failure::new(Code::NoFilter, detail).into());
    }
    if request.changes == WindowChanges::default() {
        return Err(Failure::new(Code::NothingToChange, "Name at least one field to change.").into());
    }
    let job = begin(&app, UpdateJob::new(request, app.clock.now())).await?;
    let work = app.clone();
    let done = app.shutdown.spawn(async move { run(&work, job).await });
    let job = done.await.map_err(|error| Error::Other(error.into()))??;
    // Analytics count what is on the stream: complete when it answers.
    app.db.until_published(PUBLISHED).await?;
    Ok(WindowsUpdated { modified: job.modified as u64 })
}

/// Begins a job, unless something that it would change is settled: then nothing is changed. Until it is
/// done nobody settles anything.
async fn begin(app: &App, job: UpdateJob) -> Result<UpdateJob, Error> {
    for _ in 0..TRIES {
        let before = active(app.store.settlements.all().await?);
        require_open(app, &job.request, before.iter().cloned().collect()).await?;
        let has_begun = kit::change!(app.db.awaited(Duration::ZERO), tx => {
            app.store.settlements.touch_all(tx).await?;
            let is_same = active(app.store.settlements.all_in(tx).await?) == before;
            if is_same {
                app.store.updates.begin(tx, &job).await?;
            }
            Ok(is_same)
        })?;
        if has_begun {
            return Ok(job);
        }
    }
    let detail = "Too much is approved or locked at this moment. Try again in a moment.";
    Err(Failure::new(Code::Unavailable, detail).into())
}

/// What settles something, in order.
fn active(all: Vec<SettlementChanged>) -> Vec<SettlementChanged> {
    let mut active: Vec<SettlementChanged> = all.into_iter().filter(|one| one.settles.is_some()).collect();
    active.sort_by(|a, b| a.id.cmp(&b.id));
    active
}

/// Refuses an update of windows of which one is settled.
async fn require_open(app: &App, request: &UpdateWindows, settled: Settled) -> Result<(), Error> {
    if settled.is_empty() {
        return Ok(());
    }
    let places = app.store.windows.places_of(request).await?;
    let mut places = std::pin::pin!(places);
    while let Some(worked) = places.try_next().await? {
        if let Some(by) = settled.by(worked) {
            return Err(app.store.settlements.refusal(by).await?.into());
        }
    }
    Ok(())
}

/// Goes on with updates whose process has died, until shutdown.
pub(crate) fn take_over_updates(app: Arc<App>, shutdown: &Shutdown) {
    let stop = shutdown.clone();
    shutdown.spawn(async move {
        while !stop.is_stopping() {
            match app.store.updates.take_over(app.clock.now()).await {
                Ok(Some(job)) => {
                    tracing::info!(job = %job.id, "going on with an update");
                    if let Err(error) = run(&app, job).await {
                        tracing::warn!(%error, "the update waits");
                    }
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "cannot look for updates"),
            }
            tokio::select! {
                () = tokio::time::sleep(TAKE_OVER) => {}
                () = stop.stopping() => {}
            }
        }
    });
}

/// Does a job for whoever asked for it, also after another process has died with it.
async fn run(app: &App, job: UpdateJob) -> Result<UpdateJob, Error> {
    job.origin().scope(go_on(app, job)).await
}

/// Does a job in chunks, each in one transaction with its event and the note of how far it is. The
/// last one tells the audit trail of all.
///
/// It walks all ids once, in their order. So it meets every window that was recorded before it
/// began, whatever any clock says, and it ends however many are recorded meanwhile: what is
/// recorded behind it is left as it is.
async fn go_on(app: &App, mut job: UpdateJob) -> Result<UpdateJob, Error> {
    while !job.done {
        if app.shutdown.is_stopping() {
            return Err(Failure::new(Code::Unavailable, "The service stops. The update goes on elsewhere.").into());
        }
        let ids = app.store.windows.to_update(&job.request, job.after, WINDOWS_AN_EVENT).await?;
        let was = job.after;
        job.after = ids.last().copied().or(was);
        job.modified += ids.len() as i64;
        job.done = ids.len() < WINDOWS_AN_EVENT;
        let mine = kit::change!(app.db.awaited(Duration::ZERO), tx => {
            if !app.store.updates.note(tx, &job, was, app.clock.now()).await? {
                return Ok(false);
            }
            if !ids.is_empty() {
                let changed = app.store.windows.update(tx, &ids, &job.request.changes, job.asked).await?;
                let batch = kit::new_id::<EventId>().to_string();
                let windows = changed.iter().map(StoredWindow::fact).collect();
                tx.emit(&WindowsRecorded { batch, windows }).await?;
            }
            match job.done {
                true => tx.audit(Action::WindowsUpdated, AuditSubject::new("windows", job.id), told(&job)).await?,
                false => tx.is_audited_elsewhere(),
            }
            Ok(true)
        })?;
        if !mine {
            // Somebody else has gone on with it: follow from where they are.
            let theirs = app.store.updates.find(job.id).await?;
            job = theirs.ok_or_else(|| Failure::not_found("update"))?;
        }
    }
    Ok(job)
}

/// What the audit trail is told of a job: the filter, what it changed, and how many windows.
fn told(job: &UpdateJob) -> serde_json::Value {
    let UpdateWindows { employees, projects, tasks, shifts, begin, changes } = &job.request;
    let filter = json!({
        "employeeId": employees, "projectId": projects, "taskId": tasks, "shiftId": shifts, "begin": begin,
    });
    created(&json!({ "filter": filter, "changes": changes, "modified": job.modified }))
}
