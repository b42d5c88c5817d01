use argon2::{Argon2, PasswordHasher};
use bson::{Document, doc};
use contracts::{Code, DeactivateEmployee, Service};
use futures::future::join_all;

use crate::fixture::{Fixture, PASSWORD, refused};

#[tokio::test(flavor = "multi_thread")]
async fn every_failed_login_gets_the_same_answer() {
    let fixture = Fixture::start().await;
    fixture.employ("Ann", "ann@x.org").await;
    fixture.create("Bob", "bob@x.org").await.unwrap();
    let cid = fixture.employ("Cid", "cid@x.org").await;
    fixture.harness.ask(&DeactivateEmployee { id: cid.id }).await.unwrap();

    assert!(fixture.log_in(" Ann@X.org ", PASSWORD).await.is_ok());
    let long = "x".repeat(1_000);
    let wrong = [
        ("ann@x.org", "a wrong password"),
        ("ann@x.org", ""),
        ("ann@x.org", long.as_str()),
        ("bob@x.org", PASSWORD),
        ("cid@x.org", PASSWORD),
        ("nobody@x.org", PASSWORD),
        ("no address at all", PASSWORD),
    ];
    let mut answers = Vec::new();
    for (email, password) in wrong {
        answers.push(refused(fixture.log_in(email, password).await, Code::Unauthorized));
    }
    assert!(answers.windows(2).all(|two| two[0] == two[1]), "{answers:?}");
    fixture.harness.finish().await;
}

/// 100 concurrent log-ins overflow the queue of the hasher. This shows that each password is
/// hashed: an unknown address costs as much as a wrong password.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_logins_is_hashed_whoever_it_asks_for() {
    let fixture = Fixture::start().await;
    fixture.employ("Ann", "ann@x.org").await;
    let addresses: Vec<_> = (0..100).map(|n| format!("10.0.0.{n}")).collect();
    for email in ["ann", "nobody"] {
        let tries = addresses.iter().enumerate().map(async |(n, address)| {
            let email = if email == "ann" && n < 15 { "ann@x.org".to_owned() } else { format!("{email}{n}@x.org") };
            fixture.log_in_from(address, &email, "a wrong password").await.unwrap_err().code
        });
        let codes = join_all(tries).await;
        let count = |code| codes.iter().filter(|known| **known == code).count();
        assert_eq!(count(Code::Unauthorized) + count(Code::Unavailable), 100, "{email}: {codes:?}");
        assert!(count(Code::Unauthorized) >= 64 && count(Code::Unavailable) >= 1, "{email}: {codes:?}");
    }
    assert!(fixture.log_in("ann@x.org", PASSWORD).await.is_ok(), "after the storm it works again");
    fixture.harness.finish().await;
}

/// If passwords of this length were hashed, 100 concurrent attempts would overflow the queue of the
/// hasher.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_too_long_is_never_hashed() {
    let fixture = Fixture::start().await;
    let (fixture, long) = (&fixture, "x".repeat(129));
    let tries =
        (0..100).map(async |n| fixture.log_in_from(&format!("10.0.0.{n}"), &format!("nobody{n}@x.org"), &long).await);
    for outcome in join_all(tries).await {
        refused(outcome, Code::Unauthorized);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_was_hashed_as_it_came_still_fits_and_is_then_hashed_as_today() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    let (composed, decomposed) = ("l'\u{e9}t\u{e9} dernier", "l'e\u{301}te\u{301} dernier");
    let before = Argon2::default().hash_password(decomposed.as_bytes()).unwrap().to_string();
    let stored = fixture.harness.database(Service::Directory).await.collection::<Document>("credentials");
    let of_ann = doc! { "_id": kit::mongo::value(&ann.id) };
    stored.update_one(of_ann.clone(), doc! { "$set": { "password": &before } }).await.unwrap();
    let hash = async || {
        let credentials = stored.find_one(of_ann.clone()).await.unwrap().unwrap();
        credentials.get_str("password").unwrap().to_owned()
    };
    refused(fixture.log_in("ann@x.org", "l'ete dernier").await, Code::Unauthorized);
    assert_eq!(hash().await, before);
    fixture.log_in("ann@x.org", composed).await.unwrap();
    let after = hash().await;
    assert_ne!(after, before);
    for password in [composed, decomposed] {
        fixture.log_in("ann@x.org", password).await.unwrap();
    }
    assert_eq!(hash().await, after, "once");
    fixture.harness.finish().await;
}
