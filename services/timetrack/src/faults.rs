use std::{fmt, sync::Arc};

/// A step at which a test may stop a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The worker is about to send its heartbeat.
    Living,
    /// The worker has decided which windows to record, and has not written them.
    Checked,
    /// The windows are in MongoDB. Whether their time is settled was not checked again.
    Written,
    /// The windows are in MongoDB, and no event about them is published.
    Inserted,
    /// The event for analytics is published, and the gateway has no answer.
    Published,
    /// The gateway has the answer, and the message is not acknowledged.
    Answered,
    /// One chunk of a repricing job is committed. The next chunk has not begun.
    Repriced,
    /// The decision about a correction or a quarantined window is written in its transaction, and
    /// not committed.
    Deciding,
}

impl Step {
    /// The name of this step in `T3_DIE_AT`.
    const fn name(self) -> &'static str {
        match self {
            Self::Living => "living",
            Self::Checked => "checked",
            Self::Written => "written",
            Self::Inserted => "inserted",
            Self::Published => "published",
            Self::Answered => "answered",
            Self::Repriced => "repriced",
            Self::Deciding => "deciding",
        }
    }
}

/// The rule by which a test stops a worker at some steps. In production there is none.
#[derive(Clone, Default)]
pub struct Faults(Option<Arc<dyn Fn(Step) -> bool + Send + Sync>>);

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Faults({})", self.0.is_some())
    }
}

impl Faults {
    /// Stops the worker at the steps for which `dies` returns true.
    pub fn when(dies: impl Fn(Step) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(dies)))
    }

    /// Ends the task with a panic if a test stops the worker at this step. Like a dead worker, the
    /// task then does not answer or acknowledge. If `T3_DIE_AT` names this step, a build with the
    /// feature `mutants` aborts the whole process.
    pub(crate) async fn at(&self, step: Step) {
        kit::failpoint(step.name());
        if self.0.as_ref().is_some_and(|dies| dies(step)) {
            std::panic::resume_unwind(Box::new("a test lets the worker die here"));
        }
    }
}
