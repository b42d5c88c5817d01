//! Runs a few rounds of each race, with the programs of this build.

use std::time::Duration;

use chaos::races::{self, RaceOptions};

/// How long all races together may take.
const BOUND: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread")]
async fn a_few_rounds_of_each_race_break_no_rule() {
    let options = RaceOptions { rounds: 4, only: vec![], seed: 1, lanes: 4, mutant: None };
    let tallies = tokio::time::timeout(BOUND, races::run(&options)).await.unwrap().unwrap();
    assert_eq!(tallies.len(), 12);
    for tally in tallies {
        println!("{tally}");
        assert!(tally.holds(), "{tally}");
        assert_eq!(tally.rounds + tally.unset.len(), options.rounds, "{tally}");
    }
}
