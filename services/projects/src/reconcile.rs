//! Compares the copy of employees' states with directory, its owner, and checks that no membership has outlived a
//! deactivation.

use std::{convert::Infallible, sync::Arc};

use contracts::{EmployeeId, ListStandings, Page, ReconcileProjects, Reconciled, Standing};
use kit::{Call, Copies, Delivery, Differences, Error, LocalCopy, Reconciler, Tally, new_id};

use crate::{App, consumers};

/// The names of the copies.
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

/// Compares all copies now.
pub(crate) async fn reconcile(app: Arc<App>, call: Call, _: ReconcileProjects) -> Result<Reconciled, Error> {
    call.require_admin()?;
    Reconciler::now(app).await
}

struct Employees<'a>(&'a App);

impl LocalCopy for Employees<'_> {
    type Asks = ListStandings;
    type Told = Standing;
    type At = EmployeeId;
    type Key = Infallible;

    fn ask(&self, after: Option<EmployeeId>) -> ListStandings {
        ListStandings { after }
    }

    async fn differences(
        &self,
        _after: Option<EmployeeId>,
        page: &Page<Standing, EmployeeId>,
    ) -> Result<Differences<Standing, Infallible>, Error> {
        let store = &self.0.store;
        let known = store.employee_refs.of(page.items.iter().map(|told| told.id)).await?;
        let left = store.members.left_on(&page.items).await?;
        let differs = |told: &&Standing| is_outdated(known.get(&told.id), told) || left.contains(&told.id);
        // Employees are never deleted.
        Ok(Differences { told: page.items.iter().filter(differs).cloned().collect(), extra: Vec::new() })
    }

    /// Applies the state as an event would, with the end of memberships.
    async fn heal(&self, told: Standing) -> Result<bool, Error> {
        tracing::warn!(employee = %told.id, "an employee did not stand as directory knows it");
        let is_kept = self.0.store.employee_refs.heal(&told).await?;
        let of_ours = Delivery::internal(new_id());
        let swept = consumers::sweep_all(self.0, &of_ours, told).await?;
        Ok(is_kept || !swept.is_empty())
    }

    async fn end(&self, nobody: Infallible) -> Result<bool, Error> {
        match nobody {}
    }
}

/// Whether the owner's state differs from the known one, and is not older. Fields that earlier versions did not
/// have are no difference.
fn is_outdated(known: Option<&Standing>, told: &Standing) -> bool {
    known.is_none_or(|known| {
        let told = Standing { active: known.active.as_ref().and(told.active.clone()), ..told.clone() };
        known.version < told.version || known.version == told.version && *known != told
    })
}
