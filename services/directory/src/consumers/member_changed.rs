use std::sync::Arc;

use contracts::{Awaited, MemberChanged};
use kit::{Delivery, Error};

use crate::App;

/// Updates the list of an employee's projects. The edge between a project and an employee has a
/// version, so an older event or a redelivered event changes nothing.
///
/// The list is a copy of the memberships. A change of it does not change the employee's version,
/// and no event reports it.
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
