use std::{sync::Arc, time::Duration};

use contracts::{
    Action, ApprovePeriod, Bounded, Code, Conditional, CountedSum, EventId, Failure, IfMatch, KnownPeriod,
    PeriodDecision, PeriodId, PeriodStatus, SECOND, Settings, Tag, TimeMark,
};
use kit::{Call, Error, Shutdown};
use tokio::time::{Instant, sleep};

use super::periods::{
    actor, added_up, current, current_in, let_in, next, range_of, require_decidable, save, shown, sum_of, tell,
};
use crate::{
    App,
    consumers::{until_all_have_heard, until_queue_is_done},
    store::{Closing, StoredPeriod},
};

/// How long an approval may take, in milliseconds. After that it counts as abandoned, and the
/// period is reopened.
const ATTEMPT: i64 = 45 * SECOND;
/// The interval between two searches for abandoned approvals.
const LOOK: Duration = Duration::from_secs(5);
/// How long an approval waits for quarantined windows of the period that are tried again
/// automatically.
const EARLY: Duration = Duration::from_secs(2);
/// How long an approval waits for another approval of the same period.
const OTHERS: Duration = Duration::from_secs(15);

/// Approves a period, which settles it, if its hash is still the one that the approver has seen.
///
/// Once the windows in the queue are recorded, the period is closed: from then on no worker records
/// and no handler changes anything in it. Then the call waits until every worker has read this and
/// has finished the batches that began before. Only then the final sum is computed.
pub(crate) async fn approve_period(
    app: Arc<App>,
    call: Call,
    Bounded { asked: Conditional { change: ApprovePeriod { id }, if_match }, within }: Bounded<
        Conditional<ApprovePeriod>,
    >,
) -> Result<KnownPeriod, Error> {
    call.require_admin()?;
    require_decidable(within.as_ref(), id)?;
    let IfMatch(Some(seen)) = if_match else {
        let detail = "Name the hash of the period that you have seen: If-Match: \"<hash>\".";
        return Err(Failure::new(Code::BadPrecondition, detail).into());
    };
    let settings = app.store.settings.get().await?;
    let period = current(&app, id, &settings).await?;
    if period.status != PeriodStatus::Approved {
        require_seen(&seen, sum_of(&app, &period).await?.0.hash)?;
        until_queue_is_done(&app).await?;
        until_none_is_early(&app, &period).await?;
    }
    let Some(closing) = close(&app, id, &settings).await? else {
        // The period is approved already, by a concurrent or an earlier request.
        let approved = app.store.periods.find(id).await?.ok_or_else(|| Failure::not_found("pay period"))?;
        require_seen(&seen, approved.sum.map(|sum| sum.hash).unwrap_or_default())?;
        return shown(&app, approved).await;
    };
    match settle(&app, &call, &closing, &seen, &settings).await {
        Ok(period) => shown(&app, period).await,
        Err(error) => {
            open_again(&app, &closing).await?;
            Err(error)
        }
    }
}

/// Until shutdown, reopens periods whose approval was abandoned.
pub(crate) fn open_what_was_given_up(app: Arc<App>, shutdown: &Shutdown) {
    let stop = shutdown.clone();
    shutdown.spawn(async move {
        while !stop.is_stopping() {
            if let Err(error) = open_given_up(&app).await {
                tracing::warn!(%error, "approvals that were given up wait");
            }
            tokio::select! {
                () = sleep(LOOK) => {}
                () = stop.stopping() => {}
            }
        }
    });
}

async fn open_given_up(app: &App) -> Result<(), Error> {
    for period in app.store.periods.given_up(app.clock.now()).await? {
        tracing::info!(period = %period.id, "an approval was given up; the period is open again");
        // An error with one period must not stop the reopening of the others.
        match open_again(app, &period).await {
            Err(error) if error.is_away() => return Err(error),
            Err(error) => tracing::error!(%error, period = %period.id, "it cannot be opened again"),
            Ok(()) => {}
        }
    }
    Ok(())
}

fn require_seen(seen: &[Tag], mark: TimeMark) -> Result<(), Failure> {
    if seen.contains(&Tag::sent(&mark.to_string())) {
        return Ok(());
    }
    let detail = "The period has changed since you have seen it. Look at it again, and approve it with its new hash.";
    Err(Failure::new(Code::PeriodChanged, detail))
}

/// Waits until no quarantined window of the period is waiting to be tried again, at most [`EARLY`].
/// Then refuses the approval if there still is one.
async fn until_none_is_early(app: &App, period: &StoredPeriod) -> Result<(), Error> {
    let begun = Instant::now();
    while begun.elapsed() < EARLY && app.store.quarantine.any_waiting(period.employee, range_of(period)?).await? {
        sleep(Duration::from_millis(50)).await;
    }
    require_none_early(app, period).await
}

