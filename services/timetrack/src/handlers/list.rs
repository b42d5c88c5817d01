use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use contracts::{EmployeeId, HOUR, ListWindows, Page, TimeRange, WINDOW_MOST, Window, WindowCursor, WindowId, counted};
use futures::{TryStreamExt, try_join};
use kit::{Call, Error};

use crate::{App, store::Stretch};

/// The length of the longest local day, in milliseconds. A clock is set back by one hour at most.
const LONGEST_DAY: i64 = 25 * HOUR;

/// Lists the windows that touch a range, page by page. For admins, and callers who may see the data
/// of all employees of the filter.
pub(crate) async fn list(app: Arc<App>, call: Call, request: ListWindows) -> Result<Page<Window, WindowCursor>, Error> {
    match request.filter.employees.as_slice() {
        [] => call.require_admin()?,
        named => named.iter().try_for_each(|employee| call.require_sight_of(*employee))?,
    }
    let cursor = |w: &Window| WindowCursor { start: w.start, id: w.id };
    let page = async {
        let windows = app.store.windows.touching(&request).await?.map_ok(|stored| stored.window);
        Ok::<_, Error>(kit::page_within(windows, cursor).await?)
    };
    let (mut page, around) = try_join!(page, around(&app, &request))?;
    if let Some(limit) = request.limit.filter(|limit| page.items.len() > *limit) {
        page.items.truncate(limit);
        page.next = page.items.last().map(cursor);
    }
    // A window that was recorded or voided between the two reads is in only one of them. Then the
    // negative times are read again, for the windows of the page.
    let has_all = |negative: &HashMap<_, _>| page.items.iter().all(|window| negative.contains_key(&window.id));
    let items = match around.map(|around| negative_times(&around)).filter(has_all) {
        Some(negative) => with_each(&negative, page.items),
        None => with_negative_time(&app, page.items).await?,
    };
    Ok(Page { items, next: page.next })
}

/// The times of all windows that the requested ones may lose time to, read at the same time as the
/// page. Only for a request about some employees on one day: then there are few such windows, and
/// nearly all are needed. None for other requests, and with `COUNT_OVERLAPS`.
async fn around(app: &App, request: &ListWindows) -> Result<Option<Vec<Stretch>>, Error> {
    let (employees, range) = (&request.filter.employees, request.range);
    if app.config.count_overlaps || employees.is_empty() || range.length() > LONGEST_DAY {
        return Ok(None);
    }
    let employees: HashSet<EmployeeId> = employees.iter().copied().collect();
    let first = range.start() - WINDOW_MOST - WINDOW_MOST;
    Ok(Some(app.store.windows.starting(employees, first, range.end()).await?))
}

/// Sets the `negativeTime` of these windows; 0 with `COUNT_OVERLAPS`. It depends on windows that
/// start up to 24 hours before, so it is computed whenever windows are read.
pub(super) async fn with_negative_time(app: &App, windows: Vec<Window>) -> Result<Vec<Window>, Error> {
    if app.config.count_overlaps {
        return Ok(windows);
    }
    let starts = || windows.iter().map(|w| w.start);
    let (Some(first), Some(last)) = (starts().min(), starts().max()) else { return Ok(Vec::new()) };
    let employees: HashSet<EmployeeId> = windows.iter().map(|w| w.employee_id).collect();
    let around = app.store.windows.starting(employees, first - WINDOW_MOST, last).await?;
    Ok(with_each(&negative_times(&around), windows))
}

fn with_each(negative: &HashMap<WindowId, i64>, windows: Vec<Window>) -> Vec<Window> {
    let with = |window: Window| {
        let negative_time = negative.get(&window.id).copied().unwrap_or_default();
        Window { negative_time, ..window }
    };
    windows.into_iter().map(with).collect()
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
