//! Looks up the names of ids in the services that store them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use contracts::{
    Caller, EmployeeId, Failure, GetEmployeeNames, GetKeyNames, GetWorkNames, KeyId, NAMES_MOST, Name, ProjectId,
    TaskId, WorkNames,
};
use futures::future::try_join;
use kit::Bus;

/// How long one request for names waits for its reply. A response without names is still useful.
const PATIENCE: Duration = Duration::from_secs(1);
/// When this many questions are remembered, all of them are forgotten before another is added.
const QUESTIONS: usize = 256;
/// The most ids that are remembered of one question. The names of a larger reply are not guessed.
const GUESSED: usize = 300;

/// The ids whose names are needed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    pub(crate) projects: BTreeSet<ProjectId>,
    pub(crate) tasks: BTreeSet<TaskId>,
    pub(crate) employees: BTreeSet<EmployeeId>,
    pub(crate) keys: BTreeSet<KeyId>,
}

/// The names of [`Ids`]. An id without a name is missing.
#[derive(Debug, Default)]
pub(crate) struct KnownNames {
    pub(crate) work: WorkNames,
    pub(crate) employees: BTreeMap<EmployeeId, Name>,
    pub(crate) keys: BTreeMap<KeyId, Name>,
}

/// Requests names from the services. Calls that wait at the same time share one request, so a
/// hundred concurrent reports need hardly more requests than one. Nothing is cached, so a changed
/// name appears immediately.
#[derive(Debug)]
pub(crate) struct Names {
    bus: Bus,
    /// The batch with the ids for the next request.
    next: Mutex<Arc<Batch>>,
    /// Locked while a request is running.
    asking: tokio::sync::Mutex<()>,
    /// The last reply to each question, by the hash of the question.
    seen: Mutex<HashMap<u64, Seen>>,
    hasher: RandomState,
}

/// The ids in the last reply to a question.
#[derive(Debug, Default)]
struct Seen {
    ids: Ids,
    /// Whether the reply before had all of them. Otherwise the next reply is likely to have others
    /// again, and a guess would only be more work.
    is_steady: bool,
}

#[derive(Debug, Default)]
struct Batch {
    ids: Mutex<Ids>,
    known: OnceLock<Arc<KnownNames>>,
}

impl Names {
    pub(crate) fn new(bus: Bus) -> Self {
        let (next, asking, seen) = (Mutex::default(), tokio::sync::Mutex::default(), Mutex::default());
        Self { bus, next, asking, seen, hasher: RandomState::new() }
    }

    /// The reply of `asked`, and the current names of the ids in it.
    ///
    /// If the last two replies to the same `question` had the same ids, their names are requested at
    /// the same time as the reply. If the new reply has other ids, all its names are requested
    /// afterwards, so a wrong guess never changes what is returned.
    ///
    /// # Errors
    /// Those of `asked`.
    pub(crate) async fn beside<T, E>(
        &self,
        question: &str,
        asked: impl Future<Output = Result<T, E>>,
        ids: impl FnOnce(&T) -> Ids,
    ) -> Result<(T, Arc<KnownNames>), E> {
        let question = self.hasher.hash_one(question);
        let is_steady = |seen: &&Seen| seen.is_steady;
        let guess = lock(&self.seen).get(&question).filter(is_steady).map(|seen| seen.ids.clone()).unwrap_or_default();
        let (reply, ahead) = try_join(asked, async { Ok(self.of(guess.clone()).await) }).await?;
        let ids = ids(&reply);
        let known = if guess.includes(&ids) { ahead } else { self.of(ids.clone()).await };
        self.remember(question, ids);
        Ok((reply, known))
    }

    fn remember(&self, question: u64, ids: Ids) {
        let mut seen = lock(&self.seen);
        if ids.count() > GUESSED {
            seen.remove(&question);
            return;
        }
        if seen.len() >= QUESTIONS && !seen.contains_key(&question) {
            seen.clear();
        }
        let before = seen.entry(question).or_default();
        *before = Seen { is_steady: before.ids.includes(&ids), ids };
    }

    /// The current names of these ids; for deleted items, their last names. If a service does not
    /// answer, its names are missing, because a report without names is better than no report.
    pub(crate) async fn of(&self, mut ids: Ids) -> Arc<KnownNames> {
        if ids.is_empty() {
            return Arc::default();
        }
        let batch = {
            let next = lock(&self.next);
            lock(&next.ids).append(&mut ids);
            next.clone()
        };
        let _asking = self.asking.lock().await;
        if let Some(known) = batch.known.get() {
            return known.clone();
        }
        // No other call has requested the names of this batch meanwhile, so this call requests them
        // for all calls that share the batch.
        {
            let mut next = lock(&self.next);
            if Arc::ptr_eq(&next, &batch) {
                *next = Arc::default();
            }
        }
        let ids = lock(&batch.ids).clone();
        let known = Arc::new(self.ask(ids).await);
        batch.known.get_or_init(|| known).clone()
    }

