/// The judgement of an outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The side that came first, if that is known.
    pub(super) first: Option<usize>,
    /// The violated rules.
    pub(super) faults: Vec<String>,
    /// Other facts to count.
    pub(super) notes: Vec<&'static str>,
}
