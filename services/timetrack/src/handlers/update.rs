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

/// How long the handler waits until the events of an update are published.
const PUBLISHED: Duration = Duration::from_secs(30);
/// How often the start of a job is tried when time is settled or reopened at the same moment.
const TRIES: usize = 20;
/// The interval between two searches for jobs of crashed processes.
const TAKE_OVER: Duration = Duration::from_secs(5);

/// Changes all recorded windows that match a filter. A window that is recorded while the job runs
/// may be changed or not. The job finishes even if the caller stops waiting. For admins.
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
    // After this answer, reports must contain the changes. For that the events must be in the
    // stream.
    app.db.until_published(PUBLISHED).await?;
    Ok(WindowsUpdated { modified: job.modified as u64 })
}

/// Starts a job, unless a window that it would change is settled: then nothing is changed. While a
/// job runs, no time can be settled.
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

/// The settlements that settle some time, ordered by id.
fn active(all: Vec<SettlementChanged>) -> Vec<SettlementChanged> {
    let mut active: Vec<SettlementChanged> = all.into_iter().filter(|one| one.settles.is_some()).collect();
    active.sort_by(|a, b| a.id.cmp(&b.id));
    active
}

/// Refuses an update if one of its windows is settled.
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

/// Until shutdown, continues updates of crashed processes.
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

/// Runs a job with the origin of the request that started it, also when this process has taken it
/// over.
async fn run(app: &App, job: UpdateJob) -> Result<UpdateJob, Error> {
    job.origin().scope(go_on(app, job)).await
}

/// Runs a job in chunks. Each chunk is one transaction with its event and the job's progress. The
/// last chunk also stores the audit entry.
///
/// The job reads all window ids once, in order. So it finds every window that was recorded before
/// it began, independently of clocks; and it ends however many windows are recorded meanwhile. A
/// window that is recorded during the job, with an id before the job's position, is not changed.
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
            // Another process has continued the job, so this one goes on from the stored progress.
            let theirs = app.store.updates.find(job.id).await?;
            job = theirs.ok_or_else(|| Failure::not_found("update"))?;
        }
    }
    Ok(job)
}

/// The content of the audit entry: the filter, the changes, and the number of changed windows.
fn told(job: &UpdateJob) -> serde_json::Value {
    let UpdateWindows { employees, projects, tasks, shifts, begin, changes } = &job.request;
    let filter = json!({
        "employeeId": employees, "projectId": projects, "taskId": tasks, "shiftId": shifts, "begin": begin,
    });
    created(&json!({ "filter": filter, "changes": changes, "modified": job.modified }))
}