    async fn ask(&self, Ids { projects, tasks, employees, keys }: Ids) -> KnownNames {
        let (work, employees, keys) =
            futures::join!(self.work(projects, tasks), self.employees(employees), self.keys(keys));
        KnownNames { work, employees, keys }
    }

    async fn employees(&self, ids: BTreeSet<EmployeeId>) -> BTreeMap<EmployeeId, Name> {
        let ids: Vec<EmployeeId> = ids.into_iter().collect();
        let mut names = BTreeMap::new();
        for part in ids.chunks(NAMES_MOST) {
            let asked = GetEmployeeNames { ids: part.to_vec() };
            names.append(&mut or_empty(self.bus.ask_within(PATIENCE, Caller::Service, &asked).await));
        }
        names
    }

    async fn keys(&self, ids: BTreeSet<KeyId>) -> BTreeMap<KeyId, Name> {
        let ids: Vec<KeyId> = ids.into_iter().collect();
        let mut names = BTreeMap::new();
        for part in ids.chunks(NAMES_MOST) {
            let asked = GetKeyNames { ids: part.to_vec() };
            names.append(&mut or_empty(self.bus.ask_within(PATIENCE, Caller::Service, &asked).await));
        }
        names
    }

    async fn work(&self, projects: BTreeSet<ProjectId>, tasks: BTreeSet<TaskId>) -> WorkNames {
        let mut names = WorkNames::default();
        for asked in questions(projects, tasks) {
            let mut known = or_empty(self.bus.ask_within(PATIENCE, Caller::Service, &asked).await);
            names.projects.append(&mut known.projects);
            names.tasks.append(&mut known.tasks);
        }
        names
    }
}

/// The smallest number of requests for these ids, each with at most `NAMES_MOST` ids.
fn questions(projects: BTreeSet<ProjectId>, tasks: BTreeSet<TaskId>) -> Vec<GetWorkNames> {
    let mut questions: Vec<GetWorkNames> = Vec::new();
    let has_room = |asked: &&mut GetWorkNames| asked.projects.len() + asked.tasks.len() < NAMES_MOST;
    for project in projects {
        match questions.last_mut().filter(has_room) {
            Some(asked) => asked.projects.push(project),
            None => questions.push(GetWorkNames { projects: vec![project], tasks: Vec::new() }),
        }
    }
    for task in tasks {
        match questions.last_mut().filter(has_room) {
            Some(asked) => asked.tasks.push(task),
            None => questions.push(GetWorkNames { projects: Vec::new(), tasks: vec![task] }),
        }
    }
    questions
}

/// The reply; an empty value if the request failed.
fn or_empty<T: Default>(answer: Result<T, Failure>) -> T {
    answer.unwrap_or_else(|failure| {
        tracing::warn!(code = ?failure.code, "an answer without names");
        T::default()
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ids {
    fn count(&self) -> usize {
        self.projects.len() + self.tasks.len() + self.employees.len() + self.keys.len()
    }

    fn is_empty(&self) -> bool {
        self.count() == 0
    }

    fn includes(&self, others: &Self) -> bool {
        let Self { projects, tasks, employees, keys } = others;
        projects.is_subset(&self.projects)
            && tasks.is_subset(&self.tasks)
            && employees.is_subset(&self.employees)
            && keys.is_subset(&self.keys)
    }

    fn append(&mut self, other: &mut Self) {
        self.projects.append(&mut other.projects);
        self.tasks.append(&mut other.tasks);
        self.employees.append(&mut other.employees);
        self.keys.append(&mut other.keys);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_asked_for_in_as_few_questions_as_replies_can_carry() {
        let ids = |many: usize| (0..many).map(|_| kit::new_id()).collect::<BTreeSet<ProjectId>>();
        let tasks = |many: usize| (0..many).map(|_| kit::new_id()).collect::<BTreeSet<TaskId>>();
        for (projects, of_tasks, expected) in [
            (0, 0, vec![]),
            (1, 1, vec![(1, 1)]),
            (999, 2, vec![(999, 1), (0, 1)]),
            (1_000, 1, vec![(1_000, 0), (0, 1)]),
        ] {
            let asked = questions(ids(projects), tasks(of_tasks));
            let sizes: Vec<_> = asked.iter().map(|asked| (asked.projects.len(), asked.tasks.len())).collect();
            assert_eq!(sizes, expected);
        }
        let asked = questions(ids(1_500), tasks(2_700));
        assert_eq!(asked.len(), 5);
        assert_eq!(asked.iter().map(|asked| asked.projects.len() + asked.tasks.len()).sum::<usize>(), 4_200);
    }
}
