use contracts::{SECOND, Service, stream};

use crate::{
    fixture::{Delivery, Fixture, token_in},
    smtp_server::SmtpServer,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_mailed_over_starttls_with_a_login_and_its_link_activates() {
    let (fixture, server) = (Fixture::start().await, SmtpServer::start());
    fixture.start_mailer(server.config()).await;
    fixture.create("Jürgen Müller", "juergen@x.org").await;

    let mails = server.until_mails(1).await;
    let mail = &mails[0];
    assert_eq!((mail["tls"].as_bool(), mail["authenticated"].as_bool()), (Some(true), Some(true)), "{mail}");
    assert_eq!(mail["mechanism"], "PLAIN");
    assert_eq!(
        mail["hello"], "time.example.org",
        "many servers refuse a name without a dot, such as that of a container"
    );
    assert_eq!(
        (mail["from"].as_str(), mail["to"][0].as_str()),
        (Some("no-reply@t3.example.org"), Some("juergen@x.org"))
    );
    let header = |name: &str| mail["headers"][name].as_str().unwrap();
    assert_eq!(header("to"), "Jürgen Müller <juergen@x.org>");
    assert_eq!(header("from"), "T3 <no-reply@t3.example.org>");
    assert_eq!(header("subject"), "Your invitation to T3");

    let (plain, html) = (mail["plain"].as_str().unwrap(), mail["html"].as_str().unwrap());
    let link = format!("https://time.example.org/activate?token={}", token_in(plain));
    for part in [plain, html] {
        assert!(part.contains(&link) && part.contains("Hello Jürgen Müller,") && part.contains("72 hours"), "{part}");
    }
    assert!(html.contains(&format!("href=\"{link}\"")));
    assert!(fixture.activate(token_in(plain)).await.unwrap().is_active);
    let sent = fixture.until_status("sent", 1).await;
    assert_eq!(sent[0].attempts, 1);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_twice_or_again_later_is_one_mail() {
    let (fixture, server) = (Fixture::start().await, SmtpServer::start());
    fixture.create("Ann", "ann@x.org").await;
    let requested = fixture.last_request().await;
    fixture.harness.publish_twice(&requested).await;
    fixture.harness.publish_twice(&requested).await;
    // Five copies of the event are in the stream, and two replicas consume them.
    fixture.start_mailer(server.config()).await;
    fixture.start_mailer(server.config()).await;
    fixture.until_status("sent", 1).await;
    fixture.harness.publish_twice(&requested).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Mailer).await;
    assert_eq!(server.mails().len(), 1);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_was_replaced_before_it_was_mailed_is_not_mailed() {
    let (fixture, server) = (Fixture::start().await, SmtpServer::start());
    let ann = fixture.create("Ann", "ann@x.org").await;
    let replaced = fixture.last_request().await;
    fixture.invite(ann.id).await;
    fixture.start_mailer(server.config()).await;
    let mails = server.until_mails(1).await;
    // The older event is delivered after the newer one.
    fixture.harness.publish_twice(&replaced).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Mailer).await;
    assert_eq!(server.mails().len(), 1);
    assert!(fixture.activate(token_in(mails[0]["plain"].as_str().unwrap())).await.is_ok());
    let failed = fixture.until_status("failed", 1).await;
    assert!(failed[0].last_error.as_ref().unwrap().starts_with("Not needed any more"));
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_in_the_hands_of_a_mailer_that_died_is_sent_by_another() {
    let (fixture, server) = (Fixture::start().await, SmtpServer::start());
    // This is what a process leaves that has ended while it was sending: a claim on the mail until
    // `held_until`.
    fixture.create("Ann", "ann@x.org").await;
    let requested = fixture.last_request().await;
    let held = Delivery {
        id: requested.invitation_id,
        status: "pending".into(),
        attempts: 0,
        last_error: None,
        held_until: fixture.harness.clock.now() + 60 * SECOND,
        updated_at: fixture.harness.clock.now(),
        is_refused: false,
    };
    let database = fixture.harness.database(Service::Mailer).await;
    database.collection("deliveries").insert_one(held).await.unwrap();
    fixture.start_mailer(server.config()).await;
    // When this second invitation is sent, the mailer has received the event of the first one too.
    fixture.create("Bob", "bob@x.org").await;
    fixture.until_status("sent", 1).await;
    assert_eq!(server.mails().len(), 1);
    fixture.harness.clock.advance(60 * SECOND);
    let mails = server.until_mails(2).await;
    assert_eq!(mails[1]["to"][0], "ann@x.org");
    fixture.harness.finish().await;
}
