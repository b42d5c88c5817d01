use contracts::{Service, stream};
use mailer::Config;
use testkit::eventually;

use crate::fixture::Fixture;

#[tokio::test(flavor = "multi_thread")]
async fn mails_that_events_forgot_before_they_were_seen_are_told_of() {
    let fixture = Fixture::start().await;
    let mailer = fixture.start_mailer(Config::default()).await;
    fixture.create("Ann", "ann@x.org").await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Mailer).await;
    mailer.until_says("t3_events_gaps_total 0").await;
    mailer.stop().await;
    fixture.create("Bob", "bob@x.org").await;
    fixture.harness.forget_events().await;
    let mailer = fixture.start_mailer(Config::default()).await;
    mailer.until_says("t3_events_gaps_total 1").await;
    eventually("it is ready", async || mailer.get("/readyz").await.contains("200 OK").then_some(())).await;
    let other = fixture.start_mailer(Config::default()).await;
    other.until_says("t3_events_gaps_total 0").await;
    fixture.harness.finish().await;
}
