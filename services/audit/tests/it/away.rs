//! Tests of the trail while NATS or MongoDB cannot be reached.

use std::time::Duration;

use contracts::Action;
use testkit::{Harness, eventually_within, start_mongo};

use crate::trail::{Trail, audited, ids};

/// A time limit that is longer than a service needs to reconnect on a slow machine.
const RECONNECT_PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn while_mongodb_is_away_entries_wait_and_are_on_the_chain_once_it_is_back() {
    let folder = testkit::folder();
    let mut mongo = start_mongo(folder.path()).await;
    let trail = Trail { harness: Harness::start_on(&mongo.connection_string()).await };
    let _running = trail.start_service().await;
    let mut all = vec![audited(Action::ProjectCreated)];
    trail.publish(&all[0]).await;
    trail.entries(1).await;

    mongo.kill().await;
    for _ in 0..20 {
        all.push(audited(Action::TaskCreated));
        trail.publish(all.last().unwrap()).await;
    }
    mongo.start_again().await.unwrap();
    let entries = eventually_within(RECONNECT_PATIENCE, "all are on the chain", async || {
        let page = trail.harness.ask(&contracts::ListAuditEntries::default()).await.ok()?;
        (page.items.len() >= all.len()).then_some(page.items)
    })
    .await;
    assert_eq!(entries.len(), all.len(), "each once");
    assert!(all.iter().all(|entry| ids(&entries).contains(&entry.id)));
    assert!(trail.verify(None).await.is_ok());
    trail.harness.finish().await;
    mongo.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_of_nats_the_trail_goes_on() {
    let (mut trail, _running) = Trail::start().await;
    let before = audited(Action::ProjectCreated);
    trail.publish(&before).await;
    trail.entries(1).await;
    trail.harness.nats.kill().await;
    trail.harness.nats.start_again().await.unwrap();
    let after = audited(Action::ProjectDeleted);
    let entries = eventually_within(RECONNECT_PATIENCE, "the trail goes on", async || {
        // A publish fails while NATS starts. Publishing is repeated until the stream has
        // acknowledged the entry; the event id is always the same, so the trail gets one entry.
        trail.try_publish(&after).await.ok()?;
        let page = trail.harness.ask(&contracts::ListAuditEntries::default()).await.ok()?;
        (page.items.len() >= 2).then_some(page.items)
    })
    .await;
    assert_eq!(ids(&entries), [after.id, before.id]);
    trail.harness.finish().await;
}
