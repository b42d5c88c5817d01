//! Lists of the employees who may have worked in a range of time, page by page.

use contracts::{Failure, ListRoster, RosterEntry, TimeRange};

use super::{pages::Pager, visitor::Visitor};
use crate::extract::Params;

impl Visitor {
    /// Requests a page of the employees who may have worked in a range, sorted by name.
    pub(super) async fn roster(
        &self,
        params: &Params,
        range: TimeRange,
        size: usize,
    ) -> Result<(Pager, Vec<RosterEntry>), Failure> {
        let asked = |skip| ListRoster { range, employees: Vec::new(), skip, limit: size };
        let mut roster = self.ask(asked(Pager::skipped(params, size)?)).await?;
        let pager = Pager::of(params, roster.count, size)?;
        if roster.people.is_empty() && roster.count > 0 {
            // The query parameter names a page beyond the last page. The last page is shown instead
            // of an empty one.
            roster = self.ask(asked(pager.before())).await?;
        }
        Ok((pager, roster.people))
    }
}
