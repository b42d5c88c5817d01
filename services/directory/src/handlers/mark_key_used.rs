use std::{sync::Arc, time::Duration};

use contracts::{Action, AuditSubject, Caller, Code, Failure, MarkKeyUsed};
use kit::{Call, Error};

use crate::App;

/// Records the day of a key's last use. The first use is also recorded in the audit trail.
pub(crate) async fn mark_key_used(app: Arc<App>, call: Call, request: MarkKeyUsed) -> Result<(), Error> {
    if call.caller != Caller::Service {
        return Err(Failure::new(Code::Forbidden, "Only a gateway may say so.").into());
    }
    kit::change!(app.db.awaited(Duration::ZERO), tx => {
        if app.store.api_keys.mark_used(tx, request.id, &request.on).await? {
            tx.audit(Action::KeyUsed, AuditSubject::new("key", request.id), None).await?;
        }
        Ok(())
    })
}
