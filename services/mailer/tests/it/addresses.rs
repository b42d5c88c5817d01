//! Tests of mails to addresses with non-ASCII characters.

use contracts::{DeliveryState, Service, stream};

use crate::{fixture::Fixture, smtp_server::SmtpServer};

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_beyond_ascii_is_reached_through_a_server_that_knows_ascii_only() {
    let (fixture, server) = (Fixture::start().await, SmtpServer::start());
    fixture.start_mailer(server.config()).await;
    fixture.create("Ann", "ann@müller.de").await;
    assert_eq!(server.until_mails(1).await[0]["to"][0], "ann@xn--mller-kva.de");
    fixture.until_status("sent", 1).await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_beyond_ascii_before_the_at_fail_for_good_where_the_server_does_not_know_them() {
    let (fixture, server) = (Fixture::start().await, SmtpServer::start());
    fixture.start_mailer(server.config()).await;
    let ann = fixture.create("Jürgen", "jürgen@müller.de").await;
    let failed = fixture.until_status("failed", 1).await;
    assert_eq!((failed[0].attempts, failed[0].is_refused), (1, false), "nobody else's mail fails of it");
    let shown = fixture.until_shown(ann.id, DeliveryState::Failed).await;
    assert!(shown.detail.unwrap().contains("no addresses with letters beyond ASCII before the @"));
    fixture.harness.until_consumed(stream::EVENTS, Service::Mailer).await;
    assert_eq!(server.mails().len(), 0);

    // Once the server accepts such addresses, the admin sends the invitation again.
    server.take_utf8();
    fixture.invite(ann.id).await;
    let mails = server.until_mails(1).await;
    assert_eq!(mails[0]["to"][0], "jürgen@xn--mller-kva.de");
    fixture.until_shown(ann.id, DeliveryState::Sent).await;
    fixture.harness.finish().await;
}
