//! Bounds for how much one caller may ask of this gateway.

mod bucket;
mod layer;
mod meter;
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
};
pub use settings::Limits as LimitSettings;

use crate::metrics::LimitMetrics;

/// How often those who ask nothing any more are forgotten.
const FORGET: Duration = Duration::from_secs(60);

/// Which bound a call of somebody who is known is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// Most calls.
    Calls,
    /// Posting windows: much comes at once after weeks without a network.
    Windows,
    /// Calls of whoever is not known.
    Address,
}

impl Bound {
    /// All of them, as metrics and headers name them.
    pub(crate) const ALL: [&'static str; 3] = ["calls", "windows", "address"];
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Source {
    Known(Actor),
    Address(IpAddr),
    /// All for whom there is no room.
    Others,
}

/// The bounds, and how much everybody has left of them.
#[derive(Debug)]
pub(crate) struct Limits {
    buckets: [Option<Bucket>; Bound::ALL.len()],
    metrics: LimitMetrics,
    told: LogThrottle,
}

impl Limits {
    pub(crate) fn new(settings: &LimitSettings, metrics: LimitMetrics) -> Self {
        let most = [settings.rate_limit_calls, settings.rate_limit_windows, settings.rate_limit_addresses];
        let buckets = std::array::from_fn(|at| Bucket::new(Bound::ALL[at], most[at]));
        Self { buckets, metrics, told: LogThrottle::default() }
    }

    /// Takes one of what the source may ask for. Nothing where there is no such bound.
    fn take(&self, bound: Bound, source: Source) -> Option<Left> {
        let left = self.buckets[bound as usize].as_ref()?.take(source, Instant::now());
        if left.is_over() {
            self.metrics.refused(bound);
            if self.told.may_log((bound as usize, source)) {
                tracing::warn!(?bound, ?source, "calls are refused: see RATE_LIMIT_…");
            }
        }
        Some(left)
    }

    /// Forgets now and then who has asked nothing for a while, so that memory does not grow.
    pub(crate) async fn forget_idle(&self, shutdown: &Shutdown) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(FORGET) => self.buckets.iter().flatten().for_each(|bucket| bucket.forget_idle(Instant::now())),
                () = shutdown.stopping() => return,
            }
        }
    }
}