async fn require_none_early(app: &App, period: &StoredPeriod) -> Result<(), Error> {
    if app.store.quarantine.any_waiting(period.employee, range_of(period)?).await? {
        let detail = "Windows of this period are checked again by themselves at this moment. Approve it when they are \
                      recorded, or held back.";
        return Err(Failure::new(Code::WindowsWaiting, detail).into());
    }
    Ok(())
}

/// Closes a period: from then on nothing is recorded or changed in it. None if the period is
/// approved already.
async fn close(app: &App, id: PeriodId, settings: &Settings) -> Result<Option<StoredPeriod>, Error> {
    let (attempt, begun): (EventId, _) = (kit::new_id(), Instant::now());
    loop {
        let now = app.clock.now();
        let closing = kit::change!(app.db.awaited(Duration::ZERO), tx => {
            app.store.settlements.touch(tx, [id.employee]).await?;
            let was = current_in(app, tx, id, settings).await?;
            if was.status == PeriodStatus::Approved || was.closing.is_some() {
                return Ok(was);
            }
            if app.store.updates.is_any_under_way(tx).await? {
                let detail = "A bulk update of windows is under way. Try again when it is done.";
                return Err(Failure::new(Code::Unavailable, detail).into());
            }
            // The period may have been submitted under an earlier calendar, and may now overlap an
            // approved one.
            if let Some(other) = app.store.periods.overlapped_by(tx, &was).await? {
                let detail = format!(
                    "The approved period {other} holds a part of this one. Approve what the list of periods shows \
                     beside it, or open that one again."
                );
                return Err(Failure::new(Code::PeriodOverlaps, detail).into());
            }
            let closing = Some(Closing { attempt, until: now + ATTEMPT });
            let period = StoredPeriod { settles: true, closing, ..next(&was) };
            app.store.periods.save(tx, &period).await?;
            tx.emit(&period.settlement()).await?;
            tx.is_audited_elsewhere();
            Ok(period)
        })?;
        match closing.closing {
            _ if closing.status == PeriodStatus::Approved => return Ok(None),
            Some(Closing { attempt: whose, .. }) if whose == attempt => return Ok(Some(closing)),
            _ if begun.elapsed() > OTHERS => {
                let detail = "Somebody else is about to approve the period. Try again in a moment.";
                return Err(Failure::new(Code::Unavailable, detail).into());
            }
            _ => sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Waits for all workers, computes the final sum of a closing period, and approves it.
async fn settle(
    app: &App,
    call: &Call,
    closing: &StoredPeriod,
    seen: &[Tag],
    settings: &Settings,
) -> Result<StoredPeriod, Error> {
    until_all_have_heard(app, &closing.settlement()).await?;
    require_none_early(app, closing).await?;
    let (now, range) = (app.clock.now(), range_of(closing)?);
    kit::change!(app.db.awaited(Duration::ZERO), tx => {
        app.store.settlements.touch(tx, [closing.employee]).await?;
        let was = app.store.periods.load(tx, closing.id).await?.filter(|was| was.closing == closing.closing);
        let Some(was) = was else {
            let detail = "It took too long until everybody had heard of it. Try again.";
            return Err(Failure::new(Code::Unavailable, detail).into());
        };
        let facts = app.store.windows.deciding_in(tx, closing.employee, range).await?;
        let adjustments = app.store.adjustments.counting_in(tx, closing.employee, range).await?;
        let (sum, adjusted) = added_up(CountedSum::of(facts, range, app.config.count_overlaps), &adjustments);
        require_seen(seen, sum.hash)?;
        let period = StoredPeriod {
            status: PeriodStatus::Approved,
            closing: None,
            sum: Some(sum),
            adjusted: Some(adjusted),
            approved_at: Some(now),
            approved_by: actor(call),
            note: None,
            ..next(&was)
        };
        let period = save(app, tx, Action::PeriodApproved, was, period).await?;
        tell(tx, &period, PeriodDecision::Approved, settings).await?;
        Ok(period)
    })
}

/// Reopens a closing period, if the same attempt of approving still closes it. Windows that were
/// quarantined meanwhile are tried again.
async fn open_again(app: &App, closing: &StoredPeriod) -> Result<(), Error> {
    let time = closing.settlement().settles;
    let is_open = kit::change!(app.db.awaited(Duration::ZERO), tx => {
        app.store.settlements.touch(tx, [closing.employee]).await?;
        let was = app.store.periods.load(tx, closing.id).await?.filter(|was| was.closing == closing.closing);
        let Some(was) = was else { return Ok(false) };
        let period = StoredPeriod { settles: false, closing: None, ..next(&was) };
        app.store.periods.save(tx, &period).await?;
        tx.emit(&period.settlement()).await?;
        tx.is_audited_elsewhere();
        Ok(true)
    })?;
    if is_open { let_in(app, time).await } else { Ok(()) }
}
