use std::{sync::Arc, time::Duration};

use contracts::{
    Action, Actor, AdjustedSum, Adjustment, AdjustmentCursor, AuditSubject, Bounded, Caller, Code, CountedSum, Failure,
    GetPeriod, GetPeriodStates, KnownPeriod, ListAdjustments, ListPeriods, Note, Page, PaySpan, PeriodDecided,
    PeriodDecision, PeriodId, PeriodStates, PeriodStatus, PeriodSum, ReopenPeriod, SendBackPeriod, Settings,
    SettledTime, SubmitPeriod, TimeRange, Within, changed,
};
use futures::try_join;
use kit::{Call, Error, Tx};
use serde_json::json;

use crate::{
    App,
    store::{StoredAdjustment, StoredPeriod},
};

/// How long a handler waits until the event of a change is published.
pub(super) const PUBLISHED: Duration = Duration::from_secs(5);

/// The most periods in a reply that also has a page of adjustments. A page of adjustments takes up
/// to half of what a reply can carry.
const FEW_PERIODS: usize = 500;

/// Lists the stored periods that touch a range, page by page. For admins, and callers who may see
/// the data of these employees.
pub(crate) async fn list_periods(
    app: Arc<App>,
    call: Call,
    request: ListPeriods,
) -> Result<Page<KnownPeriod, PeriodId>, Error> {
    match request.employees.as_slice() {
        [] => call.require_admin()?,
        named => named.iter().try_for_each(|employee| call.require_sight_of(*employee))?,
    }
    let periods = app.store.periods.touching(&request).await?;
    let known = futures::TryStreamExt::map_ok(periods, |period| period.known(None));
    Ok(kit::page_within(known, |period: &KnownPeriod| period.id).await?)
}

/// Lists the adjustments that count in a range, page by page. For admins, and callers who may see
/// the data of these employees.
pub(crate) async fn list_adjustments(
    app: Arc<App>,
    call: Call,
    request: ListAdjustments,
) -> Result<Page<Adjustment, AdjustmentCursor>, Error> {
    match request.employees.as_slice() {
        [] => call.require_admin()?,
        named => named.iter().try_for_each(|employee| call.require_sight_of(*employee))?,
    }
    let adjustments = app.store.adjustments.listed(&request).await?;
    let shown = futures::TryStreamExt::map_ok(adjustments, StoredAdjustment::shown);
    Ok(kit::page_within(shown, |one: &Adjustment| AdjustmentCursor { counts_at: one.counts_at, id: one.id }).await?)
}

/// Returns the settings, the first page of stored periods of a range and, if there is room, the
/// first page of the adjustments that count in the range. For admins, and callers who may see the
/// data of these employees.
pub(crate) async fn get_period_states(
    app: Arc<App>,
    call: Call,
    asked: GetPeriodStates,
) -> Result<PeriodStates, Error> {
    let GetPeriodStates { range, employees } = asked;
    let (settings, periods, adjustments) = try_join!(
        app.store.settings.get(),
        list_periods(app.clone(), call.clone(), ListPeriods { range, employees: employees.clone(), after: None }),
        list_adjustments(app.clone(), call, ListAdjustments { range, employees, after: None }),
    )?;
    let has_room = periods.items.len() <= FEW_PERIODS;
    Ok(PeriodStates { settings, periods, adjustments: has_room.then_some(adjustments) })
}

/// Gets one period in its present state, with its sum.
pub(crate) async fn get_period(
    app: Arc<App>,
    call: Call,
    Bounded { asked: GetPeriod { id }, within }: Bounded<GetPeriod>,
) -> Result<KnownPeriod, Error> {
    call.require_sight_of(id.employee)?;
    within.map_or(Ok(()), |within| within.require(id.employee))?;
    let settings = app.store.settings.get().await?;
    let period = current(&app, id, &settings).await?;
    shown(&app, period).await
}

/// Submits a period as complete. Employees submit their own only.
pub(crate) async fn submit_period(
    app: Arc<App>,
    call: Call,
    SubmitPeriod { id }: SubmitPeriod,
) -> Result<KnownPeriod, Error> {
    if call.caller != Caller::Employee(id.employee) {
        return Err(Failure::new(Code::Forbidden, "Employees submit their own pay periods only.").into());
    }
    let (now, settings) = (app.clock.now(), app.store.settings.get().await?);
    let seen = current(&app, id, &settings).await?;
    let hash = sum_of(&app, &seen).await?.0.hash;
    let period = kit::change!(app.db.awaited(Duration::ZERO), tx => {
        let was = current_in(&app, tx, id, &settings).await?;
        require_undecided(&was)?;
        // The request is repeated, for example because the first answer was lost. It must get the
        // same answer.
        if was.status == PeriodStatus::Submitted && was.submitted_hash == Some(hash) {
            return Ok(was);
        }
        let (submitted_at, submitted_hash) = (Some(now), Some(hash));
        let status = PeriodStatus::Submitted;
        let period = StoredPeriod { status, submitted_at, submitted_hash, note: None, ..next(&was) };
        save(&app, tx, Action::PeriodSubmitted, was, period).await
    })?;
    shown(&app, period).await
}

