use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use axum::http::{HeaderMap, request::Parts};
use contracts::{Actor, Code, Failure};

use super::{Bound, Left, Limits, Source};
use crate::error::Problem;

/// Counts one request, once it is known whose it is. Goes along with it.
#[derive(Clone, Debug)]
pub(crate) struct Meter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: Arc<Limits>,
    address: Option<IpAddr>,
    /// What the caller has left, once the request is counted; nothing inside where there is no bound.
    counted: OnceLock<Option<Left>>,
}

impl Meter {
    /// For a request from this address.
    pub(super) fn new(limits: Arc<Limits>, address: Option<IpAddr>) -> Self {
        Self(Arc::new(Inner { limits, address, counted: OnceLock::new() }))
    }

    /// That of a request.
    pub(crate) fn of(parts: &Parts) -> Option<&Self> {
        parts.extensions.get()
    }

    /// Counts it to somebody who is known.
    ///
    /// # Errors
    /// 429 where it is one too many.
    pub(crate) fn count(&self, bound: Bound, actor: Actor) -> Result<(), Problem> {
        self.count_once(bound, Source::Known(actor))
    }

    /// Counts it to the address that it comes from.
    ///
    /// # Errors
    /// 429 where it is one too many.
    pub(crate) fn count_to_address(&self) -> Result<(), Problem> {
        let source = self.0.address.map_or(Source::Others, |address| Source::Address(kit::client_network(address)));
        self.count_once(Bound::Address, source)
    }

    /// What was counted once is not counted again.
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

    /// Tells the caller what is left.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        if let Some(Some(left)) = self.0.counted.get() {
            left.write(headers);
        }
    }
}
