use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

/// A cache of the last answer, for values that are requested very often and may be a moment old.
#[derive(Debug)]
pub struct RecentAnswer<K, V> {
    lasts: Duration,
    last: Mutex<Option<Last<K, V>>>,
}

#[derive(Debug)]
struct Last<K, V> {
    question: K,
    asked: Instant,
    answer: Arc<V>,
}

impl<K: PartialEq, V> RecentAnswer<K, V> {
    /// A cache that keeps an answer for the time `lasts`.
    pub fn new(lasts: Duration) -> Self {
        Self { lasts, last: Mutex::new(None) }
    }

    /// The cached answer, if it belongs to this question and is not too old; otherwise a newly
    /// computed one. Callers that come during the computation wait for its result.
    ///
    /// # Errors
    /// Those of the computation. An error is not cached.
    pub async fn get<E>(&self, question: K, compute: impl Future<Output = Result<V, E>>) -> Result<Arc<V>, E> {
        let mut last = self.last.lock().await;
        if let Some(last) = last.as_ref().filter(|last| last.question == question && last.asked.elapsed() < self.lasts)
        {
            return Ok(last.answer.clone());
        }
        let asked = Instant::now();
        let answer = Arc::new(compute.await?);
        *last = Some(Last { question, asked, answer: answer.clone() });
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    async fn ask(recent: &RecentAnswer<u32, u32>, question: u32, computed: &AtomicU32) -> u32 {
        let compute = async {
            computed.fetch_add(1, Ordering::SeqCst);
            Ok::<_, ()>(question * 10)
        };
        *recent.get(question, compute).await.unwrap()
    }

    #[tokio::test]
    async fn an_answer_is_computed_once_for_all_who_ask_the_same_at_once() {
        let (recent, computed) = (RecentAnswer::new(Duration::from_secs(3_600)), AtomicU32::new(0));
        let answers = futures::future::join_all((0..5).map(|_| ask(&recent, 7, &computed))).await;
        assert_eq!((answers, computed.load(Ordering::SeqCst)), (vec![70; 5], 1));
        assert_eq!((ask(&recent, 8, &computed).await, computed.load(Ordering::SeqCst)), (80, 2));
    }

    #[tokio::test]
    async fn an_answer_that_is_too_old_is_computed_again_and_a_failure_is_not_kept() {
        let (recent, computed) = (RecentAnswer::new(Duration::ZERO), AtomicU32::new(0));
        ask(&recent, 7, &computed).await;
        ask(&recent, 7, &computed).await;
        assert_eq!(computed.load(Ordering::SeqCst), 2);

        let recent = RecentAnswer::new(Duration::from_secs(3_600));
        assert_eq!(recent.get(7, async { Err::<u32, _>("away") }).await.unwrap_err(), "away");
        assert_eq!(ask(&recent, 7, &computed).await, 70);
    }
}
