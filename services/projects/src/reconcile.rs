//! Compares the copies of employees' states with directory, which owns the states, and checks that
//! no membership has outlasted a deactivation.

use std::{convert::Infallible, sync::Arc};

use contracts::{EmployeeId, EmployeeState, ListEmployeeStates, Page, ReconcileProjects, Reconciled};
use kit::{Call, Copies, Delivery, Differences, Error, LocalCopy, Reconciler, Tally, new_id};

use crate::{App, consumers};

/// The names of the copies, for metrics and logs.
pub(crate) const COPIES: [&str; 1] = ["employees"];

impl Copies for App {
    fn reconciler(&self) -> &Reconciler {
        &self.reconciler
    }

    async fn compare_all(&self) -> Result<Vec<(&'static str, Tally)>, Error> {
        let [employees] = COPIES;
        Ok(vec![(employees, self.reconciler.compare(&Employees(self)).await?)])
    }
}

/// Compares all copies now, repairs the differences, and returns the result.
pub(crate) async fn reconcile(app: Arc<App>, call: Call, _: ReconcileProjects) -> Result<Reconciled, Error> {
    call.require_admin()?;
    Reconciler::now(app).await
}

struct Employees<'a>(&'a App);

impl LocalCopy for Employees<'_> {
    type PageRequest = ListEmployeeStates;
    type Entry = EmployeeState;
    type At = EmployeeId;
    type Key = Infallible;

    fn ask(&self, after: Option<EmployeeId>) -> ListEmployeeStates {
        ListEmployeeStates { after }
    }

    async fn differences(
        &self,
        _after: Option<EmployeeId>,
        page: &Page<EmployeeState, EmployeeId>,
    ) -> Result<Differences<EmployeeState, Infallible>, Error> {
        let store = &self.0.store;
        let known = store.employee_refs.of(page.items.iter().map(|entry| entry.id)).await?;
        let left = store.members.left_on(&page.items).await?;
        let differs = |entry: &&EmployeeState| is_outdated(known.get(&entry.id), entry) || left.contains(&entry.id);
        // Directory never deletes an employee, so no copy is extra.
        Ok(Differences { differing: page.items.iter().filter(differs).cloned().collect(), extra: Vec::new() })
    }

    /// Applies the state as the consumer of its event would, which also ends memberships from
    /// before a deactivation.
    async fn heal(&self, entry: EmployeeState) -> Result<bool, Error> {
        tracing::warn!(employee = %entry.id, "an employee did not stand as directory knows it");
        let is_kept = self.0.store.employee_refs.heal(&entry).await?;
        let of_ours = Delivery::internal(new_id());
        let swept = consumers::sweep_all(self.0, &of_ours, entry).await?;
        Ok(is_kept || !swept.is_empty())
    }

    async fn end(&self, nobody: Infallible) -> Result<bool, Error> {
        match nobody {}
    }
}

/// Whether the owner's state is newer than the known one, or has the same version and other
/// content. The field `active` is not compared if the known state does not have it, because an
/// earlier version of this service did not store it.
fn is_outdated(known: Option<&EmployeeState>, entry: &EmployeeState) -> bool {
    known.is_none_or(|known| {
        let entry = EmployeeState { active: known.active.as_ref().and(entry.active.clone()), ..entry.clone() };
        known.version < entry.version || known.version == entry.version && *known != entry
    })
}
