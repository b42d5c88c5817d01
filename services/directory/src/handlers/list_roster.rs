use std::sync::Arc;

use contracts::{CountUndelivered, Failure, ListRoster, ROSTER_MOST, Roster};
use kit::{Call, Error};

use crate::App;

/// Lists the employees who may have worked in a range of time, sorted by name, page by page. Only
/// for admins.
pub(crate) async fn list_roster(app: Arc<App>, call: Call, asked: ListRoster) -> Result<Roster, Error> {
    call.require_admin()?;
    if !(1..=ROSTER_MOST).contains(&asked.limit) {
        return Err(Failure::field("limit", format!("must be from 1 to {ROSTER_MOST}")).into());
    }
    app.store.employees.roster(&asked).await
}

/// Counts the employees whose last invitation could not be delivered, or could not be delivered
/// yet. Only for admins.
pub(crate) async fn count_undelivered(app: Arc<App>, call: Call, asked: CountUndelivered) -> Result<u64, Error> {
    call.require_admin()?;
    app.store.employees.undelivered(&asked.employees).await
}
