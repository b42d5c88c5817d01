//! Tests of mails about an account: links, and notices of changes.

use contracts::{
    Caller, ConfirmEmail, Email, EmployeeChanges, Event, ForgotPassword, MailRequested, ResetPassword, Secret, Service,
    UpdateEmployee, stream,
};
use serde_json::Value;

use crate::{
    fixture::{Fixture, token_in, token_to},
    smtp_server::SmtpServer,
};

const OTHER: &str = "another four long words";

impl Fixture {
    async fn forget(&self, email: &str) {
        self.harness.bus().ask(Caller::Anonymous, &ForgotPassword { email: email.into() }).await.unwrap();
    }
}

/// Returns a mail's subject, its first recipient and its plain text.
fn read(mail: &Value) -> (&str, &str, &str) {
    let text = |value: &'_ Value| value.as_str().map(str::to_owned);
    assert!(text(&mail["html"]).is_some_and(|html| html.contains("Hello Ann,")), "{mail}");
    let subject = mail["headers"]["subject"].as_str().unwrap();
    (subject, mail["to"][0].as_str().unwrap(), mail["plain"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn links_and_word_of_changes_are_mailed_to_those_whom_they_concern() {
    let (fixture, server) = (Fixture::start().await, SmtpServer::start());
    fixture.start_mailer(server.config()).await;
    let ann = fixture.create("Ann", "ann@x.org").await;
    let mails = server.until_mails(1).await;
    fixture.activate(token_in(mails[0]["plain"].as_str().unwrap())).await.unwrap();

    fixture.forget("nobody@x.org").await;
    fixture.forget("ann@x.org").await;
    let mails = server.until_mails(2).await;
    let (subject, to, text) = read(&mails[1]);
    assert_eq!((subject, to), ("Set a new password for T3", "ann@x.org"));
    assert!(text.contains("https://time.example.org/reset?token=") && text.contains("30 minutes"), "{text}");
    let reset = ResetPassword { token: Secret::new(token_to("reset", text)), password: Secret::new(OTHER) };
    fixture.harness.bus().ask(Caller::Anonymous, &reset).await.unwrap();
    let mails = server.until_mails(3).await;
    let (subject, to, text) = read(&mails[2]);
    assert_eq!((subject, to), ("Your T3 password was changed", "ann@x.org"));
    assert!(text.contains("https://time.example.org/forgot"), "{text}");

    let changes = EmployeeChanges { email: Some(Email::parse("ann@y.org").unwrap()), ..Default::default() };
    fixture.harness.ask(&UpdateEmployee { id: ann.id, changes, only_check: false }).await.unwrap();
    let mails = server.until_mails(5).await;
    let mut both = [read(&mails[3]), read(&mails[4])];
    both.sort_by_key(|(_, to, _)| to.to_owned());
    assert_eq!((both[0].0, both[0].1), ("The address of your T3 account was changed", "ann@x.org"));
    assert_eq!((both[1].0, both[1].1), ("Confirm your address for T3", "ann@y.org"));
    let token = Secret::new(token_to("confirm", both[1].2));
    let confirm = ConfirmEmail { token, password: Secret::new(OTHER) };
    assert!(!fixture.harness.bus().ask(Caller::Anonymous, &confirm).await.unwrap().email_unconfirmed);
    fixture.harness.until_consumed(stream::EVENTS, Service::Mailer).await;
    assert_eq!(server.mails().len(), 5, "nobody got none");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_comes_twice_is_one_mail_and_one_that_waited_an_hour_is_none() {
    let (fixture, server) = (Fixture::start().await, SmtpServer::start());
    let first = fixture.start_mailer(server.config()).await;
    fixture.create("Ann", "ann@x.org").await;
    let mails = server.until_mails(1).await;
    fixture.activate(token_in(mails[0]["plain"].as_str().unwrap())).await.unwrap();
    fixture.until_status("sent", 1).await;
    first.stop().await;

    fixture.forget("ann@x.org").await;
    let events = fixture.harness.bus().jetstream.get_stream(stream::EVENTS).await.unwrap();
    let requested = testkit::eventually("the request", async || {
        let last = events.get_last_raw_message_by_subject(&MailRequested::filter()).await.ok()?;
        Some(serde_json::from_slice::<MailRequested>(&last.payload).unwrap())
    })
    .await;
    fixture.harness.publish_twice(&requested).await;
    // Two replicas consume the copies of the event, and only one of them may send the mail.
    let second = fixture.start_mailer(server.config()).await;
    let third = fixture.start_mailer(server.config()).await;
    server.until_mails(2).await;
    fixture.until_status("sent", 2).await;
    fixture.harness.publish_twice(&requested).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Mailer).await;
    assert_eq!(server.mails().len(), 2);
    second.stop().await;
    third.stop().await;

    fixture.forget("ann@x.org").await;
    fixture.harness.clock.advance(contracts::HOUR);
    fixture.start_mailer(server.config()).await;
    fixture.until_status("failed", 1).await;
    assert_eq!(server.mails().len(), 2);
    fixture.harness.finish().await;
}
