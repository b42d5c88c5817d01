//! A test of [`Lease`]: answers of a leader of EVENTS that is cut off from the other NATS servers
//! do not count.

use std::time::Duration;

use contracts::stream;
use kit::Lease;
use testkit::{NatsCluster, eventually_within};
use tokio::time::timeout;

const BOUND: Duration = Duration::from_secs(30);
/// How long to wait for an answer: much longer than an answer takes.
const ANSWER: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn the_word_of_a_leader_whom_nobody_hears_does_not_count() {
    let cluster = NatsCluster::start().await;
    let lease = Lease::default();
    let certain = async || timeout(ANSWER, lease.until(cluster.jetstream())).await.ok()?.ok();
    eventually_within(BOUND, "it counts", certain).await;

    cluster.silence_the_others();
    eventually_within(BOUND, "it answers, and does not count", async || {
        (certain().await.is_none() && cluster.jetstream().get_stream(stream::EVENTS).await.is_ok()).then_some(())
    })
    .await;

    cluster.wake_the_others();
    eventually_within(BOUND, "it counts again", certain).await;
}
