//! Guesses which data a page will need, from what the last pages showed. The guessed data are
//! requested at the same time as the list that decides what is needed, which saves one round trip.
//! If the guess was wrong, the page requests the right data afterwards, so a wrong guess never
//! changes what is shown.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use contracts::{EmployeeId, Failure, RosterEntry, TimeRange};
use futures::join;

use super::{pages::Pager, visitor::Visitor};
use crate::{
    extract::Params,
    names::{Ids, KnownNames},
};

/// The largest number of list pages whose employees are remembered.
const PAGES: usize = 256;
/// When more projects and tasks than this are remembered, all of them are forgotten before others
/// are added.
const NAMES: usize = 300;

/// The key of a remembered list page: the manager who opens it, the number of employees on earlier
/// pages, and the largest number of employees on the page.
type Page = (Option<EmployeeId>, usize, usize);

/// The employees, projects and tasks that the last pages showed.
#[derive(Debug, Default)]
pub(crate) struct Likely {
    people: Mutex<HashMap<Page, Vec<EmployeeId>>>,
    /// Contains ids of projects and tasks only.
    work: Mutex<Ids>,
}

impl Likely {
    fn people(&self, page: Page) -> Vec<EmployeeId> {
        lock(&self.people).get(&page).cloned().unwrap_or_default()
    }

    fn keep_people(&self, page: Page, people: Vec<EmployeeId>) {
        let mut known = lock(&self.people);
        if known.len() >= PAGES {
            known.clear();
        }
        known.insert(page, people);
    }

    fn work(&self) -> Ids {
        lock(&self.work).clone()
    }

    fn keep_work(&self, ids: &Ids) {
        let mut known = lock(&self.work);
        if known.projects.len() + known.tasks.len() > NAMES {
            *known = Ids::default();
        }
        known.projects.extend(&ids.projects);
        known.tasks.extend(&ids.tasks);
    }
}

impl Visitor {
    /// Returns a page of the employees who may have worked in a range, and the reply of `ask` for
    /// these employees. `ask` is first called with the employees whom this page showed before. It
    /// is called again if the page has other employees now.
    pub(super) async fn roster_with<T, Fut>(
        &self,
        params: &Params,
        range: TimeRange,
        size: usize,
        ask: impl Fn(Vec<EmployeeId>) -> Fut,
    ) -> Result<(Pager, Vec<RosterEntry>, T), Failure>
    where
        Fut: Future<Output = Result<T, Failure>>,
    {
        let page = (self.manager(), Pager::skipped(params, size)?, size);
        let likely = self.app.likely.people(page);
        let ahead = async {
            match likely.is_empty() {
                true => None,
                false => Some(ask(likely.clone()).await),
            }
        };
        let (roster, ahead) = join!(self.roster(params, range, size), ahead);
        let (pager, people) = roster?;
        let ids: Vec<EmployeeId> = people.iter().map(|person| person.id).collect();
        let answer = match ahead {
            Some(answer) if ids == likely => answer?,
            _ => ask(ids.clone()).await?,
        };
        self.app.likely.keep_people(page, ids);
        Ok((pager, people, answer))
    }

    /// Requests the current names of the projects and tasks that the last pages showed.
    pub(super) async fn likely_names(&self) -> Arc<KnownNames> {
        self.names(self.app.likely.work()).await
    }

    /// The names of these projects and tasks. Returns `ahead` if it has all of them; otherwise
    /// requests them.
    pub(super) async fn names_beside(&self, ahead: Arc<KnownNames>, ids: Ids) -> Arc<KnownNames> {
        self.app.likely.keep_work(&ids);
        let Ids { projects, tasks, .. } = &ids;
        let has_all = projects.iter().all(|id| ahead.work.projects.contains_key(id))
            && tasks.iter().all(|id| ahead.work.tasks.contains_key(id));
        if has_all { ahead } else { self.names(ids).await }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
