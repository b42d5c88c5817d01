/// The judgement about the outcome of a round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The side that came first, if that is known.
    pub(super) first: Option<usize>,
    /// A sentence for each violated rule.
    pub(super) faults: Vec<String>,
    /// Other facts that are counted.
    pub(super) notes: Vec<&'static str>,
}
