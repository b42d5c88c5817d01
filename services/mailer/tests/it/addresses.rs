//! Addresses with letters beyond ASCII.

use contracts::{DeliveryState, Service, stream};

use crate::{office::Office, smtp_server::SmtpServer};

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_beyond_ascii_is_reached_through_a_server_that_knows_ascii_only() {
    let (office, server) = (Office::open().await, SmtpServer::start());
    office.start_mailer(server.config()).await;
    office.create("Ann", "ann@müller.de").await;
    assert_eq!(server.until_mails(1).await[0]["to"][0], "ann@xn--mller-kva.de");
    office.until_status("sent", 1).await;
    office.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_beyond_ascii_before_the_at_fail_for_good_where_the_server_does_not_know_them() {
    let (office, server) = (Office::open().await, SmtpServer::start());
    office.start_mailer(server.config()).await;
    let ann = office.create("Jürgen", "jürgen@müller.de").await;
    let failed = office.until_status("failed", 1).await;
    assert_eq!((failed[0].attempts, failed[0].is_refused), (1, false), "nobody else's mail fails of it");
    let shown = office.until_shown(ann.id, DeliveryState::Failed).await;
    assert!(shown.detail.unwrap().contains("no addresses with letters beyond ASCII before the @"));
    office.harness.until_consumed(stream::EVENTS, Service::Mailer).await;
    assert_eq!(server.mails().len(), 0);

    // Once the server knows them, the admin sends it again.
    server.take_utf8();
    office.invite(ann.id).await;
    let mails = server.until_mails(1).await;
    assert_eq!(mails[0]["to"][0], "jürgen@xn--mller-kva.de");
    office.until_shown(ann.id, DeliveryState::Sent).await;
    office.harness.finish().await;
}
