//! Logs as text or JSON, and traces for an OpenTelemetry collector.

use std::{
    io::IsTerminal,
    sync::atomic::{AtomicBool, Ordering},
};

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{LogFormat, Refused, Telemetry};

/// The log filter for libraries whose `info` lines repeat what our own lines say.
const QUIET: &str = "async_nats=warn,mongodb=warn,hyper=warn";

/// The most links of one span. The span of a batch has a link for each window.
const MOST_LINKS: u32 = 1_000;

static COLLECTED: AtomicBool = AtomicBool::new(false);

/// Whether spans are sent to a collector. Without a collector, links between spans need not be
/// stored.
pub(crate) fn is_collected() -> bool {
    COLLECTED.load(Ordering::Relaxed)
}

/// Running telemetry. Call [`Started::stop`] before the process ends, so that the last spans are
/// sent.
#[derive(Debug)]
pub struct Started(SdkTracerProvider);

/// Starts logging and tracing for this process.
///
/// # Errors
/// When the filter or the collector's address is malformed.
pub fn start(process: &'static str, settings: &Telemetry) -> anyhow::Result<Started> {
    let refused = |e| Refused(format!("LOG_LEVEL must be error, warn, info, debug, trace or a filter: {e}"));
    let filter = EnvFilter::try_new(format!("{},{QUIET}", settings.log_level)).map_err(refused)?;
    let json = match settings.log_format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let lines = if json { lines.json().flatten_event(true).with_current_span(false).boxed() } else { lines.boxed() };
    let provider = tracer_provider(process, settings)?;
    let traces =
        tracing_opentelemetry::layer().with_tracer(provider.tracer("t3")).with_location(false).with_threads(false);
    // Each layer has its own filter, so that a `LOG_LEVEL` with few log lines does not drop spans.
    let (lines, traces) = (lines.with_filter(filter), traces.with_filter(EnvFilter::new(format!("info,{QUIET}"))));
    tracing_subscriber::registry().with(lines).with(traces).try_init()?;
    Ok(Started(provider))
}

/// Makes the provider of traces. Without a collector, every request still has a trace id, for logs
/// and answers, but its spans are not recorded.
fn tracer_provider(process: &'static str, settings: &Telemetry) -> anyhow::Result<SdkTracerProvider> {
    let resource = Resource::builder().with_service_name(process).build();
    let builder = SdkTracerProvider::builder().with_resource(resource).with_max_links_per_span(MOST_LINKS);
    let Some(endpoint) = crate::config::given(settings.otel_exporter_otlp_endpoint.as_ref()) else {
        return Ok(builder.with_sampler(Sampler::AlwaysOff).build());
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
        .map_err(|e| {
            Refused(format!("OTEL_EXPORTER_OTLP_ENDPOINT must be an http address such as http://127.0.0.1:4318: {e}"))
        })?;
    COLLECTED.store(true, Ordering::Relaxed);
    Ok(builder.with_batch_exporter(exporter).build())
}

impl Started {
    /// Sends the spans that have not been sent yet.
    pub fn stop(self) {
        // An error is ignored: the process is about to end, and lacks only its last spans.
        let _ = self.0.shutdown();
    }
}
