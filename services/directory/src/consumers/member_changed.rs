use std::sync::Arc;

use contracts::{Awaited, MemberChanged};
use kit::{Delivery, Error};

use crate::App;

/// Keeps the list of projects on the employee. Each edge has a version of its own, so that an
/// older word about it, or the same once more, changes nothing.
///
/// The list is a copy and no part of the employee's version: no event tells of it.
pub(crate) async fn member_changed(
    app: Arc<App>,
    delivery: Delivery,
    edge: MemberChanged,
) -> Result<Vec<Awaited>, Error> {
    kit::follow!(app.db.following(&delivery), tx => {
        if app.store.memberships.take(tx, &edge).await? {
            app.store.employees.set_project(tx, edge.employee_id, edge.project_id, edge.is_on()).await?;
        }
        Ok(())
    })
}
