use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use contracts::{Code, EmployeeId, Millis, ProjectId, TaskId, WindowId};

/// What an answer says about a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// 201: the window is recorded.
    Stored,
    /// 200: the window was recorded before.
    Duplicate,
    /// 202: the window is accepted.
    Queued,
    /// 400, 409, 413 or 422: the window may not be recorded, for the reason in the code.
    Refused(Option<Code>),
    /// 401 or 403: the token was refused, and the body was not read.
    NoToken,
    /// No answer, or one that does not say what happened to the window.
    Unknown(String),
}

impl Word {
    /// Returns whether the window must be recorded or quarantined after this answer.
    pub(crate) fn is_safe(&self) -> bool {
        matches!(self, Self::Stored | Self::Duplicate | Self::Queued)
    }

    /// Returns whether the window must be recorded after this answer.
    pub(crate) fn is_recorded(&self) -> bool {
        matches!(self, Self::Stored | Self::Duplicate)
    }
}

/// An attempt to send or to void a window.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) sent: Millis,
    pub(crate) answered: Millis,
    pub(crate) word: Word,
}

/// A window and all attempts to send it. Its serial number is in its note and identifies it,
/// whatever id it is stored under.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) employee: EmployeeId,
    /// The id that the client has chosen; `None` if the server computes it.
    pub(crate) id: Option<WindowId>,
    pub(crate) start: Millis,
    pub(crate) end: Millis,
    pub(crate) project: ProjectId,
    pub(crate) task: TaskId,
    pub(crate) attempts: Vec<Attempt>,
    /// The attempts of an admin to void the window.
    pub(crate) voids: Vec<Attempt>,
}

/// The serial number of a window in a campaign, which identifies the window.
pub(crate) type Serial = u64;

/// Whether a change was made, as far as the answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    Yes,
    No,
    Unknown,
}

/// A request of an admin.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) sent: Millis,
    pub(crate) answered: Millis,
    /// The request as text.
    pub(crate) what: String,
    /// The answer as text.
    pub(crate) answer: String,
    /// The ids of the objects that the request concerns.
    pub(crate) about: Vec<String>,
}

/// A range of time in which an employee was certainly deactivated: from the answer to the
/// deactivation until the request for the reactivation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Away {
    pub(crate) employee: EmployeeId,
    pub(crate) from: Millis,
    pub(crate) until: Option<Millis>,
}

/// A token of a deactivated employee that was sent to a gateway.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) employee: EmployeeId,
    pub(crate) at: Millis,
    pub(crate) status: u16,
}

/// A report about an employee, with the least and the most time that it may contain.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) employee: EmployeeId,
    pub(crate) at: Millis,
    /// The milliseconds of windows that were answered as recorded before the request.
    pub(crate) before: i64,
    /// The milliseconds of windows that had been sent when the answer came.
    pub(crate) after: i64,
    /// The milliseconds in the answer; `None` without a success.
    pub(crate) reported: Option<i64>,
}

/// The state that admins expect. An entry is `None` while it is unknown, after a request without a
/// definite answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected {
    /// The members of each project.
    pub(crate) projects: BTreeMap<ProjectId, Option<BTreeSet<EmployeeId>>>,
    /// The project and assignees of each task.
    pub(crate) tasks: BTreeMap<TaskId, Option<(ProjectId, BTreeSet<EmployeeId>)>>,
    /// Whether each employee is deactivated.
    pub(crate) deactivated: BTreeMap<EmployeeId, Option<bool>>,
}

/// An invited employee.
#[derive(Clone, Debug)]
pub(crate) struct Invited {
    pub(crate) email: String,
    /// For each token, how often it has activated the account.
    pub(crate) used: BTreeMap<String, u32>,
}

/// Everything that was sent and answered in a campaign.
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
    /// The payloads of the unreadable messages that were published.
    pub(crate) poison: BTreeSet<String>,
    /// The number of answers by status.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Answers with the status 500 or 502, as text.
    pub(crate) odd: Vec<String>,
}

/// The [`Book`] of a campaign, which all clients share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Arc<Mutex<Book>>);

impl Ledger {
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// Records a window that will be sent for the first time, and returns its serial number.
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

    /// Returns the requests about an id in order of time, at most `most` lines. With `at`, about a
    /// third of them is from after this moment; otherwise they are the last ones.
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

/// Returns the present time, from the clock that the services on this machine use too.
pub(crate) fn now() -> Millis {
    kit::Clock::system().now()
}
