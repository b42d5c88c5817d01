use bson::doc;
use contracts::Action;

use crate::trail::{Trail, audited};

#[tokio::test(flavor = "multi_thread")]
async fn the_first_entry_that_somebody_has_changed_in_the_database_is_named() {
    let (trail, _running) = Trail::start().await;
    assert_eq!(trail.verify(None).await, Ok(None));
    for _ in 0..4 {
        trail.publish(&audited(Action::WindowCorrected)).await;
    }
    trail.entries(4).await;
    let anchor = trail.verify(None).await.unwrap();
    assert_eq!(trail.verify(anchor).await, Ok(anchor));

    let stored = trail.stored().await;
    let third = doc! { "_id": 3_i64 };
    let was = stored.find_one(third.clone()).await.unwrap().unwrap();
    let changed = "entry 3 does not fit";
    for change in [
        doc! { "$set": { "actor": "service:projects" } },
        doc! { "$set": { "subject.id": "x" } },
        doc! { "$set": { "changes": "[]" } },
        doc! { "$inc": { "at": 1 } },
        doc! { "$unset": { "requestId": 1 } },
        doc! { "$set": { "remark": "one more field" } },
        doc! { "$set": { "subject.remark": "one more field inside" } },
        doc! { "$set": { "at": bson::DateTime::from_millis(1_760_000_000_000) } },
        doc! { "$set": { "hash": "0".repeat(64) } },
        doc! { "$set": { "hash": 7 } },
    ] {
        stored.update_one(third.clone(), change.clone()).await.unwrap();
        let said = trail.verify(None).await.unwrap_err();
        assert!(said.starts_with(changed), "{change}: {said}");
        stored.replace_one(third.clone(), &was).await.unwrap();
        assert_eq!(trail.verify(anchor).await, Ok(anchor), "as it was: {change}");
    }
    stored.delete_one(third).await.unwrap();
    assert!(trail.verify(None).await.unwrap_err().starts_with("entry 3 is missing"));
    stored.delete_one(doc! { "_id": 4_i64 }).await.unwrap();
    assert!(trail.verify(None).await.is_ok(), "an end that is cut off shows by an anchor alone");
    assert!(trail.verify(anchor).await.unwrap_err().contains("cut off"));
}
