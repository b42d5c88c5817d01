use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use contracts::{EmployeeId, ListWindows, Page, TimeRange, WINDOW_MOST, Window, WindowCursor, WindowId, counted};
use futures::TryStreamExt;
use kit::{Call, Error};

use crate::{App, store::Stretch};

/// Lists the windows that touch a range, page by page; for an employee their own.
pub(crate) async fn list(app: Arc<App>, call: Call, request: ListWindows) -> Result<Page<Window, WindowCursor>, Error> {
    match request.filter.employees.as_slice() {
        [] => call.require_admin()?,
        named => named.iter().try_for_each(|employee| call.require_sight_of(*employee))?,
    }
    let windows = app.store.windows.touching(&request).await?.map_ok(|stored| stored.window);
    let cursor = |w: &Window| WindowCursor { start: w.start, id: w.id };
    let mut page = kit::page_within(windows, cursor).await?;
    if let Some(limit) = request.limit.filter(|limit| page.items.len() > *limit) {
        page.items.truncate(limit);
        page.next = page.items.last().map(cursor);
    }
    Ok(Page { items: with_negative_time(&app, page.items).await?, next: page.next })
}

/// Adds the negative time to windows; none with `COUNT_OVERLAPS`. It depends on windows that start up to a day
/// before, so it is computed when windows are read.
pub(super) async fn with_negative_time(app: &App, windows: Vec<Window>) -> Result<Vec<Window>, Error> {
    if app.config.count_overlaps {
        return Ok(windows);
    }
    let starts = || windows.iter().map(|w| w.start);
    let (Some(first), Some(last)) = (starts().min(), starts().max()) else { return Ok(Vec::new()) };
    let employees: HashSet<EmployeeId> = windows.iter().map(|w| w.employee_id).collect();
    let around = app.store.windows.starting(employees, first - WINDOW_MOST, last).await?;
    let negative = negative_times(&around);
    let with = |window: Window| {
        let negative_time = negative.get(&window.id).copied().unwrap_or_default();
        Window { negative_time, ..window }
    };
    Ok(windows.into_iter().map(with).collect())
}

fn negative_times(stretches: &[Stretch]) -> HashMap<WindowId, i64> {
    let mut by_employee: HashMap<EmployeeId, Vec<(TimeRange, WindowId)>> = HashMap::new();
    for Stretch { id, window } in stretches {
        if let Ok(range) = TimeRange::new(window.start, window.end) {
            by_employee.entry(window.employee_id).or_default().push((range, *id));
        }
    }
    let of_one = |windows| counted(windows, |w| *w).into_iter().map(|c| (c.window.1, c.negative(c.window.0)));
    by_employee.into_values().flat_map(of_one).collect()
}
