//! What the gateway tells about itself, beside what every service does.

use std::time::Duration;

use axum::http::Method;
use contracts::{Code, Failure, Outcome};
use kit::{
    Metrics,
    metrics::{ANSWERS, Counter, Family, Gauge, Histogram, SIZES, answers},
};
use prometheus_client::encoding::EncodeLabelSet;

use crate::{ingest::Submitted, limits::Bound, serving::Refused};

/// All of it.
#[derive(Clone, Debug)]
pub(crate) struct GatewayMetrics {
    requests: Family<Request, Histogram>,
    pub(crate) in_hand: Gauge,
    /// How many windows leave as one message.
    pub(crate) together: Histogram,
    /// How long the stream took to acknowledge one.
    pub(crate) published: Histogram,
    answered: [Counter; ANSWERED.len()],
}

/// What tells HTTP requests apart, by OpenTelemetry's names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    http_request_method: &'static str,
    http_route: String,
    http_response_status_code: u16,
}

/// What a client is told of a window.
const ANSWERED: [&str; 8] =
    ["stored", "duplicate", "conflict", "rejected", "queued", "too_many_requests", "unavailable", "internal"];

impl GatewayMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let requests = Family::new_with_constructor(answers as fn() -> Histogram);
        metrics.register("http_server_request_duration_seconds", "Answering an HTTP request", requests.clone());
        Self {
            requests,
            in_hand: metrics.gauge("http_server_active_requests", "HTTP requests that are not answered yet"),
            together: metrics.histogram("t3_ingest_message_windows", "Windows that left as one message", SIZES),
            published: metrics.histogram(
                "t3_ingest_publish_duration_seconds",
                "Handing a message to the stream INGEST, until it has it",
                ANSWERS,
            ),
            answered: metrics.counters(
                "t3_windows_answered",
                "What clients were told of their windows",
                "outcome",
                ANSWERED,
            ),
        }
    }

    /// A request was answered. The route is a template, so that there are few.
    pub(crate) fn answered(&self, method: &Method, route: String, status: u16, took: Duration) {
        let http_request_method = match *method {
            Method::GET => "GET",
            Method::POST => "POST",
            Method::PUT => "PUT",
            Method::DELETE => "DELETE",
            Method::HEAD => "HEAD",
            Method::OPTIONS => "OPTIONS",
            // Callers make methods up.
            _ => "_OTHER",
        };
        let request = Request { http_request_method, http_route: route, http_response_status_code: status };
        self.requests.get_or_create(&request).observe(took.as_secs_f64());
    }

    /// A client is told this of a window.
    pub(crate) fn told(&self, answer: &Result<Submitted, Failure>) {
        let which = match answer {
            Ok(Submitted { outcome: Outcome::Stored(_), .. }) => 0,
            Ok(Submitted { outcome: Outcome::Duplicate(_), .. }) => 1,
            Ok(Submitted { outcome: Outcome::Conflict, .. }) => 2,
            Ok(Submitted { outcome: Outcome::Rejected { .. }, .. }) => 3,
            Ok(Submitted { outcome: Outcome::Queued, .. }) => 4,
            Err(Failure { code: Code::TooManyRequests, .. }) => 5,
            Err(Failure { code: Code::Unavailable, .. }) => 6,
            Err(_) => 7,
        };
        self.answered[which].inc();
    }
}

/// How many calls are refused because their caller asks too much.
#[derive(Clone, Debug)]
pub(crate) struct LimitMetrics([Counter; Bound::ALL.len()]);

impl LimitMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let help = "Calls that were refused because their caller asks too much";
        Self(metrics.counters("t3_http_limited", help, "bound", Bound::ALL))
    }

    /// One was refused, because of this bound.
    pub(crate) fn refused(&self, bound: Bound) {
        self.0[bound as usize].inc();
    }
}

/// How the connections of clients stand.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionMetrics {
    pub(crate) open: Gauge,
    pub(crate) most: Gauge,
    refused: [Counter; Refused::ALL.len()],
    too_slow: [Counter; TooSlow::ALL.len()],
}

/// For what a client took too long.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TooSlow {
    /// Sending the head of a request.
    Head,
    /// Sending its body.
    Body,
    /// Reading our answer.
    Answer,
}

impl TooSlow {
    const ALL: [&'static str; 3] = ["head", "body", "answer"];
}

impl ConnectionMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let refused = "Connections that had no place, or that the system did not give us";
        Self {
            open: metrics.gauge("t3_http_connections", "Open connections of clients"),
            most: metrics.gauge("t3_http_connections_limit", "The most of them at once"),
            refused: metrics.counters("t3_http_connections_refused", refused, "bound", Refused::ALL),
            too_slow: metrics.counters(
                "t3_http_too_slow",
                "Requests that were given up because the client took too long",
                "part",
                TooSlow::ALL,
            ),
        }
    }

    /// A connection was refused.
    pub(crate) fn refused(&self, why: Refused) {
        self.refused[why as usize].inc();
    }

    /// A client took too long.
    pub(crate) fn too_slow(&self, part: TooSlow) {
        self.too_slow[part as usize].inc();
    }
}

/// One more, for as long as this lives.
pub(crate) struct InHand(Gauge);

impl InHand {
    pub(crate) fn one_more(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.dec();
    }
}
