use std::{fmt, fmt::Write, time::Duration};

use contracts::{Code, Service};
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder},
    metrics::{family::Family, histogram::Histogram},
};

/// How long requests took, in seconds, by service, method and result.
#[derive(Clone, Debug)]
pub(crate) struct Calls(pub(super) Family<Labels, Histogram>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Labels {
    rpc_service: &'static str,
    rpc_method: &'static str,
    rpc_response_status_code: Answer,
}

/// The result of a request: `ok`, or the code of the failure.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Answer(Option<Code>);

impl EncodeLabelValue for Answer {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        match self.0 {
            None => encoder.write_str("ok"),
            // A code is serialized as a word in quotes.
            Some(code) => encoder.write_str(serde_json::to_string(&code).unwrap_or_default().trim_matches('"')),
        }
    }
}

impl Default for Calls {
    fn default() -> Self {
        Self(Family::new_with_constructor(super::answers))
    }
}

impl Calls {
    /// Records the duration of a request, and the code of its failure if it failed.
    pub(crate) fn observe(&self, service: Service, method: &'static str, failure: Option<Code>, took: Duration) {
        let labels =
            Labels { rpc_service: service.name(), rpc_method: method, rpc_response_status_code: Answer(failure) };
        self.0.get_or_create(&labels).observe(took.as_secs_f64());
    }
}
