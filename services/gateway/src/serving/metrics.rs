use kit::{
    Metrics,
    metrics::{Counter, Gauge},
};

use super::Refused;

/// The metrics of client connections.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionMetrics {
    /// The number of open connections.
    pub(super) open: Gauge,
    /// The largest allowed number of open connections.
    pub(super) most: Gauge,
    refused: [Counter; Refused::ALL.len()],
    too_slow: [Counter; TooSlow::ALL.len()],
}

/// The part of a request for which a client took too long.
#[derive(Clone, Copy, Debug)]
pub(super) enum TooSlow {
    /// The client was too slow to send the request's head.
    Head,
    /// The client was too slow to send the request's body.
    Body,
    /// The client was too slow to read the response.
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

    /// Counts a refused connection.
    pub(super) fn refused(&self, why: Refused) {
        self.refused[why as usize].inc();
    }

    /// Counts a client that was too slow.
    pub(super) fn too_slow(&self, part: TooSlow) {
        self.too_slow[part as usize].inc();
    }
}
