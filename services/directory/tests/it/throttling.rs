//! Guesses are slow, and do not keep others out.

use std::collections::HashMap;

use contracts::{Code, Failure, LoggedIn, Secret};
use directory::Config;
use futures::{StreamExt, future::join_all, stream};

use crate::office::{Office, PASSWORD, refused};

const WRONG: &str = "a wrong password";
/// The pauses that a few hundred guesses leave behind are shorter.
const FEW_MINUTES: i64 = 3 * 60_000;

/// So many wrong guesses at an account, from these addresses in turn, many at a time; how often each
/// answer came.
async fn guess(office: &Office, email: &str, addresses: &[String], times: usize) -> HashMap<Code, usize> {
    let tries = stream::iter((0..times).map(|n| &addresses[n % addresses.len()]))
        .map(async |address| office.log_in_from(address, email, WRONG).await.unwrap_err().code)
        .buffer_unordered(100);
    tries
        .fold(HashMap::new(), async |mut counts, code| {
            *counts.entry(code).or_default() += 1;
            counts
        })
        .await
}

fn seconds(outcome: Result<LoggedIn, Failure>) -> i64 {
    refused(outcome, Code::TooManyAttempts).retry_after.expect("in how many seconds to come again").into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_wrong_passwords_cost_nothing_and_the_right_one_begins_anew() {
    let office = Office::open().await;
    office.employ("Ann", "ann@x.org").await;
    for _ in 0..2 {
        for _ in 0..5 {
            refused(office.log_in("ann@x.org", WRONG).await, Code::Unauthorized);
        }
        office.log_in("ann@x.org", PASSWORD).await.unwrap();
    }
    for _ in 0..6 {
        refused(office.log_in("ann@x.org", WRONG).await, Code::Unauthorized);
    }
    let pause = seconds(office.log_in("ann@x.org", PASSWORD).await);
    assert_eq!(pause, 1, "also for the right one: nobody learns which it is");
    office.world.clock.advance(pause * 1_000);
    refused(office.log_in("ann@x.org", WRONG).await, Code::Unauthorized);
    let pause = seconds(office.log_in("ann@x.org", WRONG).await);
    assert_eq!(pause, 2);
    office.world.clock.advance(pause * 1_000);
    office.log_in("ann@x.org", PASSWORD).await.unwrap();
    office.log_in("ann@x.org", PASSWORD).await.unwrap();
    office.world.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_guesses_from_one_address_are_a_few_and_the_owner_gets_in_from_elsewhere() {
    let office = Office::open().await;
    office.employ("Ann", "ann@x.org").await;
    let address = ["192.0.2.1".to_owned()];
    let owner = async {
        for n in 0..10 {
            let outcome = office.log_in_from(&format!("198.51.100.{n}"), "ann@x.org", PASSWORD).await;
            outcome.unwrap();
        }
    };
    let (counts, ()) = futures::join!(guess(&office, "ann@x.org", &address, 2_000), owner);
    // Six at once, and one after each pause that passes meanwhile.
    let (tried, paused) = (counts[&Code::Unauthorized], counts[&Code::TooManyAttempts]);
    assert!((6..=20).contains(&tried) && tried + paused == 2_000, "{counts:?}");
    assert!(seconds(office.log_in_from("192.0.2.1", "ann@x.org", PASSWORD).await) >= 1);
    office.world.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_guesses_from_two_hundred_addresses_are_few_too_and_the_owner_gets_in() {
    let office = Office::open().await;
    office.employ("Ann", "ann@x.org").await;
    office.log_in_from("198.51.100.1", "ann@x.org", PASSWORD).await.unwrap();
    let addresses: Vec<_> = (0..200).map(|n| format!("192.0.2.{n}")).collect();
    let owner = async {
        for _ in 0..10 {
            office.log_in_from("198.51.100.1", "ann@x.org", PASSWORD).await.expect("where it was right before");
        }
    };
    let (counts, ()) = futures::join!(guess(&office, "ann@x.org", &addresses, 2_000), owner);
    let (tried, paused) = (counts[&Code::Unauthorized], counts[&Code::TooManyAttempts]);
    assert!((1..=60).contains(&tried) && tried + paused == 2_000, "{counts:?}");

    // From where she never was she waits once, whatever the others do.
    let mut waited = 0;
    while let Err(failure) = office.log_in_from("203.0.113.9", "ann@x.org", PASSWORD).await {
        assert_eq!(failure.code, Code::TooManyAttempts);
        let pause = i64::from(failure.retry_after.unwrap()) * 1_000;
        waited += pause;
        assert!(waited <= FEW_MINUTES, "{waited} ms");
        office.world.clock.advance(pause);
        guess(&office, "ann@x.org", &addresses, 200).await;
    }
    office.world.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spray_over_many_accounts_pauses_its_address_and_nobody_else() {
    let office = Office::open().await;
    office.employ("Ann", "ann@x.org").await;
    let office = &office;
    let spray = stream::iter(0..200)
        .map(async |n| office.log_in_from("2001:db8::1", &format!("person{n}@x.org"), WRONG).await.unwrap_err().code)
        .buffer_unordered(8);
    let codes: Vec<_> = spray.collect().await;
    let tried = codes.iter().filter(|code| **code == Code::Unauthorized).count();
    assert!((51..=70).contains(&tried), "{tried}");
    // One client has all addresses of its network.
    assert!(seconds(office.log_in_from("2001:db8::ffff", "ann@x.org", PASSWORD).await) >= 1);
    office.log_in_from("2001:db8:0:1::1", "ann@x.org", PASSWORD).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_known_here_cannot_be_told_from_the_pauses() {
    let office = Office::open().await;
    office.employ("Ann", "ann@x.org").await;
    let mut answers = Vec::new();
    for (n, email) in ["ann@x.org", "nobody@x.org", "no address at all"].into_iter().enumerate() {
        let mut codes = Vec::new();
        for _ in 0..8 {
            let failure = office.log_in_from(&format!("192.0.2.{n}"), email, WRONG).await.unwrap_err();
            codes.push((failure.code, failure.detail));
        }
        answers.push(codes);
    }
    assert!(answers.windows(2).all(|two| two[0] == two[1]), "{answers:?}");
    assert_eq!(answers[0][5].0, Code::Unauthorized);
    assert_eq!(answers[0][6].0, Code::TooManyAttempts);
    office.world.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_share_the_pauses_and_a_restart_does_not_forget_them() {
    let office = Office::open().await;
    office.employ("Ann", "ann@x.org").await;
    let replica =
        || office.world.spawn(directory::needs(), |deps, shutdown| directory::run(Config::default(), deps, shutdown));
    let second = replica().await;
    // Guessed at once, and answered by both.
    let codes = join_all((0..60).map(|_| office.log_in("ann@x.org", WRONG))).await;
    let tried = codes.iter().filter(|outcome| outcome.as_ref().is_err_and(|f| f.code == Code::Unauthorized)).count();
    assert!((6..=9).contains(&tried), "{tried}");
    office.world.clock.advance(3_600_000);
    for _ in 0..3 {
        refused(office.log_in("ann@x.org", WRONG).await, Code::Unauthorized);
        office.world.clock.advance(0);
        let pause = seconds(office.log_in("ann@x.org", WRONG).await);
        office.world.clock.advance(pause * 1_000);
    }
    refused(office.log_in("ann@x.org", WRONG).await, Code::Unauthorized);
    second.stop().await;
    let _third = replica().await;
    for _ in 0..10 {
        assert!(seconds(office.log_in("ann@x.org", PASSWORD).await) >= 1);
    }
    office.world.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_no_good_is_not_looked_up_for_ever_and_keeps_nobody_else() {
    let office = Office::open().await;
    let ann = office.create("Ann", "ann@x.org").await.unwrap();
    let bad = Secret::new("no-such-token");
    for _ in 0..6 {
        refused(office.activate(&bad, PASSWORD).await, Code::InvalidToken);
    }
    assert!(refused(office.activate(&bad, PASSWORD).await, Code::TooManyAttempts).retry_after.is_some());
    let token = office.token(ann.id, 0).await;
    for _ in 0..10 {
        // A weak password is no guess at a token.
        refused(office.activate(&token, "short").await, Code::WeakPassword);
    }
    office.activate(&token, PASSWORD).await.unwrap();
    office.world.finish().await;
}

/// Nothing that can be read is kept of who was tried, and from where.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_of_attempts_names_nobody() {
    let office = Office::open().await;
    office.employ("Ann", "ann@x.org").await;
    refused(office.log_in_from("192.0.2.1", "ann@x.org", WRONG).await, Code::Unauthorized);
    let database = office.world.database(contracts::Service::Directory).await;
    let kept = database.collection::<bson::Document>("attempts").find(bson::doc! {}).await.unwrap();
    let kept: Vec<_> = kept.map(|document| document.unwrap().to_string()).collect().await;
    assert_eq!(kept.len(), 3);
    assert!(kept.iter().all(|text| !text.contains("ann") && !text.contains("192.0.2.1")), "{kept:?}");
    office.world.finish().await;
}
