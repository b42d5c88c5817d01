use std::sync::Arc;

use contracts::{Action, AuditSubject, DeleteRate, Failure, deleted};
use kit::{Call, Error};

use crate::{App, WAIT, domain::require_future};

/// Deletes a rate whose first day has not begun in the time zone of the request.
pub(crate) async fn delete_rate(
    app: Arc<App>,
    call: Call,
    DeleteRate { id, timezone }: DeleteRate,
) -> Result<(), Error> {
    call.require_admin()?;
    kit::change!(app.db.awaited(WAIT), tx => {
        let rate = app.store.rates.find_in(tx, id).await?.ok_or_else(|| Failure::not_found("rate"))?;
        require_future(&rate, app.clock.now(), &timezone)?;
        let mut locked = app.store.rates.lock(tx, rate.scope).await?;
        app.store.rates.delete(tx, id).await?;
        locked.rates.retain(|other| other.id != id);
        tx.emit(&locked.changed()).await?;
        tx.audit(Action::RateDeleted, AuditSubject::new("rate", id), deleted(&rate)).await?;
        Ok(())
    })
}
