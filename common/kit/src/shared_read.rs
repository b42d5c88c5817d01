use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

/// Shares reads of a changing value among concurrent callers. Each caller gets a read that began
/// after its call. Callers that wait for a running read share the next read.
#[derive(Debug)]
pub struct SharedRead<T> {
    /// The number of reads that have begun.
    begun: AtomicU64,
    /// The number and the result of the last read that has ended.
    last: Mutex<Option<(u64, T)>>,
}

impl<T> Default for SharedRead<T> {
    fn default() -> Self {
        Self { begun: AtomicU64::new(0), last: Mutex::new(None) }
    }
}

impl<T: Clone> SharedRead<T> {
    /// The result of a read that began after this call. This is `read` itself, or the read of
    /// another caller that waited too.
    pub async fn read(&self, read: impl Future<Output = T>) -> T {
        let begun_before = self.begun.load(Ordering::SeqCst);
        let mut last = self.last.lock().await;
        if let Some((number, seen)) = last.as_ref()
            && *number > begun_before
        {
            return seen.clone();
        }
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let seen = read.await;
        *last = Some((number, seen.clone()));
        seen
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    #[tokio::test]
    async fn those_who_wait_share_a_read_that_has_begun_after_they_asked() {
        let (shared, looks) = (SharedRead::default(), AtomicU64::new(0));
        let read = || async {
            let number = looks.fetch_add(1, Ordering::SeqCst) + 1;
            tokio::task::yield_now().await;
            number
        };
        // The first caller reads for itself. The others call during that read, and one of them
        // reads for all four.
        let seen = join_all((0..5).map(|_| shared.read(read()))).await;
        assert_eq!(seen, [1, 2, 2, 2, 2]);
        assert_eq!(shared.read(read()).await, 3, "what was seen before is not told again");
    }
}
