use std::{fmt, sync::Arc};

/// A step of a worker, after which it can die, or stand still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is about to say that it lives.
    Living,
    /// It is decided which windows are recorded.
    Checked,
    /// The windows are in MongoDB, and nobody knows.
    Inserted,
    /// Analytics know, the gateway does not.
    Published,
    /// The gateway knows, the queue does not.
    Answered,
    /// Some windows are priced anew, and more are to be.
    Repriced,
    /// A decision about a correction is written, and not committed.
    Deciding,
}

impl Step {
    /// What `T3_DIE_AT` calls it.
    const fn name(self) -> &'static str {
        match self {
            Self::Living => "living",
            Self::Checked => "checked",
            Self::Inserted => "inserted",
            Self::Published => "published",
            Self::Answered => "answered",
            Self::Repriced => "repriced",
            Self::Deciding => "deciding",
        }
    }
}

/// Where a test lets a worker die. Nowhere, outside of tests.
#[derive(Clone, Default)]
pub struct Faults(Option<Arc<dyn Fn(Step) -> bool + Send + Sync>>);

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Faults({})", self.0.is_some())
    }
}

impl Faults {
    /// Dies at the steps for which `dies` says so.
    pub fn when(dies: impl Fn(Step) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(dies)))
    }

    /// Goes no further where a test says so: as a worker that died, it neither answers nor
    /// acknowledges, nor says that it still works on what it had in hand.
    pub(crate) async fn at(&self, step: Step) {
        kit::failpoint(step.name());
        if self.0.as_ref().is_some_and(|dies| dies(step)) {
            std::panic::resume_unwind(Box::new("a test lets the worker die here"));
        }
    }
}
