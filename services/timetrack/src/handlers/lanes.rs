use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use contracts::{Counted, EmployeeId, Failure, LANES_MOST, Lane, ListLanes, Page, TimeRange, WINDOW_MOST, counted};
use futures::stream;
use kit::{Call, Error};

use crate::{App, store::Worked};

/// Lists what employees worked on in a range, page by page. Windows on the same task with at most a
/// minute between them are joined. For admins, and callers who may see the data of all these
/// employees.
pub(crate) async fn list_lanes(app: Arc<App>, call: Call, asked: ListLanes) -> Result<Page<Lane, EmployeeId>, Error> {
    let ListLanes { range, employees, after } = asked;
    if !(1..=LANES_MOST).contains(&employees.len()) {
        return Err(Failure::field("employees", format!("must be from 1 to {LANES_MOST}")).into());
    }
    employees.iter().try_for_each(|employee| call.require_sight_of(*employee))?;
    let employees: BTreeSet<EmployeeId> =
        employees.into_iter().filter(|employee| after.is_none_or(|after| *employee > after)).collect();
    // A window that reaches into the range starts up to 24 hours before it. It may lose time to
    // windows that start up to 24 hours before its own start.
    let first = range.start() - WINDOW_MOST - WINDOW_MOST;
    let mut of: BTreeMap<EmployeeId, Vec<Worked>> = BTreeMap::new();
    for window in app.store.windows.worked(employees, first, range.end()).await? {
        of.entry(window.employee_id).or_default().push(window);
    }
    let lanes = of.into_iter().map(|(employee, windows)| lane(employee, windows, range, app.config.count_overlaps));
    let lanes = lanes.filter(|lane| !lane.is_empty()).map(Ok::<_, Error>);
    kit::page_within(stream::iter(lanes), |lane| lane.employee_id).await
}

/// The lane of one employee. With `COUNT_OVERLAPS`, every window counts in full.
fn lane(employee: EmployeeId, mut windows: Vec<Worked>, range: TimeRange, count_overlaps: bool) -> Lane {
    let mut lane = Lane::empty(employee);
    let windows = match count_overlaps {
        true => {
            windows.sort_by_key(|window| (window.range.start(), window.id));
            windows.into_iter().map(|window| Counted { counts: Some(window.range), window }).collect()
        }
        false => counted(windows, |window| (window.range, window.id)),
    };
    for Counted { window, counts } in windows {
        lane.add(window.project_id, window.task_id, Counted { window: window.range, counts }, range);
    }
    lane
}
