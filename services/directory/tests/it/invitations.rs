use bson::{Document, doc};
use contracts::{
    Caller, Code, DeactivateEmployee, Email, EmployeeChanges, GetInvitation, HOUR, Invitation, InvitationRequested,
    MintToken, ReactivateEmployee, Secret, Service, UpdateEmployee,
};
use futures::future::join_all;

use crate::fixture::{Fixture, PASSWORD, refused};

async fn look(fixture: &Fixture, token: &Secret) -> Invitation {
    fixture.harness.bus().ask(Caller::Anonymous, &GetInvitation { token: token.clone() }).await.unwrap()
}

async fn move_to(fixture: &Fixture, employee: &contracts::Employee, email: &str) {
    let changes = EmployeeChanges { email: Some(Email::parse(email).unwrap()), ..Default::default() };
    fixture.harness.ask(&UpdateEmployee { id: employee.id, changes, only_check: false }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_activates_the_account_once() {
    let fixture = Fixture::start().await;
    let ann = fixture.create("Ann", "ann@x.org").await.unwrap();
    let token = fixture.token(ann.id, 0).await;
    for _ in 0..2 {
        let open = Invitation::Open { name: ann.name.clone(), email: ann.email.clone() };
        assert_eq!(look(&fixture, &token).await, open, "looking uses nothing up");
    }
    let active = fixture.activate(&token, PASSWORD).await.unwrap();
    assert_eq!(active, contracts::Employee { is_active: true, invitation: None, ..ann.clone() });
    refused(fixture.activate(&token, "another long password").await, Code::InvalidToken);
    assert_eq!(look(&fixture, &token).await, Invitation::Used);
    assert_eq!(fixture.log_in("ANN@x.org", PASSWORD).await.unwrap().employee_id, ann.id);
    refused(fixture.invite(ann.id).await, Code::AlreadyActive);
    assert_eq!(fixture.mint(fixture.invitation(ann.id, 0).await).await, None, "an active account needs no token");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_activations_at_once_one_wins_and_its_password_counts() {
    let fixture = Fixture::start().await;
    let ann = fixture.create("Ann", "ann@x.org").await.unwrap();
    let token = fixture.token(ann.id, 0).await;
    let passwords: Vec<_> = (0..6).map(|n| format!("a long password {n}")).collect();
    let outcomes = join_all(passwords.iter().map(|password| fixture.activate(&token, password))).await;
    let winners: Vec<_> = (0..6).filter(|n| outcomes[*n].is_ok()).collect();
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    for outcome in outcomes.into_iter().filter(Result::is_err) {
        refused(outcome, Code::InvalidToken);
    }
    for (n, password) in passwords.iter().enumerate() {
        assert_eq!(fixture.log_in("ann@x.org", password).await.is_ok(), winners.contains(&n));
    }
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weak_password_is_explained_and_uses_nothing_up() {
    let fixture = Fixture::start().await;
    let ann = fixture.create("Ann", "ann@x.org").await.unwrap();
    let token = fixture.token(ann.id, 0).await;
    for weak in ["eleven char".to_owned(), "x".repeat(129)] {
        let failure = refused(fixture.activate(&token, &weak).await, Code::WeakPassword);
        assert_eq!(failure.errors[0].field, "password");
        assert!(!failure.detail.contains(&weak));
    }
    refused(fixture.activate(&Secret::new("no such token"), PASSWORD).await, Code::InvalidToken);
    let guessed = refused(fixture.activate(&token, "ann@x.org 2026").await, Code::WeakPassword);
    assert!(guessed.detail.contains("harder to guess"), "{guessed:?}");
    let longest = "three or four words ".repeat(7)[..128].to_owned();
    assert!(fixture.activate(&token, &longest).await.is_ok());
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_over_after_72_hours_and_a_fresh_invitation_helps() {
    let fixture = Fixture::start().await;
    let ann = fixture.create("Ann", "ann@x.org").await.unwrap();
    let token = fixture.token(ann.id, 0).await;
    fixture.harness.clock.advance(72 * HOUR);
    assert_eq!(look(&fixture, &token).await, Invitation::Expired);
    refused(fixture.activate(&token, PASSWORD).await, Code::InvalidToken);
    assert_eq!(look(&fixture, &Secret::new("no such token")).await, Invitation::Unknown);

    let invited = fixture.invite(ann.id).await.unwrap().invited;
    assert!(invited - ann.invited >= 72 * HOUR);
    let fresh = fixture.token(ann.id, 1).await;
    assert!(fixture.activate(&fresh, PASSWORD).await.is_ok());
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_invitation_kills_the_older_link() {
    let fixture = Fixture::start().await;
    let ann = fixture.create("Ann", "ann@x.org").await.unwrap();
    let old = fixture.token(ann.id, 0).await;
    fixture.invite(ann.id).await.unwrap();
    assert_eq!(fixture.mint(fixture.invitation(ann.id, 0).await).await, None, "a mail that was late is not sent");
    refused(fixture.activate(&old, PASSWORD).await, Code::InvalidToken);
    assert_eq!(look(&fixture, &old).await, Invitation::Expired);
    let fresh = fixture.token(ann.id, 1).await;
    assert!(fixture.activate(&fresh, PASSWORD).await.is_ok());
    assert_eq!(look(&fixture, &old).await, Invitation::Used, "the way on is to log in");
    refused(fixture.invite(kit::new_id()).await, Code::NotFound);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_token_of_a_mail_that_was_sent_again_works() {
    let fixture = Fixture::start().await;
    let ann = fixture.create("Ann", "ann@x.org").await.unwrap();
    let (first, second) = (fixture.token(ann.id, 0).await, fixture.token(ann.id, 0).await);
    assert_ne!(first, second);
    for token in [&first, &second] {
        assert!(matches!(look(&fixture, token).await, Invitation::Open { .. }));
    }
    assert!(fixture.activate(&first, PASSWORD).await.is_ok());
    assert_eq!(look(&fixture, &second).await, Invitation::Used);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_changes_hands_does_not_carry_the_old_link_over() {
    let fixture = Fixture::start().await;
    let ann = fixture.create("Ann", "shared@x.org").await.unwrap();
    let anns = fixture.token(ann.id, 0).await;
    move_to(&fixture, &ann, "ann@x.org").await;
    let bob = fixture.create("Bob", "shared@x.org").await.unwrap();
    refused(fixture.activate(&anns, PASSWORD).await, Code::InvalidToken);

    // The new invitation goes to the new address.
    let minted = fixture.mint(fixture.invitation(ann.id, 1).await).await.unwrap();
    assert_eq!(minted.email.as_str(), "ann@x.org");
    let bobs = fixture.token(bob.id, 0).await;
    assert_eq!(fixture.activate(&bobs, PASSWORD).await.unwrap().id, bob.id);
    assert_eq!(fixture.activate(&minted.token, "another long password").await.unwrap().id, ann.id);
    assert_eq!(fixture.log_in("shared@x.org", PASSWORD).await.unwrap().employee_id, bob.id);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_active_keeps_the_password_when_the_address_changes() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    move_to(&fixture, &ann, "ann@y.org").await;
    assert_eq!(fixture.log_in("ann@y.org", PASSWORD).await.unwrap().employee_id, ann.id);
    refused(fixture.log_in("ann@x.org", PASSWORD).await, Code::Unauthorized);
    assert_eq!(fixture.events::<InvitationRequested>(1).await.len(), 1, "nobody is invited again");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivation_kills_the_open_invitation_for_good() {
    let fixture = Fixture::start().await;
    let ann = fixture.create("Ann", "ann@x.org").await.unwrap();
    let token = fixture.token(ann.id, 0).await;
    fixture.harness.ask(&DeactivateEmployee { id: ann.id }).await.unwrap();
    refused(fixture.activate(&token, PASSWORD).await, Code::InvalidToken);
    let refusal = refused(fixture.invite(ann.id).await, Code::EmployeeDeactivated);
    assert!(refusal.detail.contains("reactivate first"));
    assert!(!fixture.harness.ask(&ReactivateEmployee { id: ann.id }).await.unwrap().is_active);
    refused(fixture.activate(&token, PASSWORD).await, Code::InvalidToken);
    fixture.invite(ann.id).await.unwrap();
    let fresh = fixture.token(ann.id, 1).await;
    assert!(fixture.activate(&fresh, PASSWORD).await.unwrap().is_active);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_minted_for_the_mailer_alone_and_stored_as_a_hash() {
    let fixture = Fixture::start().await;
    let ann = fixture.create("Ann", "ann@x.org").await.unwrap();
    let invitation = fixture.invitation(ann.id, 0).await;
    let request = MintToken { invitation_id: invitation.invitation_id, employee_id: ann.id };
    for caller in [Caller::Anonymous, Caller::Admin, Caller::Employee(ann.id)] {
        refused(fixture.harness.bus().ask(caller, &request).await, Code::Forbidden);
    }
    let of_another = MintToken { employee_id: kit::new_id(), ..request };
    assert_eq!(fixture.harness.bus().ask(Caller::Service, &of_another).await, Ok(None));

    let minted = fixture.mint(invitation).await.unwrap();
    assert_eq!(minted.token.expose().len(), 43);
    fixture.activate(&minted.token, PASSWORD).await.unwrap();
    let database = fixture.harness.database(Service::Directory).await;
    for name in ["employees", "invitations", "credentials"] {
        let stored = database.collection::<Document>(name).find_one(doc! {}).await.unwrap().unwrap().to_string();
        assert!(!stored.contains(minted.token.expose()) && !stored.contains(PASSWORD), "{name} holds a secret");
        assert_eq!(stored.contains("argon2id"), name == "credentials", "{name}");
    }
    fixture.harness.finish().await;
}
