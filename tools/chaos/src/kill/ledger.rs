use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use contracts::{Code, EmployeeId, Millis, ProjectId, TaskId, WindowId};

/// What a sender was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// 201: it is recorded.
    Stored,
    /// 200: it was recorded before.
    Duplicate,
    /// 202: it is safe.
    Queued,
    /// 400, 409, 422: it may not be recorded, and why.
    Refused(Option<Code>),
    /// 401: nobody even looked at it.
    NoToken,
    /// No answer, or one that leaves open what became of it.
    Unknown(String),
}

impl Word {
    /// Whether it must be there from now on: recorded, or set aside.
    pub(crate) fn is_safe(&self) -> bool {
        matches!(self, Self::Stored | Self::Duplicate | Self::Queued)
    }

    /// Whether it must be recorded from now on.
    pub(crate) fn is_recorded(&self) -> bool {
        matches!(self, Self::Stored | Self::Duplicate)
    }
}

/// One time that a window was sent.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) sent: Millis,
    pub(crate) answered: Millis,
    pub(crate) word: Word,
}

/// A window, by the number that stands in its note: what is stored under whatever id is found by it.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) employee: EmployeeId,
    /// None where the server makes one.
    pub(crate) id: Option<WindowId>,
    pub(crate) start: Millis,
    pub(crate) end: Millis,
    pub(crate) project: ProjectId,
    pub(crate) task: TaskId,
    pub(crate) attempts: Vec<Attempt>,
    /// What an admin was told about voiding it.
    pub(crate) voids: Vec<Attempt>,
}

/// The number that identifies a window.
pub(crate) type Serial = u64;

/// How far an admin's call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    Yes,
    No,
    Unknown,
}

/// A call of an admin, or of somebody who enters.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) sent: Millis,
    pub(crate) answered: Millis,
    /// What was asked, in words.
    pub(crate) what: String,
    /// What was answered, in words.
    pub(crate) answer: String,
    /// Whom and what it is about.
    pub(crate) about: Vec<String>,
}

/// A stretch of time in which an employee was certainly deactivated: from the answer to the
/// deactivation until the reactivation was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Away {
    pub(crate) employee: EmployeeId,
    pub(crate) from: Millis,
    pub(crate) until: Option<Millis>,
}

/// A token of somebody who is deactivated, shown to a gateway.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) employee: EmployeeId,
    pub(crate) at: Millis,
    pub(crate) status: u16,
}

/// A question to analytics: what had been answered before it as recorded, and what came back.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) employee: EmployeeId,
    pub(crate) at: Millis,
    /// The milliseconds that were answered as recorded before it was asked.
    pub(crate) before: i64,
    /// The milliseconds that had been sent when it was answered.
    pub(crate) after: i64,
    /// What was answered; nothing where it was a 503.
    pub(crate) told: Option<i64>,
}

/// What the admins know of what they have made; nothing is expected of what nobody was told about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected {
    /// Who is on each project.
    pub(crate) projects: BTreeMap<ProjectId, Option<BTreeSet<EmployeeId>>>,
    /// Of which project each task is, and who is on it.
    pub(crate) tasks: BTreeMap<TaskId, Option<(ProjectId, BTreeSet<EmployeeId>)>>,
    /// Whether each employee is deactivated.
    pub(crate) deactivated: BTreeMap<EmployeeId, Option<bool>>,
}

/// An employee who was invited.
#[derive(Clone, Debug)]
pub(crate) struct Invited {
    pub(crate) email: String,
    /// How often each token was answered with 200.
    pub(crate) used: BTreeMap<String, u32>,
}

/// All that was sent and answered.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) windows: Vec<Sent>,
    pub(crate) by_employee: HashMap<EmployeeId, Vec<Serial>>,
    pub(crate) acts: Vec<Act>,
    pub(crate) aways: Vec<Away>,
    pub(crate) shown: Vec<Shown>,
    pub(crate) asked: Vec<Asked>,
    pub(crate) invited: BTreeMap<EmployeeId, Invited>,
    pub(crate) expected: Expected,
    /// The payloads of what was injected so that nobody can read it.
    pub(crate) poison: BTreeSet<String>,
    /// How often each status was answered.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Answers that the API does not promise.
    pub(crate) odd: Vec<String>,
}

/// The book, which everybody writes into.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Arc<Mutex<Book>>);

impl Ledger {
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// Notes a window that is about to be sent for the first time.
    pub(crate) fn begin(&mut self, sent: Sent) -> Serial {
        let serial = self.windows.len() as Serial;
        self.by_employee.entry(sent.employee).or_default().push(serial);
        self.windows.push(sent);
        serial
    }

    pub(crate) fn note(&mut self, serial: Serial, attempt: Attempt) {
        if let Some(sent) = self.windows.get_mut(serial as usize) {
            sent.attempts.push(attempt);
        }
    }

    /// What was done about this, at most so much of it, in the order of time: around a moment, or at last.
    pub(crate) fn history(&self, about: &str, at: Option<Millis>, most: usize) -> Vec<String> {
        let of = |act: &&Act| act.about.iter().any(|one| one == about);
        let acts: Vec<&Act> = self.acts.iter().filter(of).collect();
        let until = at.map_or(acts.len(), |at| acts.partition_point(|act| act.sent < at) + most / 3).min(acts.len());
        acts[until.saturating_sub(most)..until].iter().map(ToString::to_string).collect()
    }
}

impl std::fmt::Display for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { sent, answered, what, answer, .. } = self;
        write!(f, "{sent} +{} ms {what}: {answer}", *answered - *sent)
    }
}

impl std::fmt::Display for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { employee, id, start, end, project, task, attempts, .. } = self;
        let id = id.map_or_else(|| "no id".to_owned(), |id| id.to_string());
        write!(f, "{id} of {employee}, {start} to {end}, on {project} / {task}; sent")?;
        for Attempt { sent, answered, word } in attempts {
            write!(f, " at {sent} (+{} ms: {word:?})", *answered - *sent)?;
        }
        Ok(())
    }
}

/// The time now, by the clock that the services on this machine have too.
pub(crate) fn now() -> Millis {
    kit::Clock::system().now()
}
