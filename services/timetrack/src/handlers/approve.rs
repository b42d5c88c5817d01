use std::{sync::Arc, time::Duration};

use contracts::{
    Action, ApprovePeriod, Bounded, Code, Conditional, CountedSum, EventId, Failure, IfMatch, KnownPeriod,
    PeriodDecision, PeriodId, PeriodStatus, SECOND, Settings, Tag, TimeMark,
};
use kit::{Call, Error, Shutdown};
use tokio::time::{Instant, sleep};

use super::periods::{
    PUBLISHED, actor, added_up, current, next, range_of, require_decidable, save, shown, sum_of, tell,
};
use crate::{
    App,
    consumers::{until_all_have_heard, until_queue_is_done},
    store::{Closing, StoredPeriod},
};

/// After so long, in milliseconds, an approval that has come to no end was given up.
const ATTEMPT: i64 = 45 * SECOND;
/// How often those are looked for.
const LOOK: Duration = Duration::from_secs(5);
/// How long somebody waits for windows that are tried again.
const EARLY: Duration = Duration::from_secs(2);
/// How long somebody waits for another one who is approving the same period.
const OTHERS: Duration = Duration::from_secs(15);

/// Settles a period, if it is still what its approver has seen.
///
/// First it is closing: nothing is recorded or changed in it from then on, and all that was begun before
/// is waited for. Only then is it summed up for good.
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
    let period = current(app.store.periods.find(id).await?, id, &settings)?;
    if period.status != PeriodStatus::Approved {
        require_seen(&seen, sum_of(&app, &period).await?.0.hash)?;
        until_queue_is_done(&app).await?;
        until_none_is_early(&app, &period).await?;
    }
    let Some(closing) = close(&app, id, &settings).await? else {
        // Somebody has approved it, now or before.
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

/// Opens periods again whose approval has come to no end, until shutdown.
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
        open_again(app, &period).await?;
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

/// Waits a little for windows of a period that are about to be judged.
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

/// Has nothing recorded or changed in a period from now on; nothing where it is approved already.
async fn close(app: &App, id: PeriodId, settings: &Settings) -> Result<Option<StoredPeriod>, Error> {
    let (attempt, begun): (EventId, _) = (kit::new_id(), Instant::now());
    loop {
        let now = app.clock.now();
        let closing = kit::change!(app.db.awaited(Duration::ZERO), tx => {
            app.store.settlements.touch(tx, [id.employee]).await?;
            let was = current(app.store.periods.load(tx, id).await?, id, settings)?;
            if was.status == PeriodStatus::Approved || was.closing.is_some() {
                return Ok(was);
            }
            if app.store.updates.is_any_under_way(tx).await? {
                let detail = "A bulk update of windows is under way. Try again when it is done.";
                return Err(Failure::new(Code::Unavailable, detail).into());
            }
            if app.store.periods.overlaps(tx, &was).await? {
                let detail = "Another period that is approved already holds a part of this one.";
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

/// Sums a closing period up for good.
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

/// Opens a closing period again, where it is still the same attempt. What was set aside meanwhile is
/// tried again.
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
    if let Some(time) = time.filter(|_| is_open) {
        app.db.until_published(PUBLISHED).await?;
        app.store.quarantine.let_in(time).await?;
    }
    Ok(())
}
