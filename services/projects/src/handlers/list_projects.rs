use std::sync::Arc;

use contracts::{ListProjects, Page, Project, ProjectId};
use kit::{Call, Error};

use crate::App;

/// Lists projects, either those that are archived or those that are not.
pub(crate) async fn list_projects(
    app: Arc<App>,
    call: Call,
    asked: ListProjects,
) -> Result<Page<Project, ProjectId>, Error> {
    call.require_admin()?;
    app.store.projects.list(&asked).await
}
