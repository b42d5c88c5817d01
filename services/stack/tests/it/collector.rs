//! An OpenTelemetry collector for tests. It receives spans over OTLP, and can follow their causes.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, routing::post};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;

/// A running collector.
pub struct Collector {
    /// The URL to which spans are sent.
    pub url: String,
    spans: Taken,
}

type Taken = Arc<Mutex<Vec<Span>>>;

impl Collector {
    /// Starts a collector that listens until the test ends.
    pub async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (url, spans) = (format!("http://{}", listener.local_addr().unwrap()), Taken::default());
        let app = Router::new().route("/v1/traces", post(take)).with_state(spans.clone());
        tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        Self { url, spans }
    }

    /// Returns the spans that were received.
    pub fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap().clone()
    }
}

async fn take(State(spans): State<Taken>, body: Bytes) {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    spans.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
}

/// Returns all spans that have caused this one, directly or not. A cause is the parent of a span or
/// a linked span.
pub fn origins<'a>(all: &'a [Span], span: &Span) -> Vec<&'a Span> {
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    let mut next = causes(span);
    while let Some(id) = next.pop() {
        if seen.insert(id.clone())
            && let Some(span) = all.iter().find(|span| span.span_id == id)
        {
            next.extend(causes(span));
            found.push(span);
        }
    }
    found
}

fn causes(span: &Span) -> Vec<Vec<u8>> {
    let links = span.links.iter().map(|link| link.span_id.clone());
    links.chain([span.parent_span_id.clone()]).filter(|id| !id.is_empty()).collect()
}
