//! Tests that guessing becomes slow, and that it does not lock out other people.

use std::collections::HashMap;

use contracts::{Code, Failure, LoggedIn, Secret};
use directory::Config;
use futures::{StreamExt, future::join_all, stream};

use crate::fixture::{Fixture, PASSWORD, refused};

const WRONG: &str = "a wrong password";
/// The longest pause of an account, in milliseconds.
const FEW_MINUTES: i64 = 3 * 60_000;

/// Makes this many wrong guesses at an account, concurrently, from these network addresses in turn.
/// Returns how often each code was answered.
async fn guess(fixture: &Fixture, email: &str, addresses: &[String], times: usize) -> HashMap<Code, usize> {
    let tries = stream::iter((0..times).map(|n| &addresses[n % addresses.len()]))
        .map(async |address| fixture.log_in_from(address, email, WRONG).await.unwrap_err().code)
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

/// Repeats an attempt, and moves the clock forward by the pauses that the refusals name, until a
/// pause takes at least a minute: longer than a busy machine may delay the test. Returns the number
/// of attempts that were not refused, and the last refusal.
async fn until_paused(fixture: &Fixture, attempt: impl AsyncFn(usize) -> Failure) -> (usize, Failure) {
    let mut tried = 0;
    for n in 0..200 {
        let failure = attempt(n).await;
        match failure.retry_after {
            None => tried += 1,
            Some(60..) => return (tried, failure),
            Some(pause) => fixture.harness.clock.advance(i64::from(pause) * 1_000),
        }
    }
    panic!("there is no long pause after {tried} attempts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_wrong_passwords_cost_nothing_and_the_right_one_begins_anew() {
    let fixture = Fixture::start().await;
    fixture.employ("Ann", "ann@x.org").await;
    for _ in 0..2 {
        for _ in 0..5 {
            refused(fixture.log_in("ann@x.org", WRONG).await, Code::Unauthorized);
        }
        fixture.log_in("ann@x.org", PASSWORD).await.unwrap();
    }
    let guess = async |_| fixture.log_in("ann@x.org", WRONG).await.unwrap_err();
    let (tried, paused) = until_paused(&fixture, guess).await;
    // Six attempts without a pause, and one after each pause of 1, 2, 4, 8, 16 and 32 seconds.
    assert!((6..=12).contains(&tried) && paused.code == Code::TooManyAttempts, "{tried} {paused:?}");
    let pause = seconds(fixture.log_in("ann@x.org", PASSWORD).await);
    assert!(pause > 1, "also for the right one: nobody learns which it is");
    fixture.harness.clock.advance(pause * 1_000);
    fixture.log_in("ann@x.org", PASSWORD).await.unwrap();
    for _ in 0..5 {
        refused(fixture.log_in("ann@x.org", WRONG).await, Code::Unauthorized);
    }
    fixture.log_in("ann@x.org", PASSWORD).await.unwrap();
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_guesses_from_one_address_are_a_few_and_the_owner_gets_in_from_elsewhere() {
    let fixture = Fixture::start().await;
    fixture.employ("Ann", "ann@x.org").await;
    let address = ["192.0.2.1".to_owned()];
    let owner = async {
        for n in 0..10 {
            let outcome = fixture.log_in_from(&format!("198.51.100.{n}"), "ann@x.org", PASSWORD).await;
            outcome.unwrap();
        }
    };
    let (counts, ()) = futures::join!(guess(&fixture, "ann@x.org", &address, 2_000), owner);
    // Six attempts without a pause, and one after each pause that ends during the test.
    let (tried, paused) = (counts[&Code::Unauthorized], counts[&Code::TooManyAttempts]);
    assert!((6..=20).contains(&tried) && tried + paused == 2_000, "{counts:?}");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_guesses_from_two_hundred_addresses_are_few_too_and_the_owner_gets_in() {
    let fixture = Fixture::start().await;
    fixture.employ("Ann", "ann@x.org").await;
    fixture.log_in_from("198.51.100.1", "ann@x.org", PASSWORD).await.unwrap();
    let addresses: Vec<_> = (0..200).map(|n| format!("192.0.2.{n}")).collect();
    let owner = async {
        for _ in 0..10 {
            fixture.log_in_from("198.51.100.1", "ann@x.org", PASSWORD).await.expect("where it was right before");
        }
    };
    let (counts, ()) = futures::join!(guess(&fixture, "ann@x.org", &addresses, 2_000), owner);
    let (tried, paused) = (counts[&Code::Unauthorized], counts[&Code::TooManyAttempts]);
    assert!((1..=60).contains(&tried) && tried + paused == 2_000, "{counts:?}");

    // From a new network address, Ann waits only once, whatever the others do.
    let mut waited = 0;
    while let Err(failure) = fixture.log_in_from("203.0.113.9", "ann@x.org", PASSWORD).await {
        assert_eq!(failure.code, Code::TooManyAttempts);
        let pause = i64::from(failure.retry_after.unwrap()) * 1_000;
        waited += pause;
        // `retry_after` is rounded up to whole seconds.
        assert!(waited <= FEW_MINUTES + 1_000, "{waited} ms");
        fixture.harness.clock.advance(pause);
        guess(&fixture, "ann@x.org", &addresses, 200).await;
    }
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spray_over_many_accounts_pauses_its_address_and_nobody_else() {
    let fixture = Fixture::start().await;
    fixture.employ("Ann", "ann@x.org").await;
    let spray = async |n| fixture.log_in_from("2001:db8::1", &format!("person{n}@x.org"), WRONG).await.unwrap_err();
    let (tried, _) = until_paused(&fixture, spray).await;
    // 51 attempts without a pause, and one after each pause of 1, 2, 4, 8, 16 and 32 seconds.
    assert!((51..=65).contains(&tried), "{tried}");
    // All addresses of an IPv6 network count as one client.
    assert!(seconds(fixture.log_in_from("2001:db8::ffff", "ann@x.org", PASSWORD).await) >= 1);
    fixture.log_in_from("2001:db8:0:1::1", "ann@x.org", PASSWORD).await.unwrap();
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_known_here_cannot_be_told_from_the_pauses() {
    let fixture = Fixture::start().await;
    fixture.employ("Ann", "ann@x.org").await;
    let mut answers = Vec::new();
    for (n, email) in ["ann@x.org", "nobody@x.org", "no address at all"].into_iter().enumerate() {
        let address = format!("192.0.2.{n}");
        let guess = async |_| fixture.log_in_from(&address, email, WRONG).await.unwrap_err();
        let mut replies = Vec::new();
        for nth in 0..6 {
            replies.push(guess(nth).await);
        }
        assert!(replies.iter().all(|failure| failure.code == Code::Unauthorized), "{replies:?}");
        let (_, paused) = until_paused(&fixture, guess).await;
        replies.push(Failure { retry_after: None, ..paused });
        answers.push(replies);
    }
    assert!(answers.windows(2).all(|two| two[0] == two[1]), "{answers:?}");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_share_the_pauses_and_a_restart_does_not_forget_them() {
    let fixture = Fixture::start().await;
    fixture.employ("Ann", "ann@x.org").await;
    let replica = || {
        fixture.harness.spawn(directory::needs(), |deps, shutdown| directory::run(Config::default(), deps, shutdown))
    };
    let second = replica().await;
    // Concurrent guesses, which both replicas answer.
    let codes = join_all((0..60).map(|_| fixture.log_in("ann@x.org", WRONG))).await;
    let tried = codes.iter().filter(|outcome| outcome.as_ref().is_err_and(|f| f.code == Code::Unauthorized)).count();
    assert!((6..=12).contains(&tried), "{tried}");
    until_paused(&fixture, async |_| fixture.log_in("ann@x.org", WRONG).await.unwrap_err()).await;
    second.stop().await;
    let _third = replica().await;
    for _ in 0..10 {
        assert!(seconds(fixture.log_in("ann@x.org", PASSWORD).await) >= 1);
    }
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_no_good_is_not_looked_up_for_ever_and_keeps_nobody_else() {
    let fixture = Fixture::start().await;
    let ann = fixture.create("Ann", "ann@x.org").await.unwrap();
    let bad = Secret::new("no-such-token");
    let (tried, _) = until_paused(&fixture, async |_| fixture.activate(&bad, PASSWORD).await.unwrap_err()).await;
    assert!((6..=12).contains(&tried), "{tried}");
    let token = fixture.token(ann.id, 0).await;
    for _ in 0..10 {
        // A request with a weak password is not a guess of a token.
        refused(fixture.activate(&token, "short").await, Code::WeakPassword);
    }
    fixture.activate(&token, PASSWORD).await.unwrap();
    fixture.harness.finish().await;
}

/// The stored records of attempts contain neither e-mail addresses nor network addresses in clear
/// text.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_of_attempts_names_nobody() {
    let fixture = Fixture::start().await;
    fixture.employ("Ann", "ann@x.org").await;
    refused(fixture.log_in_from("192.0.2.1", "ann@x.org", WRONG).await, Code::Unauthorized);
    let database = fixture.harness.database(contracts::Service::Directory).await;
    let kept = database.collection::<bson::Document>("attempts").find(bson::doc! {}).await.unwrap();
    let kept: Vec<_> = kept.map(|document| document.unwrap().to_string()).collect().await;
    assert!(kept.len() >= 3, "{kept:?}");
    assert!(kept.iter().all(|text| !text.contains("ann") && !text.contains("192.0.2.1")), "{kept:?}");
    fixture.harness.finish().await;
}
