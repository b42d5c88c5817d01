use std::sync::{Arc, PoisonError, RwLock};

/// The gateways that take new requests, as a load balancer knows them.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenGateways(Arc<RwLock<Vec<String>>>);

impl OpenGateways {
    pub(crate) fn open(&self, base: String) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(base);
    }

    /// Sends no new requests to this gateway.
    pub(crate) fn close(&self, base: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).retain(|open| open != base);
    }

    /// The gateway of the nth request.
    pub(crate) fn pick(&self, n: usize) -> Option<String> {
        let open = self.0.read().unwrap_or_else(PoisonError::into_inner);
        open.get(n.checked_rem(open.len())?).cloned()
    }

    /// All gateways that take new requests.
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
