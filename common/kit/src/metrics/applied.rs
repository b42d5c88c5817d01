use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, histogram::Histogram},
};

/// How long it took to process events, in seconds, by the noun and the verb of the event and by
/// outcome.
#[derive(Clone, Debug)]
pub(crate) struct Applied(pub(super) Family<Labels, Histogram>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Labels {
    noun: &'static str,
    verb: &'static str,
    outcome: &'static str,
}

impl Default for Applied {
    fn default() -> Self {
        Self(Family::new_with_constructor(super::answers))
    }
}

impl Applied {
    /// Records how long an event took, and whether it was applied, will be redelivered, or was
    /// moved to DEAD.
    pub(crate) fn observe(&self, [noun, verb]: [&'static str; 2], outcome: &'static str, took: Duration) {
        self.0.get_or_create(&Labels { noun, verb, outcome }).observe(took.as_secs_f64());
    }
}
