use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use axum::http::{HeaderMap, request::Parts};
use contracts::{Actor, Code, Failure};

use super::{Bound, Left, Limits, Source};
use crate::error::Problem;

/// Counts one request once, against the limit of its source. It is an extension of the request,
/// because the source may become known only later.
#[derive(Clone, Debug)]
pub(crate) struct Meter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: Arc<Limits>,
    address: Option<IpAddr>,
    /// Set once the request was counted: what is left of the limit, or `None` if there is no such
    /// limit.
    counted: OnceLock<Option<Left>>,
}

impl Meter {
    /// Creates the meter of a request from this address.
    pub(super) fn new(limits: Arc<Limits>, address: Option<IpAddr>) -> Self {
        Self(Arc::new(Inner { limits, address, counted: OnceLock::new() }))
    }

    /// The meter in the extensions of a request.
    pub(crate) fn of(parts: &Parts) -> Option<&Self> {
        parts.extensions.get()
    }

    /// Counts the request against the limit of an authenticated caller.
    ///
    /// # Errors
    /// 429 when the limit is exceeded.
    pub(crate) fn count(&self, bound: Bound, actor: Actor) -> Result<(), Problem> {
        self.count_once(bound, Source::Known(actor))
    }

    /// Counts the request against the limit of the client's network address.
    ///
    /// # Errors
    /// 429 when the limit is exceeded.
    pub(crate) fn count_to_address(&self) -> Result<(), Problem> {
        let source = self.0.address.map_or(Source::Others, |address| Source::Address(kit::client_network(address)));
        self.count_once(Bound::Address, source)
    }

    /// Counts the request unless it was counted before.
    fn count_once(&self, bound: Bound, source: Source) -> Result<(), Problem> {
        if self.0.counted.get().is_some() {
            return Ok(());
        }
        let left = *self.0.counted.get_or_init(|| self.0.limits.take(bound, source));
        match left.filter(Left::is_over) {
            Some(over) => {
                let detail =
                    "You have asked too much in the last minute. Wait as long as Retry-After says, and try again.";
                Err(Failure::new(Code::TooManyRequests, detail).again_in(over.seconds()).into())
            }
            None => Ok(()),
        }
    }

    /// Writes the rate limit headers into the response, if the request was counted.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        if let Some(Some(left)) = self.0.counted.get() {
            left.write(headers);
        }
    }
}
