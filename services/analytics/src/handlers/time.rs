use std::sync::Arc;

use contracts::{GetTime, Page, TimeCursor, TimeRow};
use kit::{Call, Error};

use crate::{App, domain::Question, engine};

/// The time and the money in a range, grouped, page by page. For admins, and callers who may see
/// the data of all employees of the filter.
pub(crate) async fn time(app: Arc<App>, call: Call, asked: GetTime) -> Result<Page<TimeRow, TimeCursor>, Error> {
    let GetTime { range, group_by, timezone, filter, after } = asked;
    match filter.employees.as_slice() {
        [] => call.require_admin()?,
        named => named.iter().try_for_each(|employee| call.require_sight_of(*employee))?,
    }
    let question = Question { range, by: group_by, zone: timezone, filter, after };
    app.progress.caught_up(|| engine::answer(&app, &question)).await
}
