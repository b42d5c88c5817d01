use std::{collections::HashMap, sync::Arc};

use contracts::{
    AssignmentChanged, EmployeeChanged, EmployeeId, Event, IngestItem, MemberChanged, Payroll, Price, ProjectChanged,
    ProjectId, RateBook, RateScope, RatedWork, RatesChanged, TaskChanged, TaskId, TimeRange, Zone,
};
use serde::{Deserialize, Serialize};

/// The state of one employee, project, task, membership, assignment or scope of rates. It decides
/// whether a window may be recorded, and at which rates. It is a copy from the service that owns
/// it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Binding {
    Employee(EmployeeChanged),
    Project(ProjectChanged),
    Task(TaskChanged),
    Member(MemberChanged),
    Assignment(AssignmentChanged),
    /// The rates of one scope.
    Rates(RatesChanged),
}

/// The key under which a [`Binding`] is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum BindingKey {
    Employee(EmployeeId),
    Project(ProjectId),
    Task(TaskId),
    Member(ProjectId, EmployeeId),
    Assignment(TaskId, EmployeeId),
    Rates(RateScope),
}

impl std::fmt::Display for BindingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Employee(id) => write!(f, "e:{id}"),
            Self::Project(id) => write!(f, "p:{id}"),
            Self::Task(id) => write!(f, "t:{id}"),
            Self::Member(project, employee) => write!(f, "m:{project}:{employee}"),
            Self::Assignment(task, employee) => write!(f, "a:{task}:{employee}"),
            Self::Rates(scope) => write!(f, "r:{scope}"),
        }
    }
}

impl Binding {
    pub(crate) fn key(&self) -> BindingKey {
        match self {
            Self::Employee(e) => BindingKey::Employee(e.0.id),
            Self::Project(p) => BindingKey::Project(p.id),
            Self::Task(t) => BindingKey::Task(t.id),
            Self::Member(m) => BindingKey::Member(m.project_id, m.employee_id),
            Self::Assignment(a) => BindingKey::Assignment(a.task_id, a.employee_id),
            Self::Rates(r) => BindingKey::Rates(r.scope),
        }
    }

    /// The binding in an event; none if events with this subject have no binding.
    pub(crate) fn read(subject: &str, payload: &[u8]) -> serde_json::Result<Option<Self>> {
        Ok(if is::<EmployeeChanged>(subject) {
            Some(Self::Employee(serde_json::from_slice(payload)?))
        } else if is::<ProjectChanged>(subject) {
            Some(Self::Project(serde_json::from_slice(payload)?))
        } else if is::<TaskChanged>(subject) {
            Some(Self::Task(serde_json::from_slice(payload)?))
        } else if is::<MemberChanged>(subject) {
            Some(Self::Member(serde_json::from_slice(payload)?))
        } else if is::<AssignmentChanged>(subject) {
            Some(Self::Assignment(serde_json::from_slice(payload)?))
        } else if is::<RatesChanged>(subject) {
            Some(Self::Rates(serde_json::from_slice(payload)?))
        } else {
            None
        })
    }

    /// The approximate number of rates and terms in this binding, as a measure of its memory.
    pub(crate) fn weight(&self) -> usize {
        1 + match self {
            Self::Employee(e) => e.0.active.as_ref().map_or(0, Vec::len),
            Self::Project(p) => p.payroll.0.len() + p.open.as_ref().map_or(0, Vec::len),
            Self::Task(t) => t.projects.as_ref().map_or(0, Vec::len),
            Self::Member(m) => m.terms.len(),
            Self::Assignment(a) => a.terms.len() + a.former.iter().map(|former| 1 + former.terms.len()).sum::<usize>(),
            Self::Rates(r) => r.rates.len() + r.payroll.len(),
        }
    }

    pub(crate) fn version(&self) -> i64 {
        match self {
            Self::Employee(e) => e.0.version,
            Self::Project(p) => p.version,
            Self::Task(t) => t.version,
            Self::Member(m) => m.version,
            Self::Assignment(a) => a.version,
            Self::Rates(r) => r.version,
        }
    }
}

/// Whether a subject is one of this type of event. Compares the service, the noun and the verb.
fn is<E: Event>(subject: &str) -> bool {
    let mut words = subject.rsplit('.');
    let (verb, _aggregate, noun) = (words.next(), words.next(), words.next());
    verb == Some(E::VERB) && noun == Some(E::NOUN) && subject.starts_with(&format!("evt.{}.", E::SERVICE))
}

