use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use contracts::{
    Code, EmployeeId, Failure, Money, Price, REPRICE_MOST, RepriceFilter, TimeRange, WINDOW_MOST, WindowFact, WindowId,
    counted,
};
use futures::TryStreamExt;
use kit::Error;
use uuid::Uuid;

use crate::{
    App,
    consumers::settled_now,
    domain::{Worked, repriced},
    store::Stretch,
};

/// The maximum number of checks whether the copy of the rates is complete. [`PAUSE`] is the pause
/// after each check.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(100);
/// The number of windows that are read and priced together.
const TOGETHER: usize = 1_000;
/// The number of employees whose windows are read together.
const EMPLOYEES_TOGETHER: usize = 20;

/// A window that would get another price, with that price.
#[derive(Debug)]
pub(super) struct Repriced {
    was: WindowFact,
    price: Price,
}

/// What repricing the windows of a filter would change.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) changes: Vec<Repriced>,
    /// The number of windows that would get another price but are settled.
    pub(super) settled: usize,
    /// The number of windows that match the filter.
    pub(super) total: usize,
    /// A hash over the filter and over `changes`: the ids, revisions and new prices. Equal hashes
    /// mean the same filter and the same changes.
    pub(super) hash: Uuid,
}

/// Reads all windows that match a filter, in the order of their ids, and computes which of them
/// would get another price.
///
/// # Errors
/// 400 if the filter is empty; 422 if too many windows match it; 503 while rates may be missing in
/// the copy.
pub(super) async fn plan(app: &App, filter: &RepriceFilter) -> Result<Plan, Error> {
    if !filter.names_something() {
        let detail = "Name the employees, projects, tasks or shifts, or the time, whose windows are priced anew.";
        return Err(Failure::new(Code::NoFilter, detail).into());
    }
    if !is_complete(app).await {
        let detail = "Some rates may not have arrived yet. Try again in a moment.";
        return Err(Failure::new(Code::Unavailable, detail).into());
    }
    let hash = Uuid::new_v5(&Uuid::NAMESPACE_OID, &serde_json::to_vec(filter)?);
    let mut plan = Plan { changes: Vec::new(), settled: 0, total: 0, hash };
    let mut windows = app.store.windows.all_of(&filter.windows()).await?.try_chunks(TOGETHER);
    while let Some(chunk) = windows.try_next().await.map_err(|error| error.1)? {
        plan.total += chunk.len();
        if plan.total > REPRICE_MOST {
            let message = format!("must take at most {REPRICE_MOST} windows: name a shorter time or fewer projects");
            return Err(Failure::field("filter", message).into());
        }
        let prices = app.store.prices_of(&chunk).await?;
        let worked = chunk.iter().map(|stored| Worked::of_window(&stored.window)).collect();
        let settled = settled_now(app, worked).await?;
        for (stored, by) in chunk.into_iter().zip(settled) {
            let Some(price) = repriced(&stored.window, &prices) else { continue };
            if by.is_some() {
                plan.settled += 1;
                continue;
            }
            let seen = serde_json::to_vec(&(stored.id, stored.revision, price.rates, &price.parts))?;
            plan.hash = Uuid::new_v5(&plan.hash, &seen);
            plan.changes.push(Repriced { was: stored.fact(), price });
        }
    }
    Ok(plan)
}

/// Whether the copy has all rates that were set before this call. Waits a few seconds for events
/// that are not applied yet.
async fn is_complete(app: &App) -> bool {
    for _ in 0..TRIES {
        if app.knowledge.is_complete(app).await {
            return true;
        }
        tokio::time::sleep(PAUSE).await;
    }
    false
}

/// Sums of money, exact and not rounded.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub(super) costs: Money,
    pub(super) income: Money,
}

impl Sums {
    fn add(&mut self, fact: &WindowFact, counts: TimeRange) {
        for part in fact.parts_within(counts) {
            self.costs += Money::of(part.cost, part.range.length());
            self.income += Money::of(part.income, part.range.length());
        }
    }
}

/// The cost and income of these windows before and after repricing, for the parts that count.
pub(super) async fn money(app: &App, changes: &[Repriced]) -> Result<(Sums, Sums), Error> {
    let counts = match app.config.count_overlaps {
        true => None,
        false => Some(counting(app, changes).await?),
    };
    let (mut before, mut after) = (Sums::default(), Sums::default());
    for Repriced { was, price } in changes {
        let whole = TimeRange::new(was.start, was.end).ok();
        let counts = counts.as_ref().map_or(whole, |counts| counts.get(&was.id).copied());
        let Some(counts) = counts else { continue };
        before.add(was, counts);
        after.add(&WindowFact { rates: price.rates, rate_parts: price.parts.clone(), ..was.clone() }, counts);
    }
    Ok((before, after))
}

/// The part of each of these windows that counts. A window without such a part is missing.
async fn counting(app: &App, changes: &[Repriced]) -> Result<HashMap<WindowId, TimeRange>, Error> {
    let wanted: BTreeSet<WindowId> = changes.iter().map(|change| change.was.id).collect();
    let employees: BTreeSet<EmployeeId> = changes.iter().map(|change| change.was.employee_id).collect();
    let employees: Vec<EmployeeId> = employees.into_iter().collect();
    let mut counts = HashMap::with_capacity(changes.len());
    for some in employees.chunks(EMPLOYEES_TOGETHER) {
        let theirs = || changes.iter().map(|change| &change.was).filter(|was| some.contains(&was.employee_id));
        let (Some(first), Some(last)) = (theirs().map(|was| was.start).min(), theirs().map(|was| was.start).max())
        else {
            continue;
        };
        let around = app.store.windows.starting(some.iter().copied(), first - WINDOW_MOST, last).await?;
        let mut by_employee: HashMap<EmployeeId, Vec<(TimeRange, WindowId)>> = HashMap::new();
        for Stretch { id, window } in around {
            if let Ok(range) = TimeRange::new(window.start, window.end) {
                by_employee.entry(window.employee_id).or_default().push((range, id));
            }
        }
        for windows in by_employee.into_values() {
            let all = counted(windows, |window| *window).into_iter();
            counts
                .extend(all.filter_map(|one| Some((one.window.1, one.counts?))).filter(|(id, _)| wanted.contains(id)));
        }
    }
    Ok(counts)
}
