use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use contracts::WindowId;

/// What the sender of a window was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// It is recorded.
    Stored,
    /// It is safe.
    Queued,
    /// It must be sent again.
    NotTaken,
}

/// What all senders were told.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) words: HashMap<WindowId, Word>,
    /// How often each status was answered.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// How long answers took, in microseconds.
    pub(crate) micros: Vec<u32>,
    /// What no client should see.
    pub(crate) faults: Vec<String>,
}

impl Answers {
    /// Notes how long an answer took, and its status.
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
