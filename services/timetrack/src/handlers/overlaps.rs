use std::{collections::HashMap, sync::Arc};

use contracts::{ListOverlaps, OVERLAP_NAMES, Overlap, OverlapCursor, Overlapped, Page, TimeRange, WindowId};
use futures::{TryStreamExt, stream};
use kit::{Call, Error};

use crate::{
    App,
    domain::{Sweep, Taking},
    store::Party,
};

/// A page ends after this many windows were read, as soon as its result is final. This limits the
/// duration of a request to a fraction of a second.
const MOST_SEEN: usize = 50_000;
/// A page ends after this many overlaps, or after [`MOST_PARTIES`] windows that lose time in them.
const MOST_FOUND: usize = 100;
const MOST_PARTIES: usize = 5_000;

/// Lists the windows that take time from other windows, page by page. For admins.
pub(crate) async fn list_overlaps(
    app: Arc<App>,
    call: Call,
    request: ListOverlaps,
) -> Result<Page<Overlap, OverlapCursor>, Error> {
    call.require_admin()?;
    if app.config.count_overlaps {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let Page { items: takings, next } = find(&app, &request).await?;
    let ids: Vec<WindowId> = takings.iter().flat_map(windows_of).collect();
    let parties = app.store.windows.parties(ids).await?;
    let is_on = |id| parties.get(&id).is_some_and(|party| request.projects.contains(&party.project_id));
    let is_wanted = |taking: &&Taking| request.projects.is_empty() || windows_of(taking).any(is_on);
    let shown: Vec<Overlap> = takings.iter().filter(is_wanted).filter_map(|taking| show(taking, &parties)).collect();
    let place =
        |overlap: &Overlap| OverlapCursor { employee_id: overlap.employee_id, start: overlap.start, id: overlap.id };
    let page = kit::page_within(stream::iter(shown.into_iter().map(Ok::<_, Error>)), place).await?;
    Ok(Page { next: page.next.or(next), ..page })
}

/// The ids of the window that takes time and of the windows that lose it.
fn windows_of(taking: &Taking) -> impl Iterator<Item = WindowId> {
    [taking.window.id].into_iter().chain(taking.from.iter().map(|(window, _)| window.id))
}

/// Finds the next windows of the requested employees that touch the range and take time from
/// others. Projects are filtered by the caller.
async fn find(app: &App, request: &ListOverlaps) -> Result<Page<Taking, OverlapCursor>, Error> {
    let mut spans = app.store.windows.spans(request).await?;
    let is_new = |place: OverlapCursor| request.after.is_none_or(|after| place > after);
    let is_asked = |taking: &Taking| is_new(taking.window.place()) && taking.window.range.clip(request.range).is_some();
    let mut sweep = Sweep::default();
    let (mut found, mut seen, mut parties) = (Vec::new(), 0, 0);
    while let Some(span) = spans.try_next().await? {
        seen += 1;
        for taking in sweep.push(span).into_iter().filter(is_asked) {
            parties += taking.from.len();
            found.push(taking);
        }
        let is_full = seen >= MOST_SEEN || found.len() >= MOST_FOUND || parties >= MOST_PARTIES;
        // The next page continues at the position up to which the result is final. So a page may
        // end only after that position has moved. Otherwise the next page would be the same.
        if let Some(settled) = sweep.settled().filter(|settled| is_full && is_new(*settled)) {
            return Ok(Page { items: found, next: Some(settled) });
        }
    }
    found.extend(sweep.finish().into_iter().filter(is_asked));
    Ok(Page { items: found, next: None })
}

/// The overlap as the API returns it; none if the window that takes time is not in `parties`,
/// because it was removed in between.
fn show(taking: &Taking, parties: &HashMap<WindowId, Party>) -> Option<Overlap> {
    let Taking { window, from } = taking;
    let party = parties.get(&window.id)?;
    let time = |(_, taken): &(_, TimeRange)| taken.length();
    let is_elsewhere = |id| parties.get(&id).is_some_and(|other| other.hwid != party.hwid);
    let taken_from = from.iter().filter_map(|(lost, taken)| {
        let party = parties.get(&lost.id)?;
        Some(Overlapped {
            id: lost.id,
            project_id: party.project_id,
            task_id: party.task_id,
            start: lost.range.start(),
            end: lost.range.end(),
            computer: party.computer.clone(),
            taken_time: taken.length(),
        })
    });
    Some(Overlap {
        id: window.id,
        employee_id: window.employee,
        project_id: party.project_id,
        task_id: party.task_id,
        start: window.range.start(),
        end: window.range.end(),
        computer: party.computer.clone(),
        taken_time: from.iter().map(time).sum(),
        taken_from_count: from.len() as u64,
        taken_from_other_computers: from.iter().filter(|(lost, _)| is_elsewhere(lost.id)).map(time).sum(),
        taken_from: taken_from.take(OVERLAP_NAMES).collect(),
    })
}
