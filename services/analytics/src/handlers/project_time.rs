use std::sync::Arc;

use contracts::{GetProjectTime, Grouping, ProjectTime, TimeRow, Zone};
use kit::{Call, Error};

use crate::{App, domain::Question, engine};

/// The time and the money of each project in a range. For admins.
pub(crate) async fn project_time(app: Arc<App>, call: Call, asked: GetProjectTime) -> Result<Vec<ProjectTime>, Error> {
    call.require_admin()?;
    app.progress.caught_up(|| by_project(&app, asked.clone())).await
}

async fn by_project(app: &App, asked: GetProjectTime) -> Result<Vec<ProjectTime>, Error> {
    let GetProjectTime { range, filter } = asked;
    let by = [Grouping::Project].into();
    let mut question = Question { range, by, zone: Zone::default(), filter, after: None };
    let mut answer = Vec::new();
    loop {
        let page = engine::answer(app, &question).await?;
        answer.extend(page.items.into_iter().filter_map(of_project));
        match page.next {
            Some(next) => question.after = Some(next),
            None => return Ok(answer),
        }
    }
}

fn of_project(row: TimeRow) -> Option<ProjectTime> {
    let TimeRow { project, time, costs, income, .. } = row;
    project.map(|id| ProjectTime { id, time, costs, income })
}
