use std::{net::TcpListener as Port, time::Duration};

use contracts::{DeliveryState, SECOND, Service, stream};
use mailer::Config;
use testkit::{Harness, LaggingMongo, eventually_within};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use crate::{
    fixture::{Delivery, Fixture},
    smtp_server::SmtpServer,
};

fn free_port() -> u16 {
    Port::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_waits_for_a_server_that_refuses_and_follows_when_it_is_back() {
    let fixture = Fixture::start().await;
    let port = free_port();
    let server = SmtpServer::start();
    fixture.start_mailer(Config { email_port: Some(port.to_string()), ..server.config() }).await;
    let ann = fixture.create("Ann", "ann@x.org").await;
    testkit::eventually("a second attempt", async || {
        fixture.deliveries().await.first().is_some_and(|delivery| delivery.attempts >= 2).then_some(())
    })
    .await;
    let waiting = &fixture.deliveries().await[0];
    assert_eq!(waiting.status, "pending");
    assert!(waiting.last_error.as_ref().unwrap().contains("cannot be talked to"), "{waiting:?}");

    // From here on, a proxy to the real server listens on that port.
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    tokio::spawn(pass_on(listener, server.port, 0));
    server.until_mails(1).await;
    let sent = fixture.until_status("sent", 1).await;
    assert!(sent[0].last_error.is_none());
    fixture.until_shown(ann.id, DeliveryState::Sent).await;
    assert_eq!(fixture.harness.stream_messages(stream::DEAD).await, 0);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_holds_up_neither_employees_nor_other_mails() {
    let (fixture, server) = (Fixture::start().await, SmtpServer::start());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // The proxy accepts the first two connections and sends nothing on them.
    tokio::spawn(pass_on(listener, server.port, 2));
    fixture.start_mailer(Config { email_port: Some(port.to_string()), ..server.config() }).await;

    for name in ["ann", "bob", "cid", "dan"] {
        fixture.create(name, &format!("{name}@x.org")).await;
    }
    server.until_mails(2).await;
    let untried = |delivery: &&Delivery| delivery.status == "pending" && delivery.attempts == 0;
    assert_eq!(fixture.deliveries().await.iter().filter(untried).count(), 2, "the server still says nothing to these");
    // The two mails are tried again after a timeout, and then sent.
    server.until_mails(4).await;
    fixture.until_status("sent", 4).await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_long_to_accept_a_mail_gets_it_once_and_nobody_else_sends_it_meanwhile() {
    let (fixture, server) = (Fixture::start().await, SmtpServer::start());
    fixture.start_mailer(server.config()).await;
    fixture.create("Ann", "slow@x.org").await;
    server.until_mails(1).await;
    let held = fixture.deliveries().await[0].held_until;
    eventually_within(Duration::from_secs(20), "it is still held", async || {
        let delivery = fixture.deliveries().await.remove(0);
        (delivery.status == "pending" && delivery.held_until > held).then_some(())
    })
    .await;
    assert_eq!(fixture.until_status("sent", 1).await[0].attempts, 1);
    assert_eq!(server.mails().len(), 1);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_was_sent_while_mongodb_elects_a_primary_is_not_sent_again() {
    let (mongo, server) = (LaggingMongo::start().await, SmtpServer::start());
    let fixture = Fixture { harness: Harness::start_on(&mongo.connection_string()).await };
    fixture.start_directory().await;
    // MongoDB refuses the write that stores the mail as sent, three times.
    mongo.refuse(&fixture.harness, (Service::Mailer, "deliveries"), "update", 3).await;
    fixture.start_mailer(server.config()).await;
    let ann = fixture.create("Ann", "ann@x.org").await;
    server.until_mails(1).await;
    // If the mailer had given up its claim, another process could claim the mail after this time.
    fixture.harness.clock.advance(61 * SECOND);
    fixture.until_status("sent", 1).await;
    fixture.until_shown(ann.id, DeliveryState::Sent).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Mailer).await;
    assert_eq!(server.mails().len(), 1);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_turns_away_for_now_is_sent_again_and_what_it_refuses_for_good_is_not() {
    let (fixture, server) = (Fixture::start().await, SmtpServer::start());
    fixture.start_mailer(server.config()).await;
    let gone = fixture.create("Gone", "gone@x.org").await;
    fixture.create("Later", "later@x.org").await;
    let failed = fixture.until_status("failed", 1).await;
    assert_eq!(failed[0].attempts, 1);
    assert_eq!(
        failed[0].last_error.as_deref(),
        Some("The mail server answered the recipient with 550 5.1.1: there is no such mailbox.")
    );
    let sent = fixture.until_status("sent", 1).await;
    assert_eq!(sent[0].attempts, 2);
    fixture.harness.until_consumed(stream::EVENTS, Service::Mailer).await;
    assert_eq!(server.mails().len(), 1);
    let shown = fixture.until_shown(gone.id, DeliveryState::Failed).await;
    assert_eq!(shown.detail, failed[0].last_error);
    // When an admin sends the invitation again, it is a new mail with attempts of its own.
    assert_eq!(fixture.invite(gone.id).await.invitation.unwrap().state, DeliveryState::Queued);
    fixture.until_status("failed", 2).await;
    fixture.until_shown(gone.id, DeliveryState::Failed).await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_certificate_or_login_is_wrong_gets_no_mail_until_that_is_mended() {
    let fixture = Fixture::start().await;
    let (server, stranger) = (SmtpServer::start(), SmtpServer::start());
    let wrong_root = Config { email_ca_file: stranger.config().email_ca_file, ..server.config() };
    let wrong_password = Config { email_password: Some(contracts::Secret::new("wrong")), ..server.config() };
    let ann = fixture.create("Ann", "ann@x.org").await;
    for (config, sign) in
        [(wrong_root, "STARTTLS"), (wrong_password, "the login with 535 5.7.8: it refuses our name or password")]
    {
        let mailer = fixture.start_mailer(config).await;
        testkit::eventually(sign, async || {
            fixture.deliveries().await.first()?.last_error.as_ref()?.contains(sign).then_some(())
        })
        .await;
        mailer.stop().await;
        assert_eq!(fixture.deliveries().await[0].status, "pending");
        let shown = fixture.until_shown(ann.id, DeliveryState::Retrying).await;
        assert!(shown.detail.unwrap().contains(sign));
    }
    assert_eq!(server.mails().len(), 0);
    fixture.start_mailer(server.config()).await;
    server.until_mails(1).await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_waits_for_directory_and_follows_when_it_is_back() {
    let server = SmtpServer::start();
    let fixture = Fixture { harness: testkit::Harness::start().await };
    let directory = fixture.start_directory().await;
    fixture.create("Ann", "ann@x.org").await;
    fixture.last_request().await;
    directory.stop().await;
    fixture.start_mailer(server.config()).await;
    testkit::eventually("a look at the mail", async || (!fixture.deliveries().await.is_empty()).then_some(())).await;
    assert_eq!(fixture.deliveries().await[0].attempts, 0, "nothing was tried");
    fixture.start_directory().await;
    server.until_mails(1).await;
    fixture.until_status("sent", 1).await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_us_gets_the_mail_once_that_is_mended_and_admins_see_both() {
    let (fixture, server) = (Fixture::start().await, SmtpServer::start());
    server.refuse(true);
    fixture.start_mailer(server.config()).await;
    let ann = fixture.create("Ann", "ann@x.org").await;
    let shown = fixture.until_shown(ann.id, DeliveryState::Retrying).await;
    let detail = shown.detail.unwrap();
    assert!(detail.contains("554 5.7.1: it refuses mail from us") && !detail.contains("spamhaus"), "{detail}");
    assert!(fixture.deliveries().await[0].is_refused, "this is what the alert counts");
    server.refuse(false);
    server.until_mails(1).await;
    assert_eq!(fixture.until_shown(ann.id, DeliveryState::Sent).await.detail, None);
    fixture.harness.finish().await;
}

/// Accepts connections. The first `silent` ones get no answer, and the others are forwarded to the
/// port `to`.
async fn pass_on(listener: TcpListener, to: u16, silent: usize) {
    let mut kept = Vec::new();
    while let Ok((mut client, _)) = listener.accept().await {
        if kept.len() < silent {
            kept.push(client);
            continue;
        }
        tokio::spawn(async move {
            let mut server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            // An error is ignored, because either side may close the connection at any time.
            let _ = copy_bidirectional(&mut client, &mut server).await;
        });
    }
}
