use contracts::Millis;

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The id that it is about, by which the history is found.
    pub(crate) about: String,
    pub(crate) says: String,
    /// When it was, where that is known: the history of around then is shown.
    pub(crate) at: Option<Millis>,
}

/// What came of one invariant.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) invariant: &'static str,
    /// How many things were looked at.
    pub(crate) checked: u64,
    pub(crate) findings: Vec<Finding>,
}

impl Outcome {
    pub(crate) fn new(invariant: &'static str) -> Self {
        Self { invariant, checked: 0, findings: Vec::new() }
    }

    /// Looks at one thing: says so where it is not as it must be.
    pub(crate) fn check(&mut self, holds: bool, about: impl ToString, says: impl FnOnce() -> String) {
        self.check_at(None, holds, about, says);
    }

    /// The same of something of a certain time.
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
