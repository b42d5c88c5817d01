use std::{net::TcpListener as Port, time::Duration};

use contracts::{DeliveryState, SECOND, Service, stream};
use mailer::Config;
use testkit::{Harness, LaggingMongo, eventually_within};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use crate::{
    office::{Delivery, Office},
    smtp_server::SmtpServer,
};

fn free_port() -> u16 {
    Port::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_waits_for_a_server_that_refuses_and_follows_when_it_is_back() {
    let office = Office::open().await;
    let port = free_port();
    let server = SmtpServer::start();
    office.start_mailer(Config { email_port: Some(port.to_string()), ..server.config() }).await;
    let ann = office.create("Ann", "ann@x.org").await;
    testkit::eventually("a second attempt", async || {
        office.deliveries().await.first().is_some_and(|delivery| delivery.attempts >= 2).then_some(())
    })
    .await;
    let waiting = &office.deliveries().await[0];
    assert_eq!(waiting.status, "pending");
    assert!(waiting.last_error.as_ref().unwrap().contains("cannot be talked to"), "{waiting:?}");

    // Now something listens there: the way to the real server.
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    tokio::spawn(pass_on(listener, server.port, 0));
    server.until_mails(1).await;
    let sent = office.until_status("sent", 1).await;
    assert!(sent[0].last_error.is_none());
    office.until_shown(ann.id, DeliveryState::Sent).await;
    assert_eq!(office.harness.stream_messages(stream::DEAD).await, 0);
    office.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_holds_up_neither_employees_nor_other_mails() {
    let (office, server) = (Office::open().await, SmtpServer::start());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // The first two connections are taken, and then nothing is said.
    tokio::spawn(pass_on(listener, server.port, 2));
    office.start_mailer(Config { email_port: Some(port.to_string()), ..server.config() }).await;

    for name in ["ann", "bob", "cid", "dan"] {
        office.create(name, &format!("{name}@x.org")).await;
    }
    server.until_mails(2).await;
    let untried = |delivery: &&Delivery| delivery.status == "pending" && delivery.attempts == 0;
    assert_eq!(office.deliveries().await.iter().filter(untried).count(), 2, "the server still says nothing to these");
    // And these follow.
    server.until_mails(4).await;
    office.until_status("sent", 4).await;
    office.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_long_to_accept_a_mail_gets_it_once_and_nobody_else_sends_it_meanwhile() {
    let (office, server) = (Office::open().await, SmtpServer::start());
    office.start_mailer(server.config()).await;
    office.create("Ann", "slow@x.org").await;
    server.until_mails(1).await;
    let held = office.deliveries().await[0].held_until;
    eventually_within(Duration::from_secs(20), "it is still held", async || {
        let delivery = office.deliveries().await.remove(0);
        (delivery.status == "pending" && delivery.held_until > held).then_some(())
    })
    .await;
    assert_eq!(office.until_status("sent", 1).await[0].attempts, 1);
    assert_eq!(server.mails().len(), 1);
    office.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_was_sent_while_mongodb_elects_a_primary_is_not_sent_again() {
    let (mongo, server) = (LaggingMongo::start().await, SmtpServer::start());
    let office = Office { harness: Harness::start_on(&mongo.connection_string()).await };
    office.start_directory().await;
    // This is how it is written down that the mail is sent.
    mongo.refuse(&office.harness, (Service::Mailer, "deliveries"), "update", 3).await;
    office.start_mailer(server.config()).await;
    let ann = office.create("Ann", "ann@x.org").await;
    server.until_mails(1).await;
    // Were it given back, it would be free by now.
    office.harness.clock.advance(61 * SECOND);
    office.until_status("sent", 1).await;
    office.until_shown(ann.id, DeliveryState::Sent).await;
    office.harness.until_consumed(stream::EVENTS, Service::Mailer).await;
    assert_eq!(server.mails().len(), 1);
    office.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_turns_away_for_now_is_sent_again_and_what_it_refuses_for_good_is_not() {
    let (office, server) = (Office::open().await, SmtpServer::start());
    office.start_mailer(server.config()).await;
    let gone = office.create("Gone", "gone@x.org").await;
    office.create("Later", "later@x.org").await;
    let failed = office.until_status("failed", 1).await;
    assert_eq!(failed[0].attempts, 1);
    assert_eq!(
        failed[0].last_error.as_deref(),
        Some("The mail server answered the recipient with 550 5.1.1: there is no such mailbox.")
    );
    let sent = office.until_status("sent", 1).await;
    assert_eq!(sent[0].attempts, 2);
    office.harness.until_consumed(stream::EVENTS, Service::Mailer).await;
    assert_eq!(server.mails().len(), 1);
    let shown = office.until_shown(gone.id, DeliveryState::Failed).await;
    assert_eq!(shown.detail, failed[0].last_error);
    // An admin who sends it again starts afresh.
    assert_eq!(office.invite(gone.id).await.invitation.unwrap().state, DeliveryState::Queued);
    office.until_status("failed", 2).await;
    office.until_shown(gone.id, DeliveryState::Failed).await;
    office.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_certificate_or_login_is_wrong_gets_no_mail_until_that_is_mended() {
    let office = Office::open().await;
    let (server, stranger) = (SmtpServer::start(), SmtpServer::start());
    let wrong_root = Config { email_ca_file: stranger.config().email_ca_file, ..server.config() };
    let wrong_password = Config { email_password: Some(contracts::Secret::new("wrong")), ..server.config() };
    let ann = office.create("Ann", "ann@x.org").await;
    for (config, sign) in
        [(wrong_root, "STARTTLS"), (wrong_password, "the login with 535 5.7.8: it refuses our name or password")]
    {
        let mailer = office.start_mailer(config).await;
        testkit::eventually(sign, async || {
            office.deliveries().await.first()?.last_error.as_ref()?.contains(sign).then_some(())
        })
        .await;
        mailer.stop().await;
        assert_eq!(office.deliveries().await[0].status, "pending");
        let shown = office.until_shown(ann.id, DeliveryState::Retrying).await;
        assert!(shown.detail.unwrap().contains(sign));
    }
    assert_eq!(server.mails().len(), 0);
    office.start_mailer(server.config()).await;
    server.until_mails(1).await;
    office.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_waits_for_directory_and_follows_when_it_is_back() {
    let server = SmtpServer::start();
    let office = Office { harness: testkit::Harness::start().await };
    let directory = office.start_directory().await;
    office.create("Ann", "ann@x.org").await;
    office.last_request().await;
    directory.stop().await;
    office.start_mailer(server.config()).await;
    testkit::eventually("a look at the mail", async || (!office.deliveries().await.is_empty()).then_some(())).await;
    assert_eq!(office.deliveries().await[0].attempts, 0, "nothing was tried");
    office.start_directory().await;
    server.until_mails(1).await;
    office.until_status("sent", 1).await;
    office.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_us_gets_the_mail_once_that_is_mended_and_admins_see_both() {
    let (office, server) = (Office::open().await, SmtpServer::start());
    server.refuse(true);
    office.start_mailer(server.config()).await;
    let ann = office.create("Ann", "ann@x.org").await;
    let shown = office.until_shown(ann.id, DeliveryState::Retrying).await;
    let detail = shown.detail.unwrap();
    assert!(detail.contains("554 5.7.1: it refuses mail from us") && !detail.contains("spamhaus"), "{detail}");
    assert!(office.deliveries().await[0].is_refused, "this is what the alert counts");
    server.refuse(false);
    server.until_mails(1).await;
    assert_eq!(office.until_shown(ann.id, DeliveryState::Sent).await.detail, None);
    office.harness.finish().await;
}

/// Accepts connections: leaves the first ones without an answer, and forwards the others to a port.
async fn pass_on(listener: TcpListener, to: u16, silent: usize) {
    let mut kept = Vec::new();
    while let Ok((mut client, _)) = listener.accept().await {
        if kept.len() < silent {
            kept.push(client);
            continue;
        }
        tokio::spawn(async move {
            let mut server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            // Either side may hang up when it likes.
            let _ = copy_bidirectional(&mut client, &mut server).await;
        });
    }
}
