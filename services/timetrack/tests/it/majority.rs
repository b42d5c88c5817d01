//! Tests with a real mongod that replies as if its secondaries lagged.

use contracts::{IngestItem, Outcome, content_hash};
use testkit::LaggingMongo;

use crate::support::{Fixture, window_of};

/// A window with the same id that ends one millisecond earlier.
fn other(item: &IngestItem) -> IngestItem {
    let mut other = item.clone();
    other.window.end = other.window.end - 1;
    other.hash = content_hash(&other.window);
    other
}

#[tokio::test(flavor = "multi_thread")]
async fn while_secondaries_lag_nothing_counts_as_stored_and_no_retry_is_a_conflict() {
    let mongo = LaggingMongo::start().await;
    let fixture = Fixture::with_ann_on(&mongo.connection_string()).await;
    let first = fixture.window(0);
    fixture.send(vec![first.clone()]).await;

    // The batch has a duplicate, a conflict and two new windows. MongoDB executes the first two
    // insert commands, and answers that no majority has confirmed them.
    mongo.lag(&fixture.harness, "insert", 2).await;
    let outcomes = fixture.send(vec![first.clone(), other(&first), fixture.window(1), fixture.window(2)]).await;
    // The first attempt wrote both new windows, but without confirmation by a majority. So the
    // message was redelivered, and the next attempt found them as duplicates.
    assert!(
        matches!(
            &outcomes[..],
            [Outcome::Duplicate(_), Outcome::Conflict, Outcome::Duplicate(_), Outcome::Duplicate(_)]
        ),
        "{outcomes:?}"
    );
    assert_eq!(window_of(&outcomes[2]).id, fixture.window(1).id);
    assert_eq!(fixture.stored().await.len(), 3, "each once");
    fixture.harness.finish().await;
}
