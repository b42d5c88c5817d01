use std::collections::HashSet;

use contracts::{IngestItem, WindowContent, WindowId};
use kit::Error;

use crate::{
    App,
    domain::{Next, QuarantineReason, Quarantined},
};

/// For each of these windows, the reason why it must not be recorded although the rules allow it;
/// none if it may be recorded. Either an admin has discarded a window with the same id and content,
/// or, with `COUNT_OVERLAPS`, an admin has admitted it as an adjustment. (Without `COUNT_OVERLAPS`,
/// an adjustment settles the time that it counts, so no other check is needed.)
///
/// The database is queried only if the cached ids of quarantined windows may be incomplete, or may
/// include one of these windows.
pub(super) async fn kept_out(
    app: &App,
    items: &[&IngestItem],
    is_complete: bool,
) -> Result<Vec<Option<QuarantineReason>>, Error> {
    let ids: Vec<WindowId> = items.iter().map(|item| item.id).collect();
    if ids.is_empty() || is_complete && !app.memory.may_be_quarantined(ids.iter().copied()) {
        return Ok(vec![None; items.len()]);
    }
    let decided = app.store.quarantine.decided(&ids).await?;
    let mut adjusted: HashSet<WindowId> = HashSet::new();
    if app.config.count_overlaps {
        let admitted: Vec<WindowId> = decided.iter().filter_map(Quarantined::admitted_as).collect();
        adjusted.extend(app.store.adjustments.these(&admitted).await?.iter().map(|one| one.id));
    }
    let keeps_out = |quarantined: &&Quarantined| quarantined.admitted_as().is_none_or(|id| adjusted.contains(&id));
    let reason = |item: &&IngestItem| {
        let content = WindowContent::from(*item);
        let same = |quarantined: &&Quarantined| {
            quarantined.window_id == item.id && WindowContent::from(&quarantined.item) == content
        };
        let quarantined = decided.iter().filter(same).find(keeps_out)?;
        Some(QuarantineReason { code: quarantined.code, next: Next::Admin })
    };
    Ok(items.iter().map(reason).collect())
}
