//! A real mongod that is told to answer as one whose secondaries lag.

use contracts::HOUR;
use testkit::{LaggingMongo, World};

use crate::fixture::*;

#[tokio::test(flavor = "multi_thread")]
async fn while_secondaries_lag_no_window_counts_twice_and_none_is_forgotten() {
    let lagging = LaggingMongo::start().await;
    let world = World::start_on(&lagging.connection_string()).await;
    let _analytics = spawn(&world).await;
    world.publish(&recorded(&[window(1, MIDNIGHT, MIDNIGHT + HOUR)])).await;
    assert_eq!(times(&world, &week()).await, [(project(1), HOUR)]);

    // What is known already, and something new: a taken key and a write-concern error in one reply.
    lagging.lag(&world, "update", 3).await;
    let known = window(1, MIDNIGHT, MIDNIGHT + HOUR);
    world.publish_twice(&recorded(&[known, window(2, MIDNIGHT + 2 * HOUR, MIDNIGHT + 4 * HOUR)])).await;
    let told = testkit::eventually("an answer", async || world.ask(&week()).await.ok()).await;
    assert_eq!(told.iter().map(|sum| (sum.id, sum.time)).collect::<Vec<_>>(), [(project(1), 3 * HOUR)]);
    world.finish().await;
}
