use std::{collections::BTreeMap, sync::Arc};

use contracts::{GetProjectTime, ProjectId, ProjectTime};
use futures::future::{try_join, try_join_all};
use kit::{Call, Error};

use crate::{
    App,
    consumers::until_caught_up,
    domain::{Filter, Split, Total, parts},
};

/// The time and the money of each project inside a range: for admins.
///
/// The days that lie in the range whole are summed up already; its edges are counted from facts.
pub(crate) async fn project_time(app: Arc<App>, call: Call, asked: GetProjectTime) -> Result<Vec<ProjectTime>, Error> {
    call.require_admin()?;
    until_caught_up(&app.bus).await?;
    let GetProjectTime { range, employees, projects, tasks, .. } = asked;
    let filter = Filter { employees, projects, tasks };
    let Split { days, edges } = Split::of(range);
    let (mut totals, facts) = try_join(
        app.store.days.by_project(days, &filter),
        try_join_all(edges.iter().map(|edge| app.store.facts.reaching_into(*edge, &filter.employees))),
    )
    .await?;
    for (edge, facts) in edges.into_iter().zip(facts) {
        for part in parts(facts, app.overlaps) {
            let wanted = filter.takes(part.fact.project_id, part.fact.task_id);
            if let Some(total) = part.within(edge).filter(|_| wanted) {
                *totals.entry(part.fact.project_id).or_default() += total;
            }
        }
    }
    Ok(rounded(totals))
}

/// By project; those without time are left out. Money is rounded here and nowhere else.
fn rounded(totals: BTreeMap<ProjectId, Total>) -> Vec<ProjectTime> {
    let with_time = totals.into_iter().filter(|(_, total)| total.time > 0);
    with_time
        .map(|(id, Total { time, costs, income })| ProjectTime {
            id,
            time,
            costs: costs.cents(),
            income: income.cents(),
        })
        .collect()
}
