use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

/// A look at something that changes, for many who each need one that has begun after they asked: those who wait for
/// one to end share the next.
#[derive(Debug)]
pub struct Together<T> {
    /// How many looks have begun.
    begun: AtomicU64,
    /// The last that came to an end, with its number.
    last: Mutex<Option<(u64, T)>>,
}

impl<T> Default for Together<T> {
    fn default() -> Self {
        Self { begun: AtomicU64::new(0), last: Mutex::new(None) }
    }
}

impl<T: Clone> Together<T> {
    /// What was seen by a look that has begun after this call: our own, or that of somebody who waited with us.
    pub async fn look(&self, look: impl Future<Output = T>) -> T {
        let begun_before = self.begun.load(Ordering::SeqCst);
        let mut last = self.last.lock().await;
        if let Some((number, seen)) = last.as_ref()
            && *number > begun_before
        {
            return seen.clone();
        }
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let seen = look.await;
        *last = Some((number, seen.clone()));
        seen
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    #[tokio::test]
    async fn those_who_wait_share_a_look_that_has_begun_after_they_asked() {
        let (together, looks) = (Together::default(), AtomicU64::new(0));
        let look = || async {
            let number = looks.fetch_add(1, Ordering::SeqCst) + 1;
            tokio::task::yield_now().await;
            number
        };
        // The first looks for itself; the others came while it did, and one of them looks for all.
        let seen = join_all((0..5).map(|_| together.look(look()))).await;
        assert_eq!(seen, [1, 2, 2, 2, 2]);
        assert_eq!(together.look(look()).await, 3, "what was seen before is not told again");
    }
}
