use std::sync::{Arc, PoisonError, RwLock};

/// The base URLs of the gateways that take new requests, like the list of a load balancer.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenGateways(Arc<RwLock<Vec<String>>>);

impl OpenGateways {
    pub(crate) fn open(&self, base: String) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(base);
    }

    /// Removes a gateway, so that it gets no new requests.
    pub(crate) fn close(&self, base: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).retain(|open| open != base);
    }

    /// Returns the gateway for the nth request, or `None` if there is no gateway.
    pub(crate) fn pick(&self, n: usize) -> Option<String> {
        let open = self.0.read().unwrap_or_else(PoisonError::into_inner);
        open.get(n.checked_rem(open.len())?).cloned()
    }

    /// Returns all gateways that take new requests.
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
