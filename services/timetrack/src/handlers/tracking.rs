use std::{collections::HashMap, sync::Arc};

use contracts::{EmployeeId, HOUR, ListTracking, Millis, Tracked, TrackingNow};
use kit::{Call, Error};

use crate::{App, domain::at_work, store::Doing};

/// How far back the start of an employee's present work is searched for, in milliseconds.
const LOOK_BACK: i64 = 3 * HOUR;

/// Lists which employees are at work now, and since when. For admins.
pub(crate) async fn list_tracking(app: Arc<App>, call: Call, asked: ListTracking) -> Result<TrackingNow, Error> {
    call.require_admin()?;
    let now = app.clock.now();
    let people = app.tracking.get((), app.store.windows.doing(now - LOOK_BACK, now - at_work::PAUSE)).await?;
    let is_asked = |doing: &&Doing| asked.employees.is_empty() || asked.employees.contains(&doing.employee_id);
    let count = people.iter().filter(is_asked).count();
    let part: Vec<&Doing> = people.iter().filter(is_asked).skip(asked.skip).take(asked.limit).collect();
    let since = since(&app, part.iter().map(|doing| doing.employee_id).collect(), now).await?;
    let people = part.into_iter().map(|doing| Tracked {
        employee_id: doing.employee_id,
        project_id: doing.project_id,
        task_id: doing.task_id,
        computer: doing.computer.clone(),
        since: since.get(&doing.employee_id).copied().flatten(),
        until: doing.end,
    });
    Ok(TrackingNow { count, people: people.collect() })
}

/// For each of these employees, when they began to work without a break; none if that may be more
/// than [`LOOK_BACK`] ago.
async fn since(app: &App, people: Vec<EmployeeId>, now: Millis) -> Result<HashMap<EmployeeId, Option<Millis>>, Error> {
    let from = now - LOOK_BACK;
    let mut windows: HashMap<EmployeeId, Vec<(Millis, Millis)>> = HashMap::new();
    if people.is_empty() {
        return Ok(HashMap::new());
    }
    for stretch in app.store.windows.starting(people, from, now).await? {
        windows.entry(stretch.window.employee_id).or_default().push((stretch.window.start, stretch.window.end));
    }
    Ok(windows.into_iter().map(|(id, windows)| (id, at_work::since(windows, from))).collect())
}
