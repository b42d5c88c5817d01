use contracts::Millis;

/// A violation of an invariant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The id of the object that is wrong. The report finds the history of the object by it.
    pub(crate) about: String,
    pub(crate) says: String,
    /// The moment of the violation, if it is known. The report shows the history around that
    /// moment.
    pub(crate) at: Option<Millis>,
}

/// The result for one invariant.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) invariant: &'static str,
    /// The number of checks that were made.
    pub(crate) checked: u64,
    pub(crate) findings: Vec<Finding>,
}

impl Outcome {
    pub(crate) fn new(invariant: &'static str) -> Self {
        Self { invariant, checked: 0, findings: Vec::new() }
    }

    /// Makes one check, and records a finding if `holds` is false.
    pub(crate) fn check(&mut self, holds: bool, about: impl ToString, says: impl FnOnce() -> String) {
        self.check_at(None, holds, about, says);
    }

    /// Makes one check of something that happened at a known moment.
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
