use std::sync::Arc;

use contracts::{ListProjects, Page, Project, ProjectId};
use kit::{Call, Error};

use crate::App;

/// Lists the projects that are not archived, or those that are.
pub(crate) async fn list_projects(
    app: Arc<App>,
    call: Call,
    asked: ListProjects,
) -> Result<Page<Project, ProjectId>, Error> {
    call.require_admin()?;
    app.store.projects.list(&asked).await
}
