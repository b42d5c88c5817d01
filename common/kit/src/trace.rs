//! The W3C trace context in the headers of HTTP requests and NATS messages, and in outbox rows.

use std::collections::{BTreeMap, BTreeSet};

use async_nats::HeaderMap;
use axum::http;
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::TraceContextExt,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::telemetry::is_collected;

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|value| value.as_str())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_ref()).collect()
    }
}

struct HttpHeaders<'a>(&'a http::HeaderMap);

impl Extractor for HttpHeaders<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

#[derive(Default)]
struct Pairs(BTreeMap<String, String>);

impl Extractor for Pairs {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

impl Injector for Pairs {
    fn set(&mut self, key: &str, value: String) {
        if !value.is_empty() {
            self.0.insert(key.to_owned(), value);
        }
    }
}

/// The headers with the trace context of the current span (`traceparent`, `tracestate`).
pub fn trace_headers() -> BTreeMap<String, String> {
    let mut pairs = Pairs::default();
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut pairs);
    pairs.0
}

/// Makes a span part of the trace that a message's headers name, and sets the span's field
/// `trace_id`.
pub(crate) fn continue_trace(span: &Span, headers: Option<&HeaderMap>) {
    match headers {
        Some(headers) => continue_from(span, &Headers(headers)),
        None => record_trace_id(span),
    }
}

/// As `continue_trace`, for an HTTP request.
pub fn continue_http_trace(span: &Span, headers: &http::HeaderMap) {
    continue_from(span, &HttpHeaders(headers));
}

/// As `continue_trace`, for a batch of messages. If all have the same `traceparent`, the span
/// continues its trace; otherwise the span gets a link to each.
pub fn continue_traces<'a>(span: &Span, messages: impl IntoIterator<Item = Option<&'a HeaderMap>>) {
    let traceparent = |headers: Option<&'a HeaderMap>| headers?.get("traceparent").map(|value| value.as_str());
    follow(span, messages.into_iter().filter_map(traceparent));
}

/// Makes a span part of the trace of the `traceparent`, if there is only one. If there are several
/// different ones, adds a link to each.
pub fn follow<'a>(span: &Span, traceparents: impl IntoIterator<Item = &'a str>) {
    let origins = distinct(traceparents);
    match &origins[..] {
        [lone] => drop(span.set_parent(lone.clone())),
        several => several.iter().for_each(|origin| span.add_link(origin.span().span_context().clone())),
    }
    record_trace_id(span);
}

/// Adds links from a span to the spans that caused it, if spans are sent to a collector.
pub fn link<'a>(span: &Span, traceparents: impl IntoIterator<Item = &'a str>) {
    if is_collected() {
        distinct(traceparents).iter().for_each(|origin| span.add_link(origin.span().span_context().clone()));
    }
}

/// The `traceparent` of the current span. None if the span is not sampled, or not sent to a
/// collector.
pub fn traceparent() -> Option<String> {
    if !is_collected() {
        return None;
    }
    trace_headers().remove("traceparent").filter(|traceparent| traceparent.ends_with("-01"))
}

fn distinct<'a>(traceparents: impl IntoIterator<Item = &'a str>) -> Vec<Context> {
    let propagator = TraceContextPropagator::new();
    let distinct: BTreeSet<&str> = traceparents.into_iter().collect();
    let contexts = distinct.into_iter().map(|traceparent| {
        let pair = Pairs(BTreeMap::from([("traceparent".to_owned(), traceparent.to_owned())]));
        propagator.extract_with_context(&Context::new(), &pair)
    });
    contexts.filter(|context| context.span().span_context().is_valid()).collect()
}

fn continue_from(span: &Span, headers: &dyn Extractor) {
    // An error is ignored: it occurs only for a span that no layer records, and such a span needs
    // no parent.
    let _ = span.set_parent(TraceContextPropagator::new().extract(headers));
    record_trace_id(span);
}

fn record_trace_id(span: &Span) {
    if let Some(id) = trace_id(span) {
        span.record("trace_id", id);
    }
}

/// The id of a span's trace, as 32 hexadecimal digits.
pub fn trace_id(span: &Span) -> Option<String> {
    let context = span.context();
    let id = context.span().span_context().trace_id();
    (id != opentelemetry::trace::TraceId::INVALID).then(|| id.to_string())
}
