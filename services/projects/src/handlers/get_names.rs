use std::{collections::BTreeMap, sync::Arc};

use contracts::{Failure, GetWorkNames, NAMES_MOST, Name, WorkNames};
use kit::{Call, Error};

use crate::App;

/// Returns the names of projects and tasks, deleted ones included. Unknown ids are left out.
pub(crate) async fn get_names(app: Arc<App>, call: Call, asked: GetWorkNames) -> Result<WorkNames, Error> {
    call.require_admin()?;
    let GetWorkNames { projects, tasks } = asked;
    if projects.len() + tasks.len() > NAMES_MOST {
        return Err(Failure::field("ids", format!("must be at most {NAMES_MOST}")).into());
    }
    let store = &app.store;
    let found = futures::try_join!(store.projects.names(&projects), store.tasks.names(&tasks))?;
    let names = WorkNames { projects: found.0, tasks: found.1 };
    let (projects, tasks) = (missing(projects, &names.projects), missing(tasks, &names.tasks));
    let former = futures::try_join!(store.former_names.of(&projects), store.former_names.of(&tasks))?;
    let WorkNames { mut projects, mut tasks } = names;
    projects.extend(former.0);
    tasks.extend(former.1);
    Ok(WorkNames { projects, tasks })
}

fn missing<Id: Ord>(mut ids: Vec<Id>, found: &BTreeMap<Id, Name>) -> Vec<Id> {
    ids.retain(|id| !found.contains_key(id));
    ids
}