/// Sends a submitted period back to its employee.
pub(crate) async fn send_back_period(
    app: Arc<App>,
    call: Call,
    Bounded { asked: SendBackPeriod { id, note }, within }: Bounded<SendBackPeriod>,
) -> Result<KnownPeriod, Error> {
    call.require_admin()?;
    require_decidable(within.as_ref(), id)?;
    let settings = app.store.settings.get().await?;
    let period = kit::change!(app.db.awaited(Duration::ZERO), tx => {
        let was = current_in(&app, tx, id, &settings).await?;
        require_undecided(&was)?;
        if was.status != PeriodStatus::Submitted {
            return Err(Failure::new(Code::PeriodNotSubmitted, "The period is not submitted.").into());
        }
        let period = StoredPeriod { status: PeriodStatus::Open, note: Some(note.clone()), ..next(&was) };
        let period = save(&app, tx, Action::PeriodSentBack, was, period).await?;
        tell(tx, &period, PeriodDecision::SentBack, &settings).await?;
        Ok(period)
    })?;
    shown(&app, period).await
}

/// Reopens an approved period. Only owners and admins may do this, not managers. Windows that were
/// quarantined because of the period are tried again.
pub(crate) async fn reopen_period(
    app: Arc<App>,
    call: Call,
    Bounded { asked: ReopenPeriod { id, reason }, within }: Bounded<ReopenPeriod>,
) -> Result<KnownPeriod, Error> {
    call.require_admin()?;
    require_admin_alone(within.as_ref())?;
    let settings = app.store.settings.get().await?;
    let (period, time) = kit::change!(app.db.awaited(Duration::ZERO), tx => {
        app.store.settlements.touch(tx, [id.employee]).await?;
        let was = current_in(&app, tx, id, &settings).await?;
        if was.status != PeriodStatus::Approved {
            return Err(Failure::new(Code::PeriodNotApproved, "The period is not approved.").into());
        }
        if was.pay_run.is_some() {
            let detail = "The period is paid: what comes late for it is admitted as an adjustment.";
            return Err(Failure::new(Code::PeriodPaid, detail).into());
        }
        let time = was.settlement().settles;
        let period = StoredPeriod {
            status: PeriodStatus::Open,
            settles: false,
            sum: None,
            adjusted: None,
            approved_at: None,
            approved_by: None,
            note: Some(reason.clone()),
            ..next(&was)
        };
        tx.emit(&period.settlement()).await?;
        let period = save(&app, tx, Action::PeriodReopened, was, period).await?;
        tell(tx, &period, PeriodDecision::Reopened, &settings).await?;
        Ok((period, time))
    })?;
    let_in(&app, time).await?;
    shown(&app, period).await
}

/// The period as it is stored, if it is settled. Otherwise its edges are those that the calendar of
/// the settings and the settled periods beside it give now.
///
/// # Errors
/// 404 if the period is not stored, and no period of this employee begins on this day.
pub(super) async fn current(app: &App, id: PeriodId, settings: &Settings) -> Result<StoredPeriod, Error> {
    let stored = app.store.periods.find(id).await?;
    let beside = match settings.around(id.first).filter(|_| !stored.as_ref().is_some_and(|stored| stored.settles)) {
        Some(around) => app.store.periods.settled(id.employee, around).await?,
        None => Vec::new(),
    };
    Ok(as_it_is(stored, id, settings, &beside)?)
}

/// The same as [`current`], read in a transaction.
pub(super) async fn current_in(
    app: &App,
    tx: &mut Tx<'_>,
    id: PeriodId,
    settings: &Settings,
) -> Result<StoredPeriod, Error> {
    let stored = app.store.periods.load(tx, id).await?;
    let beside = match settings.around(id.first).filter(|_| !stored.as_ref().is_some_and(|stored| stored.settles)) {
        Some(around) => app.store.periods.settled_in(tx, id.employee, around).await?,
        None => Vec::new(),
    };
    Ok(as_it_is(stored, id, settings, &beside)?)
}

fn as_it_is(
    stored: Option<StoredPeriod>,
    id: PeriodId,
    settings: &Settings,
    beside: &[PaySpan],
) -> Result<StoredPeriod, Failure> {
    match (stored, settings.open_period_on(id.first, beside)) {
        (Some(stored), _) if stored.settles => Ok(stored),
        (Some(stored), Some(span)) => Ok(StoredPeriod { start: span.range.start(), end: span.range.end(), ..stored }),
        (Some(stored), None) => Ok(stored),
        (None, Some(span)) => Ok(StoredPeriod::open(id, span)),
        (None, None) => Err(Failure::not_found("pay period")),
    }
}

