use std::{collections::HashSet, time::Duration};

use contracts::{CountedSum, IngestItem, PeriodStatus, TimeRange, WindowId};
use kit::{Error, Tx};

use super::memory::Judged;
use crate::{
    App,
    domain::{Settled, SettledBy, Worked},
    store::StoredWindow,
};

/// For each of these windows, what has settled it; none if nothing has. If the cache is incomplete,
/// the database is queried.
pub(super) async fn settled_by(
    app: &App,
    items: &[&IngestItem],
    is_complete: bool,
) -> Result<Vec<Option<SettledBy>>, Error> {
    let worked: Vec<Option<Worked>> = items.iter().map(|item| Worked::of_item(item)).collect();
    let remembered = if is_complete { app.memory.settled_by(&worked) } else { None };
    match remembered {
        Some(judged) => with_locks_beside(app, worked, judged).await,
        None => settled_now(app, worked).await,
    }
}

/// For each of these ranges, what has settled it, read from the database.
pub(crate) async fn settled_now(app: &App, worked: Vec<Option<Worked>>) -> Result<Vec<Option<SettledBy>>, Error> {
    let all: Vec<Worked> = worked.iter().copied().flatten().collect();
    let settled = app.store.settlements.of(&all).await?;
    let judged = worked.iter().map(|one| one.map(|one| Judged::by(&settled, one)).unwrap_or_default()).collect();
    with_locks_beside(app, worked, judged).await
}

async fn with_locks_beside(
    app: &App,
    worked: Vec<Option<Worked>>,
    judged: Vec<Judged>,
) -> Result<Vec<Option<SettledBy>>, Error> {
    let mut settled = Vec::with_capacity(worked.len());
    for (worked, Judged { by, beside }) in worked.into_iter().zip(judged) {
        settled.push(match (by, worked) {
            (None, Some(worked)) => beside_lock(app, None, worked, &beside).await?,
            (by, _) => by,
        });
    }
    Ok(settled)
}

/// For each of these ranges, what has settled it, read in a transaction. The transaction conflicts
/// with every concurrent one that settles time in these ranges.
pub(crate) async fn settled_in(app: &App, tx: &mut Tx<'_>, worked: &[Worked]) -> Result<Vec<Option<SettledBy>>, Error> {
    let settled = app.store.settlements.hold(tx, worked).await?;
    let mut all = Vec::with_capacity(worked.len());
    for one in worked {
        all.push(judged_in(app, tx, &settled, *one).await?);
    }
    Ok(all)
}

async fn judged_in(app: &App, tx: &mut Tx<'_>, settled: &Settled, worked: Worked) -> Result<Option<SettledBy>, Error> {
    match Judged::by(settled, worked) {
        Judged { by: Some(by), .. } => Ok(Some(by)),
        Judged { by: None, beside } => beside_lock(app, Some(tx), worked, &beside).await,
    }
}

/// Refuses a time range that overlaps a window of another project, if that window starts before the
/// end of the project's lock. The locked window would count for less if work were recorded in this
/// range, or for more if work were removed from it.
///
/// # Errors
/// 409, which names the lock.
pub(crate) async fn require_none_beside(
    app: &App,
    tx: &mut Tx<'_>,
    settled: &Settled,
    worked: Worked,
) -> Result<(), Error> {
    match beside_lock(app, Some(tx), worked, &settled.locks_beside(worked)).await? {
        Some(by) => Err(by.refusal().into()),
        None => Ok(()),
    }
}

/// The lock of another project that settles this time range, because the range overlaps a window
/// that starts before the end of that lock. If the work in the range changed, the locked window
/// would count for less or more.
async fn beside_lock(
    app: &App,
    tx: Option<&mut Tx<'_>>,
    worked: Worked,
    beside: &[(contracts::ProjectId, contracts::Millis)],
) -> Result<Option<SettledBy>, Error> {
    let overlapped = app.store.windows.overlaps_on(tx, worked, beside).await?;
    Ok(overlapped.map(|(project, until)| SettledBy::Project { project, until }))
}

/// Removes those of these windows that lie in time that is settled now: this worker has just
/// recorded them from an outdated cache, and has not published or answered them. A window that an
/// approved or closing period counts stays. Returns the ids of the removed windows.
pub(super) async fn take_back(app: &App, recorded: &[&StoredWindow]) -> Result<HashSet<WindowId>, Error> {
    let mut back = HashSet::new();
    for stored in recorded {
        let Some(worked) = Worked::of_window(&stored.window) else { continue };
        let is_back = kit::change!(app.db.awaited(Duration::ZERO), tx => {
            let settled = app.store.settlements.hold(tx, &[worked]).await?;
            if judged_in(app, tx, &settled, worked).await?.is_none() {
                return Ok(false);
            }
            // More than one period may have settled the window.
            for period in settled.periods_of(worked) {
                if is_counted(app, tx, period).await? {
                    return Ok(false);
                }
            }
            app.store.windows.take_back(tx, stored.id).await?;
            Ok(true)
        })?;
        if is_back {
            tracing::warn!(window = %stored.id, "a window was recorded in settled time by a worker that stood still; it is set aside");
            back.insert(stored.id);
        }
    }
    Ok(back)
}

/// Whether a period counts the windows that are recorded now: it is closing and will be summed up,
/// or its approved sum equals the present sum.
async fn is_counted(app: &App, tx: &mut Tx<'_>, id: contracts::PeriodId) -> Result<bool, Error> {
    let Some(period) = app.store.periods.load(tx, id).await? else { return Ok(false) };
    let Ok(range) = TimeRange::new(period.start, period.end) else { return Ok(false) };
    if period.status != PeriodStatus::Approved {
        return Ok(period.settles);
    }
    let facts = app.store.windows.deciding_in(tx, period.employee, range).await?;
    let mut mark = CountedSum::of(facts, range, app.config.count_overlaps).mark;
    for one in app.store.adjustments.counting_in(tx, period.employee, range).await? {
        mark += one.hash;
    }
    Ok(period.sum.is_some_and(|sum| sum.hash == mark))
}
