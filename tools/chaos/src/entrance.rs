use std::sync::{Arc, PoisonError, RwLock};

/// Where clients come in: the gateways that take new requests, as a load balancer knows them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entrance(Arc<RwLock<Vec<String>>>);

impl Entrance {
    pub(crate) fn open(&self, base: String) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(base);
    }

    /// From now on nothing new comes in here.
    pub(crate) fn close(&self, base: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).retain(|open| open != base);
    }

    /// Where the nth request goes.
    pub(crate) fn pick(&self, n: usize) -> Option<String> {
        let open = self.0.read().unwrap_or_else(PoisonError::into_inner);
        open.get(n.checked_rem(open.len())?).cloned()
    }

    /// All that are open.
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
