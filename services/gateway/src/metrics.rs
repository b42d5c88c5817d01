//! The metrics of HTTP requests.

use std::time::Duration;

use axum::http::Method;
use kit::{
    Metrics,
    metrics::{Family, Gauge, Histogram, answers},
};
use prometheus_client::encoding::EncodeLabelSet;

/// The metrics of HTTP requests.
#[derive(Clone, Debug)]
pub(crate) struct HttpMetrics {
    requests: Family<Request, Histogram>,
    /// The number of requests that are not answered yet.
    pub(crate) in_progress: Gauge,
}

/// The labels of a request, named as OpenTelemetry defines them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    http_request_method: &'static str,
    http_route: String,
    http_response_status_code: u16,
}

impl HttpMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let requests = Family::new_with_constructor(answers as fn() -> Histogram);
        metrics.register("http_server_request_duration_seconds", "Answering an HTTP request", requests.clone());
        Self {
            requests,
            in_progress: metrics.gauge("http_server_active_requests", "HTTP requests that are not answered yet"),
        }
    }

    /// Records the duration of an answered request. `route` is the path's template and not the
    /// path, so that the number of label values stays small.
    pub(crate) fn answered(&self, method: &Method, route: String, status: u16, took: Duration) {
        let http_request_method = match *method {
            Method::GET => "GET",
            Method::POST => "POST",
            Method::PUT => "PUT",
            Method::DELETE => "DELETE",
            Method::HEAD => "HEAD",
            Method::OPTIONS => "OPTIONS",
            // A caller may send any method. Unknown methods must not become label values, because
            // there could be any number of them.
            _ => "_OTHER",
        };
        let request = Request { http_request_method, http_route: route, http_response_status_code: status };
        self.requests.get_or_create(&request).observe(took.as_secs_f64());
    }
}

/// Counts a request in progress while this value lives.
pub(crate) struct InProgress(Gauge);

impl InProgress {
    pub(crate) fn begin(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.dec();
    }
}
