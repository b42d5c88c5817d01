//! Runs the campaigns themselves, with the programs of this build.

mod races;

use std::time::Duration;

use chaos::{Campaign, Options};

// The campaigns run one after the other, because each one starts a system and puts it under load.
#[tokio::test(flavor = "multi_thread")]
async fn services_that_are_replaced_and_scaled_under_load_lose_and_double_nothing() {
    let options = Options { singles: 6, batches: 1, pause: Duration::from_millis(500) };
    for campaign in [Campaign::Rolling, Campaign::Scale] {
        let report = chaos::run(campaign, &options).await.unwrap();
        println!("{report}");
        assert_eq!(report.faults, Vec::<String>::new(), "{campaign:?}");
        assert!(report.stored > 100, "{campaign:?}: {report}");
    }
}
