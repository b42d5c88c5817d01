use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use contracts::{EmployeeId, ListMembers, MemberChanged, MemberKey, Page};
use kit::{Differences, Error, LocalCopy, Tally};

use crate::App;

/// The copies of the edges between projects and employees. The service `projects` owns the edges.
pub(super) struct Edges<'a>(pub(super) &'a App);

impl LocalCopy for Edges<'_> {
    type PageRequest = ListMembers;
    type Entry = MemberChanged;
    type At = MemberKey;
    /// The key of an edge, and the version of the copy.
    type Key = (MemberKey, i64);

    fn ask(&self, after: Option<MemberKey>) -> ListMembers {
        ListMembers { after }
    }

    async fn differences(
        &self,
        after: Option<MemberKey>,
        page: &Page<MemberChanged, MemberKey>,
    ) -> Result<Differences<MemberChanged, (MemberKey, i64)>, Error> {
        let known = self.0.store.memberships.between(after, page.next).await?;
        let differs = |edge: &&MemberChanged| known.get(&key(edge)).is_none_or(|known| known.is_outdated_by(edge));
        let entry: HashSet<_> = page.items.iter().map(key).collect();
        let extra = known.iter().filter(|(key, _)| !entry.contains(key)).map(|(key, known)| (*key, known.version));
        Ok(Differences { differing: page.items.iter().filter(differs).cloned().collect(), extra: extra.collect() })
    }

    async fn heal(&self, edge: MemberChanged) -> Result<bool, Error> {
        let Self(app) = self;
        tracing::warn!(project = %edge.project_id, employee = %edge.employee_id, "a membership was not as projects knows it");
        kit::change!(app.db.awaited(Duration::ZERO), tx => {
            let is_kept = app.store.memberships.heal(tx, &edge).await?;
            if is_kept {
                app.store.employees.set_project(tx, edge.employee_id, edge.project_id, edge.is_on()).await?;
            }
            Ok(is_kept)
        })
    }

    async fn end(&self, (edge, version): (MemberKey, i64)) -> Result<bool, Error> {
        let Self(app) = self;
        tracing::warn!(project = %edge.project, employee = %edge.employee, "projects knows nothing of a membership");
        kit::change!(app.db.awaited(Duration::ZERO), tx => {
            let is_forgotten = app.store.memberships.forget(tx, edge, version).await?;
            if is_forgotten {
                app.store.employees.set_project(tx, edge.employee, edge.project, false).await?;
            }
            Ok(is_forgotten)
        })
    }
}

fn key(edge: &MemberChanged) -> MemberKey {
    MemberKey { project: edge.project_id, employee: edge.employee_id }
}

/// Compares each employee's list of projects with the edges. Every change writes both in one
/// transaction, so a list that differs is wrong and is rebuilt at once.
pub(super) async fn compare_lists(app: &App) -> Result<Tally, Error> {
    let shown = app.store.employees.lists().await?;
    let right = app.store.memberships.lists().await?;
    let mut tally = Tally { compared: shown.len() as u64, ..Tally::default() };
    for (id, projects) in shown {
        let projects: BTreeSet<_> = projects.into_iter().collect();
        // The two reads above are not one snapshot, so a difference is checked again in a
        // transaction.
        if right.get(&id).map_or(!projects.is_empty(), |right| *right != projects) && renew(app, id).await? {
            tally.found(true);
        }
    }
    Ok(tally)
}

/// Rebuilds an employee's list of projects from the edges. Returns whether the list was different.
async fn renew(app: &App, id: EmployeeId) -> Result<bool, Error> {
    let differed = kit::change!(app.db.awaited(Duration::ZERO), tx => {
        let right = app.store.memberships.list_of(tx, id).await?;
        let shown = app.store.employees.load(tx, id).await?;
        let differs = shown.is_some_and(|shown| shown.projects.into_iter().collect::<BTreeSet<_>>() != right);
        if differs {
            app.store.employees.set_projects(tx, id, &right).await?;
        }
        Ok(differs)
    })?;
    if differed {
        tracing::warn!(employee = %id, "a list of projects was not that of the memberships");
    }
    Ok(differed)
}
