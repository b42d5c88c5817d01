use std::{fmt, sync::Arc};

/// A step of a worker at which a test may stop it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is about to send its heartbeat.
    Living,
    /// It has decided which windows to record.
    Checked,
    /// The windows are in MongoDB; whether they may be is not checked again yet.
    Written,
    /// The windows are in MongoDB, and no service was informed.
    Inserted,
    /// Analytics is informed, the gateway is not.
    Published,
    /// The gateway is informed, but the message is not acknowledged.
    Answered,
    /// Some windows are repriced, others are not yet.
    Repriced,
    /// A decision about a correction is written, but not committed.
    Deciding,
}

impl Step {
    /// Its name in `T3_DIE_AT`.
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

/// The steps at which a test stops a worker. Empty in production.
#[derive(Clone, Default)]
pub struct Faults(Option<Arc<dyn Fn(Step) -> bool + Send + Sync>>);

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Faults({})", self.0.is_some())
    }
}

impl Faults {
    /// Stops at the steps for which `dies` returns true.
    pub fn when(dies: impl Fn(Step) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(dies)))
    }

    /// Waits for ever if a test stops the worker here: like a dead worker it does not answer, acknowledge or
    /// extend the time to process.
    pub(crate) async fn at(&self, step: Step) {
        kit::failpoint(step.name());
        if self.0.as_ref().is_some_and(|dies| dies(step)) {
            std::panic::resume_unwind(Box::new("a test lets the worker die here"));
        }
    }
}