/// The bindings of some windows, and the rates and the time zone that give the prices of these
/// windows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bindings {
    parties: HashMap<BindingKey, Arc<Binding>>,
    prices: Prices,
}

/// Rates, and the time zone that decides when a day begins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prices {
    pub(crate) book: Arc<RateBook>,
    pub(crate) zone: Zone,
}

impl FromIterator<Binding> for Bindings {
    fn from_iter<I: IntoIterator<Item = Binding>>(bindings: I) -> Self {
        bindings.into_iter().map(Arc::new).collect()
    }
}

impl FromIterator<Arc<Binding>> for Bindings {
    fn from_iter<I: IntoIterator<Item = Arc<Binding>>>(bindings: I) -> Self {
        let (mut parties, mut book) = (HashMap::new(), RateBook::default());
        for binding in bindings {
            match binding.as_ref() {
                Binding::Rates(rates) => book.learn(Arc::new(rates.clone())),
                _ => drop(parties.insert(binding.key(), binding)),
            }
        }
        Self { parties, prices: Prices { book: Arc::new(book), zone: Zone::default() } }
    }
}

impl Bindings {
    /// The keys of all bindings of a window, without rates.
    pub(crate) fn keys(item: &IngestItem) -> [BindingKey; 5] {
        let (employee, project, task) = (item.employee_id, item.window.project_id, item.window.task_id);
        [
            BindingKey::Employee(employee),
            BindingKey::Project(project),
            BindingKey::Task(task),
            BindingKey::Member(project, employee),
            BindingKey::Assignment(task, employee),
        ]
    }

    /// The keys of all rates that may price a window.
    pub(crate) fn rate_keys(item: &IngestItem) -> [BindingKey; 6] {
        let (employee, project, task) = (item.employee_id, item.window.project_id, item.window.task_id);
        RateScope::of_work(employee, project, task).map(BindingKey::Rates)
    }

    /// The same bindings with these rates and this time zone.
    pub(crate) fn priced_by(self, prices: Prices) -> Self {
        Self { prices, ..self }
    }

    /// The same bindings with this time zone.
    pub(crate) fn in_zone(mut self, zone: Zone) -> Self {
        self.prices.zone = zone;
        self
    }

    /// Whether these bindings include all five bindings of a window.
    pub(crate) fn has_all(&self, item: &IngestItem) -> bool {
        Self::keys(item).iter().all(|key| self.parties.contains_key(key))
    }

    /// The price of work in a time range: the rates that apply in the range, by the rates and the
    /// project's payroll in these bindings.
    pub(crate) fn price(&self, work: RatedWork, range: TimeRange) -> Price {
        let nothing = Payroll::default();
        let payroll = self.project(work.project).map_or(&nothing, |project| &project.payroll);
        self.prices.book.price(work, range, payroll, &self.prices.zone)
    }

    pub(crate) fn employee(&self, id: EmployeeId) -> Option<&EmployeeChanged> {
        match self.parties.get(&BindingKey::Employee(id)).map(Arc::as_ref) {
            Some(Binding::Employee(employee)) => Some(employee),
            _ => None,
        }
    }

    pub(crate) fn project(&self, id: ProjectId) -> Option<&ProjectChanged> {
        match self.parties.get(&BindingKey::Project(id)).map(Arc::as_ref) {
            Some(Binding::Project(project)) => Some(project),
            _ => None,
        }
    }

    pub(crate) fn task(&self, id: TaskId) -> Option<&TaskChanged> {
        match self.parties.get(&BindingKey::Task(id)).map(Arc::as_ref) {
            Some(Binding::Task(task)) => Some(task),
            _ => None,
        }
    }

    pub(crate) fn member(&self, project: ProjectId, employee: EmployeeId) -> Option<&MemberChanged> {
        match self.parties.get(&BindingKey::Member(project, employee)).map(Arc::as_ref) {
            Some(Binding::Member(member)) => Some(member),
            _ => None,
        }
    }

    pub(crate) fn assignment(&self, task: TaskId, employee: EmployeeId) -> Option<&AssignmentChanged> {
        match self.parties.get(&BindingKey::Assignment(task, employee)).map(Arc::as_ref) {
            Some(Binding::Assignment(assignment)) => Some(assignment),
            _ => None,
        }
    }
}
