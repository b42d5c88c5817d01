//! Tests of one e-mail address in several spellings.

use bson::doc;
use contracts::{Code, DeactivateEmployee, Employee, Service};

use crate::fixture::{Fixture, PASSWORD, refused};

/// Replaces the stored key of an employee's address with an earlier normalised form.
async fn store_in_former_form(fixture: &Fixture, employee: &Employee) {
    let employees = fixture.harness.database(Service::Directory).await.collection::<bson::Document>("employees");
    let (email, key) = (employee.email.as_str(), employee.email.former_key());
    let outcome = employees.update_one(doc! { "email": email }, doc! { "$set": { "emailKey": key } }).await.unwrap();
    assert_eq!(outcome.modified_count, 1, "it is stored in today's form");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_beyond_ascii_and_its_form_in_the_dns_are_one_address() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ü@Ü.de").await;
    assert_eq!(ann.email.as_str(), "ü@Ü.de", "what was typed is shown");
    for spelling in ["ü@xn--tda.de", "U\u{308}@u\u{308}.de", "Ü@XN--TDA.DE"] {
        refused(fixture.create("Bob", spelling).await, Code::EmailTaken);
        assert_eq!(fixture.log_in(spelling, PASSWORD).await.unwrap().employee_id, ann.id, "{spelling}");
    }
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_were_stored_in_a_former_form_are_renewed_at_the_start() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ä@ä.de").await;
    store_in_former_form(&fixture, &ann).await;
    assert!(fixture.log_in("ä@ä.de", PASSWORD).await.is_ok(), "not renewed yet");
    fixture.start_replica().await;
    refused(fixture.create("Bob", "ä@xn--4ca.de").await, Code::EmailTaken);
    assert_eq!(fixture.log_in("ä@xn--4ca.de", PASSWORD).await.unwrap().employee_id, ann.id);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_were_let_in_with_one_address_do_not_stop_the_start_and_log_in_as_before() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ü@ü.de").await;
    store_in_former_form(&fixture, &ann).await;
    let bob = fixture.employ("Bob", "ü@xn--tda.de").await;
    fixture.start_replica().await;
    assert_eq!(fixture.log_in("ü@ü.de", PASSWORD).await.unwrap().employee_id, ann.id);
    assert_eq!(fixture.log_in("ü@xn--tda.de", PASSWORD).await.unwrap().employee_id, bob.id);
    // A change of other fields must not fail because of the two equal addresses.
    for one in [ann, bob] {
        fixture.harness.ask(&DeactivateEmployee { id: one.id }).await.unwrap();
    }
    fixture.harness.finish().await;
}
