use std::sync::Arc;

use contracts::{Failure, GetStandings, Standing};
use kit::{Call, Error};

use crate::App;

/// The most employees of one request.
const MOST: usize = 1_000;

/// Gives the state of employees. Unknown ids are left out.
pub(crate) async fn get_standings(app: Arc<App>, call: Call, request: GetStandings) -> Result<Vec<Standing>, Error> {
    call.require_admin()?;
    if request.ids.len() > MOST {
        return Err(Failure::field("ids", format!("must be at most {MOST}")).into());
    }
    app.store.employees.standings(request.ids).await
}
