use std::{collections::BTreeMap, sync::Arc};

use contracts::{EmployeeId, Failure, GetEmployeeNames, GetKeyNames, KeyId, NAMES_MOST, Name};
use kit::{Call, Error};

use crate::App;

/// Returns the names of employees, deactivated ones included. Unknown ids are left out.
pub(crate) async fn get_names(
    app: Arc<App>,
    call: Call,
    GetEmployeeNames { ids }: GetEmployeeNames,
) -> Result<BTreeMap<EmployeeId, Name>, Error> {
    call.require_admin()?;
    app.store.employees.names(bounded(ids)?).await
}

/// Returns the names of API keys, revoked ones included. Unknown ids are left out.
pub(crate) async fn get_key_names(
    app: Arc<App>,
    call: Call,
    GetKeyNames { ids }: GetKeyNames,
) -> Result<BTreeMap<KeyId, Name>, Error> {
    call.require_admin()?;
    app.store.api_keys.names(bounded(ids)?).await
}

fn bounded<T>(ids: Vec<T>) -> Result<Vec<T>, Failure> {
    if ids.len() > NAMES_MOST {
        return Err(Failure::field("ids", format!("must be at most {NAMES_MOST}")));
    }
    Ok(ids)
}
