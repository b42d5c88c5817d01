use std::sync::Arc;

use contracts::{Caller, Code, Failure, MarkKeyUsed};
use kit::{Call, Error};

use crate::App;

/// Notes on which day a key was last used.
pub(crate) async fn mark_key_used(app: Arc<App>, call: Call, request: MarkKeyUsed) -> Result<(), Error> {
    if call.caller != Caller::Service {
        return Err(Failure::new(Code::Forbidden, "Only a gateway may say so.").into());
    }
    app.store.api_keys.mark_used(request.id, &request.on).await
}
