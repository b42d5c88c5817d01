use std::sync::Arc;

use contracts::{Caller, Code, Failure, MarkSessionsSeen};
use kit::{Call, Error};

use crate::App;

/// The most session ids in one request.
const MOST: usize = 10_000;

/// Records when sessions were last used.
pub(crate) async fn mark_sessions_seen(app: Arc<App>, call: Call, request: MarkSessionsSeen) -> Result<(), Error> {
    if call.caller != Caller::Service {
        return Err(Failure::new(Code::Forbidden, "Only a gateway may say so.").into());
    }
    if request.ids.len() > MOST {
        return Err(Failure::field("ids", format!("must be at most {MOST}")).into());
    }
    app.store.sessions.mark_seen(request.ids, request.at).await
}
