use contracts::Millis;

/// A violation of an invariant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The id that it concerns, by which its history is found.
    pub(crate) about: String,
    pub(crate) says: String,
    /// When it happened, if that is known. The report shows the history around that moment.
    pub(crate) at: Option<Millis>,
}

/// The result for one invariant.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) invariant: &'static str,
    /// The number of checks.
    pub(crate) checked: u64,
    pub(crate) findings: Vec<Finding>,
}

impl Outcome {
    pub(crate) fn new(invariant: &'static str) -> Self {
        Self { invariant, checked: 0, findings: Vec::new() }
    }

    /// Checks one thing, and records a finding if it is wrong.
    pub(crate) fn check(&mut self, holds: bool, about: impl ToString, says: impl FnOnce() -> String) {
        self.check_at(None, holds, about, says);
    }

    /// Checks something whose time is known.
    pub(crate) fn check_at(
        &mut self,
        at: impl Into<Option<Millis>>,
        holds: bool,
        about: impl ToString,
        says: impl FnOnce() -> String,
    ) {
        self.checked += 1;
        if !holds {
            self.findings.push(Finding { about: about.to_string(), says: says(), at: at.into() });
        }
    }
}
