//! Rate limits for the callers of this gateway.

mod bucket;
mod layer;
mod meter;
mod metrics;
mod settings;

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use contracts::Actor;
use kit::{LogThrottle, Shutdown};

use self::bucket::Bucket;
pub(crate) use self::{
    bucket::{HEADER, Left, POLICY_HEADER},
    layer::limit,
    meter::Meter,
    metrics::LimitMetrics,
};
pub use settings::Limits as LimitSettings;

/// How often idle sources are removed. A source is idle when its whole limit is available again.
const FORGET: Duration = Duration::from_secs(60);

/// The kind of limit that applies to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// Requests of authenticated callers, except posts of windows.
    Calls,
    /// Posts of windows. This limit is higher, because a client that was without a network for
    /// weeks sends many windows in a short time.
    Windows,
    /// Requests of callers that are not authenticated, counted by network address.
    Address,
}

impl Bound {
    /// The names of all limits, for metrics and headers.
    pub(crate) const ALL: [&'static str; 3] = ["calls", "windows", "address"];
}

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Source {
    Known(Actor),
    Address(IpAddr),
    /// All sources beyond the number that is counted separately, and requests without a known
    /// address.
    Others,
}

/// The rate limits, with the state of each source.
#[derive(Debug)]
pub(crate) struct Limits {
    buckets: [Option<Bucket>; Bound::ALL.len()],
    metrics: LimitMetrics,
    log_throttle: LogThrottle,
}

impl Limits {
    pub(crate) fn new(settings: &LimitSettings, metrics: LimitMetrics) -> Self {
        let most = [settings.rate_limit_calls, settings.rate_limit_windows, settings.rate_limit_addresses];
        let buckets = std::array::from_fn(|at| Bucket::new(Bound::ALL[at], most[at]));
        Self { buckets, metrics, log_throttle: LogThrottle::default() }
    }

    /// Counts a call against a limit; `None` if there is no such limit.
    fn take(&self, bound: Bound, source: Source) -> Option<Left> {
        let left = self.buckets[bound as usize].as_ref()?.take(source, Instant::now());
        if left.is_over() {
            self.metrics.refused(bound);
            if self.log_throttle.may_log((bound as usize, source)) {
                tracing::warn!(?bound, ?source, "calls are refused: see RATE_LIMIT_…");
            }
        }
        Some(left)
    }

    /// Removes idle sources again and again until shutdown. Without this the memory for their
    /// states would grow.
    pub(crate) async fn forget_idle(&self, shutdown: &Shutdown) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(FORGET) => self.buckets.iter().flatten().for_each(|bucket| bucket.forget_idle(Instant::now())),
                () = shutdown.stopping() => return,
            }
        }
    }
}
