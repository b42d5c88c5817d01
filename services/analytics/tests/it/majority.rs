//! Tests with a real mongod that replies as if its secondaries lagged.

use contracts::HOUR;
use testkit::{Harness, LaggingMongo};

use crate::fixture::*;

#[tokio::test(flavor = "multi_thread")]
async fn while_secondaries_lag_no_window_counts_twice_and_none_is_forgotten() {
    let lagging = LaggingMongo::start().await;
    let harness = Harness::start_on(&lagging.connection_string()).await;
    let _analytics = spawn(&harness).await;
    harness.publish(&recorded(&[window(1, MIDNIGHT, MIDNIGHT + HOUR)])).await;
    assert_eq!(times(&harness, &week()).await, [(project(1), HOUR)]);

    // MongoDB executes the next three updates, but replies that a majority has not confirmed them.
    // So the event is counted again, with facts that are stored already.
    lagging.lag(&harness, "update", 3).await;
    let known = window(1, MIDNIGHT, MIDNIGHT + HOUR);
    harness.publish_twice(&recorded(&[known, window(2, MIDNIGHT + 2 * HOUR, MIDNIGHT + 4 * HOUR)])).await;
    let told = testkit::eventually("an answer", async || harness.ask(&week()).await.ok()).await;
    assert_eq!(told.iter().map(|sum| (sum.id, sum.time)).collect::<Vec<_>>(), [(project(1), 3 * HOUR)]);
    harness.finish().await;
}
