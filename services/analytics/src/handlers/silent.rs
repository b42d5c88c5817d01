use std::{collections::BTreeSet, sync::Arc};

use contracts::{EmployeeId, Filter, Grouping, ListSilent, TimeRange, Zone};
use kit::{Call, Error};

use crate::{App, domain::Question, engine};

/// Lists those of the requested employees (of all, if the list is empty) who have time in one range
/// (`worked`) and none in another (`silent`). For admins.
pub(crate) async fn silent(app: Arc<App>, call: Call, asked: ListSilent) -> Result<Vec<EmployeeId>, Error> {
    call.require_admin()?;
    let (worked, silent) = (asked.worked, asked.silent);
    let read = async || {
        let (before, since) = tokio::try_join!(with_time(&app, worked), with_time(&app, silent))?;
        Ok::<_, Error>(before.difference(&since).copied().collect::<Vec<EmployeeId>>())
    };
    let silent = app.silent.get((worked, silent), app.progress.caught_up(read));
    let is_asked = |id: &&EmployeeId| asked.employees.is_empty() || asked.employees.contains(id);
    Ok(silent.await?.iter().filter(is_asked).copied().collect())
}

/// The employees for whom some time in the range counts.
async fn with_time(app: &App, range: TimeRange) -> Result<BTreeSet<EmployeeId>, Error> {
    let by = [Grouping::Employee].into();
    let mut question = Question { range, by, zone: Zone::default(), filter: Filter::default(), after: None };
    let mut found = BTreeSet::new();
    loop {
        let page = engine::answer(app, &question).await?;
        found.extend(page.items.iter().filter_map(|row| row.employee));
        match page.next {
            Some(place) => question.after = Some(place),
            None => return Ok(found),
        }
    }
}
