use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use contracts::WindowId;

/// What an answer says about a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// The window is recorded.
    Stored,
    /// The window is accepted, but not yet recorded.
    Queued,
    /// The window must be sent again.
    NotTaken,
}

/// The answers to all senders.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) words: HashMap<WindowId, Word>,
    /// The number of answers by status.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// The time until each answer, in microseconds.
    pub(crate) micros: Vec<u32>,
    /// The answers that the API does not allow.
    pub(crate) faults: Vec<String>,
}

impl Answers {
    /// Records the status of an answer and the time until it.
    pub(crate) fn took(&mut self, time: Duration, status: u16) {
        self.micros.push(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
        *self.statuses.entry(status).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.words.extend(other.words);
        other.statuses.into_iter().for_each(|(status, count)| *self.statuses.entry(status).or_default() += count);
        self.micros.extend(other.micros);
        self.faults.extend(other.faults);
    }
}
