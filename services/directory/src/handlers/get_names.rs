use std::{collections::BTreeMap, sync::Arc};

use contracts::{EmployeeId, Failure, GetEmployeeNames, NAMES_MOST, Name};
use kit::{Call, Error};

use crate::App;

/// Gives the names of employees, deactivated ones too; unknown ones are left out.
pub(crate) async fn get_names(
    app: Arc<App>,
    call: Call,
    GetEmployeeNames { ids }: GetEmployeeNames,
) -> Result<BTreeMap<EmployeeId, Name>, Error> {
    call.require_admin()?;
    if ids.len() > NAMES_MOST {
        return Err(Failure::field("ids", format!("must be at most {NAMES_MOST}")).into());
    }
    app.store.employees.names(ids).await
}