/// Waits until workers can read that this time is open, and then has the windows tried again that
/// were quarantined because it was settled. A worker that reads the event late may quarantine a
/// window again. The search of [`take_second_looks`](crate::consumers::take_second_looks) then
/// finds that window.
pub(super) async fn let_in(app: &App, time: Option<SettledTime>) -> Result<(), Error> {
    let told = app.db.until_published(PUBLISHED).await;
    if let Some(time) = time {
        app.store.quarantine.let_in(time).await?;
    }
    told
}

/// The present sum of a period, and the sum of the adjustments that count in it.
pub(super) async fn sum_of(app: &App, period: &StoredPeriod) -> Result<(PeriodSum, AdjustedSum), Error> {
    let range = range_of(period)?;
    let facts = app.store.windows.deciding(period.employee, range).await?;
    let adjustments = app.store.adjustments.counting(period.employee, range).await?;
    Ok(added_up(CountedSum::of(facts, range, app.config.count_overlaps), &adjustments))
}

/// The sum of a period, and the sum of its adjustments. The hash of the period covers the
/// adjustments too.
pub(super) fn added_up(counted: CountedSum, adjustments: &[StoredAdjustment]) -> (PeriodSum, AdjustedSum) {
    let (mut sum, mut adjusted) = (PeriodSum::from(counted), AdjustedSum::default());
    for one in adjustments {
        sum.hash += one.hash;
        adjusted += one.sum;
    }
    (sum, adjusted)
}

pub(super) fn range_of(period: &StoredPeriod) -> Result<TimeRange, Error> {
    TimeRange::new(period.start, period.end).map_err(|error| anyhow::Error::from(error).into())
}

/// The period with its sum, as the API returns it.
pub(super) async fn shown(app: &App, period: StoredPeriod) -> Result<KnownPeriod, Error> {
    let sum = match period.sum {
        Some(sum) => (sum, period.adjusted.unwrap_or_default()),
        None => sum_of(app, &period).await?,
    };
    Ok(period.known(Some(sum)))
}

/// Refuses managers who may not decide about this employee, and everybody for their own period.
pub(super) fn require_decidable(within: Option<&Within>, id: PeriodId) -> Result<(), Failure> {
    within.map_or(Ok(()), |within| within.require_decidable_period(id.employee))
}

/// Refuses managers. Only owners and admins may reopen what is settled.
pub(super) fn require_admin_alone(within: Option<&Within>) -> Result<(), Failure> {
    match within {
        Some(_) => Err(Failure::new(Code::Forbidden, "Only owners and admins open again what is settled.")),
        None => Ok(()),
    }
}

fn require_undecided(period: &StoredPeriod) -> Result<(), Failure> {
    if period.closing.is_some() {
        let detail = "Somebody is about to approve the period. Try again in a moment.";
        return Err(Failure::new(Code::Unavailable, detail));
    }
    match period.status {
        PeriodStatus::Approved => Err(Failure::new(Code::PeriodApproved, "The period is approved already.")),
        PeriodStatus::Open | PeriodStatus::Submitted => Ok(()),
    }
}

/// A copy of the period with the next version.
pub(super) fn next(was: &StoredPeriod) -> StoredPeriod {
    StoredPeriod { version: was.version + 1, ..was.clone() }
}

/// Stores a changed period, with its audit entry.
pub(super) async fn save(
    app: &App,
    tx: &mut Tx<'_>,
    action: Action,
    was: StoredPeriod,
    period: StoredPeriod,
) -> Result<StoredPeriod, Error> {
    app.store.periods.save(tx, &period).await?;
    let told = |period: &StoredPeriod| {
        let StoredPeriod { status, sum, adjusted, note, .. } = period;
        json!({ "status": status, "sum": sum, "adjusted": adjusted, "note": note as &Option<Note> })
    };
    let changes = changed(&told(&was), &told(&period));
    tx.audit(action, AuditSubject::new("period", period.id), changes).await?;
    Ok(period)
}

/// Publishes the decision about a period. The mailer sends it to the employee.
pub(super) async fn tell(
    tx: &mut Tx<'_>,
    period: &StoredPeriod,
    decision: PeriodDecision,
    settings: &Settings,
) -> Result<(), Error> {
    let (version, timezone) = (period.version, settings.timezone.clone());
    tx.emit(&PeriodDecided { period: period.clone().known(None), version, decision, timezone }).await
}

/// The caller's actor as text, without the session: it is stored in periods, locks and pay runs,
/// which are kept longer than sessions.
pub(super) fn actor(call: &Call) -> Option<String> {
    call.actor.map(Actor::in_any_session).map(|actor| actor.to_string())
}
