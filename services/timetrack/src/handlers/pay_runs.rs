use std::{sync::Arc, time::Duration};

use contracts::{
    Action, AuditSubject, Code, CreatePayRun, EventId, Failure, GetPayRun, ListPaidPeriods, ListPayRuns, MadePayRun,
    Page, PaidPeriod, PayRun, PayRunId, PeriodId, TimeRange, WINDOWS_AN_EVENT, WindowChanges, WindowsRecorded, created,
};
use futures::TryStreamExt;
use kit::{Call, Error, Shutdown};

use super::periods::{actor, range_of};
use crate::{
    App,
    store::{StoredPayRun, StoredPeriod, StoredWindow},
};

/// The interval between two searches for pay runs whose windows are not all marked as paid.
const LOOK: Duration = Duration::from_secs(5);

/// Pays all approved periods that lie inside a range and that no pay run has paid. If there are
/// none, returns the last pay run of this range: the request is repeated or concurrent. The windows
/// of the paid periods are marked as paid even if the caller stops waiting.
pub(crate) async fn create_pay_run(app: Arc<App>, call: Call, request: CreatePayRun) -> Result<MadePayRun, Error> {
    call.require_admin()?;
    let range = TimeRange::new(request.start, request.end).map_err(|error| Failure::field("end", error))?;
    let (id, now): (PayRunId, _) = (kit::new_id(), app.clock.now());
    let (run, is_new) = kit::change!(app.db.awaited(Duration::ZERO), tx => {
        let periods = app.store.periods.payable(tx, range).await?;
        if periods.is_empty() {
            // The second of two concurrent requests must return the pay run of the first.
            let Some(run) = app.store.pay_runs.last_of(tx, range).await? else {
                let detail = "No period that lies between these moments is approved and not paid yet.";
                return Err(Failure::new(Code::PeriodNotApproved, detail).into());
            };
            return Ok((run, false));
        }
        let run = StoredPayRun::new(id, range, &periods, now, actor(&call));
        app.store.periods.pay(tx, &periods, id).await?;
        app.store.pay_runs.insert(tx, &run).await?;
        let told = created(&run.clone().shown());
        tx.audit(Action::PayRunCreated, AuditSubject::new("pay_run", id), told).await?;
        Ok((run, true))
    })?;
    if !run.marked {
        let (work, marked) = (app.clone(), run.id);
        let origin = kit::Origin::current();
        let done = app.shutdown.spawn(async move { origin.scope(mark(&work, marked)).await });
        done.await.map_err(|error| Error::Other(error.into()))??;
    }
    Ok(MadePayRun { run: run.shown(), is_new })
}

/// Until shutdown, finishes pay runs whose windows are not all marked as paid, for example because
/// a process has crashed.
pub(crate) fn mark_what_is_paid(app: Arc<App>, shutdown: &Shutdown) {
    let stop = shutdown.clone();
    shutdown.spawn(async move {
        while !stop.is_stopping() {
            if let Err(error) = mark_all(&app).await {
                tracing::warn!(%error, "windows that are paid are not all marked yet");
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.stopping() => {}
            }
        }
    });
}

async fn mark_all(app: &App) -> Result<(), Error> {
    for run in app.store.pay_runs.unmarked().await? {
        // An error with one pay run must not stop the marking of the others.
        match mark(app, run.id).await {
            Err(error) if error.is_away() => return Err(error),
            Err(error) => tracing::error!(%error, run = %run.id, "windows of a pay run cannot be marked as paid"),
            Ok(()) => {}
        }
    }
    Ok(())
}

/// Marks as paid, for each period of this pay run, the employee's windows that begin in the period
/// and the adjustments that count in it. Windows that are marked already are skipped. So the
/// marking can be repeated, and several replicas can do it at the same time.
async fn mark(app: &App, run: PayRunId) -> Result<(), Error> {
    let changes = WindowChanges { paid: Some(true), ..WindowChanges::default() };
    let mut periods = std::pin::pin!(app.store.periods.paid_by(run, None).await?);
    while let Some(period) = periods.try_next().await? {
        loop {
            if app.shutdown.is_stopping() {
                return Err(Failure::new(Code::Unavailable, "The service stops. The run goes on elsewhere.").into());
            }
            let now = app.clock.now();
            let count = kit::change!(app.db.awaited(Duration::ZERO), tx => {
                let ids = app.store.windows.unpaid(tx, &period, WINDOWS_AN_EVENT).await?;
                if !ids.is_empty() {
                    let changed = app.store.windows.update(tx, &ids, &changes, now).await?;
                    let batch = kit::new_id::<EventId>().to_string();
                    let windows = changed.iter().map(StoredWindow::fact).collect();
                    tx.emit(&WindowsRecorded { batch, windows }).await?;
                    tx.is_audited_elsewhere();
                }
                Ok(ids.len())
            })?;
            if count < WINDOWS_AN_EVENT {
                break;
            }
        }
        app.store.adjustments.pay(period.employee, range_of(&period)?).await?;
    }
    app.store.pay_runs.mark(run).await
}

/// Gets one pay run.
pub(crate) async fn get_pay_run(app: Arc<App>, call: Call, request: GetPayRun) -> Result<PayRun, Error> {
    call.require_admin()?;
    let run = app.store.pay_runs.find(request.id).await?;
    run.map(StoredPayRun::shown).ok_or_else(|| Failure::not_found("pay run").into())
}

/// Lists all pay runs, page by page.
pub(crate) async fn list_pay_runs(
    app: Arc<App>,
    call: Call,
    request: ListPayRuns,
) -> Result<Page<PayRun, PayRunId>, Error> {
    call.require_admin()?;
    let runs = app.store.pay_runs.all(request.after).await?;
    Ok(kit::page_within(runs.map_ok(StoredPayRun::shown), |run| run.id).await?)
}

/// Lists the periods that a pay run has paid, page by page.
pub(crate) async fn list_paid_periods(
    app: Arc<App>,
    call: Call,
    request: ListPaidPeriods,
) -> Result<Page<PaidPeriod, PeriodId>, Error> {
    call.require_admin()?;
    let periods = app.store.periods.paid_by(request.run, request.after).await?;
    let paid = |StoredPeriod { id, employee, start, end, sum, adjusted, .. }: StoredPeriod| {
        let (sum, adjusted) = (sum.unwrap_or_default(), adjusted.unwrap_or_default());
        PaidPeriod {
            id,
            employee_id: employee,
            start,
            end,
            time: sum.time,
            costs: sum.costs,
            income: sum.income,
            adjustment_time: adjusted.time,
            adjustment_costs: adjusted.costs,
            adjustment_income: adjusted.income,
            hash: sum.hash,
        }
    };
    Ok(kit::page_within(periods.map_ok(paid), |period| period.id).await?)
}
