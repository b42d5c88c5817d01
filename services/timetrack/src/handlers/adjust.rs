use contracts::{
    AdjustedSum, AdjustmentMade, EventId, Millis, SettlementChanged, TimeMark, TimeRange, Window, WindowId,
    WindowsRecorded, Zone, fitted, uncovered,
};
use kit::{Error, Tx};
use uuid::Uuid;

use crate::{
    App,
    consumers::require_none_beside,
    domain::{Settled, Worked},
    store::{StoredAdjustment, StoredWindow},
};

/// The result of admitting a window whose time is settled.
pub(super) enum Adjusted {
    Done(Box<StoredAdjustment>),
    /// Some time that the adjustment will count is reserved. Workers must read these reservations
    /// before the adjustment is made.
    Reserved(Vec<SettlementChanged>),
}

/// Makes an adjustment of the settled parts of a window, without the time that something else
/// counts. The adjustment counts at the first open moment from `now` on. Each open part of the
/// window is recorded as a window of its own.
///
/// Where only the lock of a project settles the time, a worker may be recording a window of another
/// project. So without `COUNT_OVERLAPS`, that time is reserved first, and nothing else is done.
/// Once all workers have read the reservation, this function is called again.
pub(super) async fn adjust(
    app: &App,
    tx: &mut Tx<'_>,
    settled: &Settled,
    worked: Worked,
    stored: &StoredWindow,
    now: Millis,
    timezone: &Zone,
) -> Result<Adjusted, Error> {
    let parts = settled.parts(worked);
    let counts = not_counted(app, tx, worked, stored.id, &parts).await?;
    let disputed = uncovered(&counts, &settled.parts_for_all(worked));
    if !disputed.is_empty() && !app.config.count_overlaps {
        let reservation = app.store.reservations.add(tx, stored.id, worked.employee, disputed).await?;
        return Ok(Adjusted::Reserved(told(tx, reservation.settlements()).await?));
    }
    let sum = AdjustedSum::of(&stored.fact(), counts.iter().copied());
    let adjustment = StoredAdjustment {
        id: stored.id,
        employee: worked.employee,
        counts_at: settled.next_open(worked.employee, worked.project, now),
        sum,
        hash: TimeMark::of_adjustment(stored.id, sum),
        window: stored.window.clone(),
        parts: parts.clone(),
        // With `COUNT_OVERLAPS`, no window takes time from another, so no time needs to stay
        // settled for this adjustment.
        counted: if app.config.count_overlaps { Vec::new() } else { counts },
    };
    app.store.adjustments.insert(tx, &adjustment).await?;
    // The settlements of the adjustment must be published before those that release the
    // reservation. In the other order, workers would take the time for open in between.
    told(tx, adjustment.settlements()).await?;
    let kept_free = app.store.reservations.take(tx, stored.id).await?;
    told(tx, kept_free).await?;
    tx.emit(&AdjustmentMade { adjustment: adjustment.clone().shown(), timezone: timezone.clone() }).await?;
    record_open_rest(app, tx, settled, worked, stored, &parts).await?;
    Ok(Adjusted::Done(Box::new(adjustment)))
}

/// The settled parts of a window, without the time that another window, an earlier adjustment or
/// another reservation counts. With `COUNT_OVERLAPS`, all settled parts.
async fn not_counted(
    app: &App,
    tx: &mut Tx<'_>,
    worked: Worked,
    id: WindowId,
    parts: &[TimeRange],
) -> Result<Vec<TimeRange>, Error> {
    if app.config.count_overlaps {
        return Ok(parts.to_vec());
    }
    let others = app.store.windows.deciding_in(tx, worked.employee, worked.range).await?;
    let mut counted: Vec<TimeRange> =
        others.iter().filter_map(|fact| TimeRange::new(fact.start, fact.end).ok()).collect();
    let before = app.store.adjustments.belonging(tx, worked.employee, worked.range).await?;
    counted.extend(before.into_iter().flat_map(StoredAdjustment::counting));
    let reserved = app.store.reservations.of(tx, worked.employee).await?;
    counted.extend(reserved.into_iter().filter(|one| one.id != id).flat_map(|one| one.stretches));
    Ok(uncovered(parts, &counted))
}

/// Records the parts of a window that are in open time, each as a window of its own.
async fn record_open_rest(
    app: &App,
    tx: &mut Tx<'_>,
    settled: &Settled,
    worked: Worked,
    stored: &StoredWindow,
    parts: &[TimeRange],
) -> Result<(), Error> {
    let mut open = Vec::new();
    for rest in uncovered(&[worked.range], parts) {
        require_none_beside(app, tx, settled, Worked { range: rest, ..worked }).await?;
        let window = part_of(stored, rest);
        app.store.windows.insert_one(tx, &window).await?;
        open.push(window.fact());
    }
    if !open.is_empty() {
        let batch = kit::new_id::<EventId>().to_string();
        tx.emit(&WindowsRecorded { batch, windows: open }).await?;
    }
    Ok(())
}

async fn told(tx: &mut Tx<'_>, settlements: Vec<SettlementChanged>) -> Result<Vec<SettlementChanged>, Error> {
    tx.is_audited_elsewhere();
    tx.emit_all(&settlements).await?;
    Ok(settlements)
}

/// The part of a window in a range, as a window of its own. Its id is computed from the window's id
/// and the start.
fn part_of(stored: &StoredWindow, range: TimeRange) -> StoredWindow {
    let id = WindowId(Uuid::new_v5(&stored.id.0, format!("from {}", range.start()).as_bytes()));
    let mut window = Window { id, start: range.start(), end: range.end(), ..stored.window.clone() };
    window.start_translated = window.start - window.timezone_offset;
    window.end_translated = window.end - window.timezone_offset;
    let (rates, parts) = fitted(window.rates(), std::mem::take(&mut window.rate_parts), range);
    window.set_rates(rates, parts);
    StoredWindow::new(window, stored.hash)
}
