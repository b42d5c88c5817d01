//! Tests of mails about decisions on pay periods, and about hours that were admitted late.

use contracts::{AdjustmentMade, DeactivateEmployee, EmployeeId, HOUR, PeriodDecided, Service, stream};
use serde_json::{Value, json};

use crate::{
    fixture::{Fixture, token_in},
    smtp_server::SmtpServer,
};

const APPROVED: &str = "Your pay period is approved";
const SENT_BACK: &str = "Your pay period came back";
const REOPENED: &str = "Your pay period is open again";

/// Returns a decision about this employee's pay period of March 2026 in Berlin.
fn decided(employee: EmployeeId, version: i64, decision: &str) -> PeriodDecided {
    let is_approved = decision == "approved";
    let mut period = json!({
        "id": format!("{employee}_2026-03-01"), "status": if is_approved { "approved" } else { "open" },
        "start": 1_772_319_600_000_i64, "end": 1_774_994_400_000_i64,
    });
    if is_approved {
        period["sum"] = json!({ "time": 160 * HOUR, "costs": 1, "income": 1, "hash": "0".repeat(32) });
    } else {
        period["note"] = json!("Friday is missing.");
    }
    let event = json!({ "period": period, "version": version, "decision": decision, "timezone": "Europe/Berlin" });
    serde_json::from_value(event).unwrap()
}

/// Returns the event about two hours of this employee that arrived after their day was settled.
/// They are admitted, and one of the two hours counts.
fn adjusted(employee: EmployeeId) -> AdjustmentMade {
    let (id, start) = (kit::new_id::<EmployeeId>(), 1_772_321_400_000_i64);
    let adjustment = json!({
        "id": id, "employeeId": employee, "projectId": id, "taskId": id, "start": start, "end": start + 2 * HOUR,
        "countsAt": start + 40 * 24 * HOUR, "time": HOUR, "costs": 1, "income": 1, "hash": "0".repeat(32),
    });
    serde_json::from_value(json!({ "adjustment": adjustment, "timezone": "Europe/Berlin" })).unwrap()
}

fn text(mail: &Value) -> &str {
    mail["plain"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_decision_about_a_period_is_mailed_once_however_often_it_is_told() {
    let (fixture, server) = (Fixture::start().await, SmtpServer::start());
    let first = fixture.start_mailer(server.config()).await;
    let second = fixture.start_mailer(server.config()).await;
    let ann = fixture.employ(&server, "Ann", "ann@x.org").await;
    for (version, decision, subject, says) in [
        (2, "sent_back", SENT_BACK, "What is to be done: Friday is missing."),
        (5, "approved", APPROVED, "2026-03-01 to 2026-03-31 is approved with 160:00 hours"),
        (6, "reopened", REOPENED, "The reason: Friday is missing."),
    ] {
        let decided = decided(ann.id, version, decision);
        fixture.harness.publish_twice(&decided).await;
        let mails = server.until_mails_to("ann@x.org", subject, 1).await;
        assert!(text(&mails[0]).contains(says), "{mails:?}");
        // A process that does not know of the first event publishes the same decision in another
        // event.
        fixture.harness.publish(&decided).await;
    }
    // The same decision with a later version is another mail, because the period was submitted
    // again in between.
    fixture.harness.publish(&decided(ann.id, 8, "sent_back")).await;
    server.until_mails_to("ann@x.org", SENT_BACK, 2).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Mailer).await;
    assert_eq!(server.mails().len(), 1 + 4, "the invitation, and one for each decision");
    first.stop().await;
    second.stop().await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_that_comes_after_a_later_one_is_not_mailed() {
    let (fixture, server) = (Fixture::start().await, SmtpServer::start());
    fixture.start_mailer(server.config()).await;
    let ann = fixture.employ(&server, "Ann", "ann@x.org").await;
    fixture.harness.publish(&decided(ann.id, 6, "reopened")).await;
    server.until_mails_to("ann@x.org", REOPENED, 1).await;
    fixture.harness.publish_twice(&decided(ann.id, 5, "approved")).await;
    let dropped = fixture.until_status("failed", 1).await;
    assert!(dropped[0].last_error.as_ref().unwrap().starts_with("Not needed any more"), "{dropped:?}");

    // A later decision also replaces a mail that is waiting for the mail server.
    server.refuse(true);
    fixture.harness.publish(&decided(ann.id, 7, "sent_back")).await;
    let tried = async |waiting: usize| {
        testkit::eventually_within(std::time::Duration::from_secs(30), "it was tried", async || {
            let mails = fixture.deliveries().await;
            (mails.iter().filter(|mail| mail.is_refused).count() == waiting).then_some(())
        })
        .await;
    };
    tried(1).await;
    fixture.harness.publish(&decided(ann.id, 9, "approved")).await;
    fixture.until_status("failed", 2).await;
    tried(1).await;
    server.refuse(false);
    server.until_mails_to("ann@x.org", APPROVED, 1).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Mailer).await;
    assert_eq!(server.mails().len(), 3, "the invitation, the first decision and the last");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_that_are_admitted_late_are_mailed_once() {
    let (fixture, server) = (Fixture::start().await, SmtpServer::start());
    fixture.start_mailer(server.config()).await;
    let ann = fixture.employ(&server, "Ann", "ann@x.org").await;
    let made = adjusted(ann.id);
    fixture.harness.publish_twice(&made).await;
    let mails = server.until_mails_to("ann@x.org", "Your late hours are admitted", 1).await;
    let said = text(&mails[0]);
    assert!(said.contains("2026-03-01 00:30 to 02:30 (Europe/Berlin)"), "{said}");
    assert!(said.contains("1:00 hours of it count on 2026-04-10"), "{said}");
    fixture.harness.publish(&made).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Mailer).await;
    assert_eq!(server.mails().len(), 2);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_about_periods_is_mailed_to_whoever_is_deactivated_or_unconfirmed() {
    let (fixture, server) = (Fixture::start().await, SmtpServer::start());
    fixture.start_mailer(server.config()).await;
    let ann = fixture.create("Ann", "ann@x.org").await;
    let mails = server.until_mails(1).await;
    fixture.harness.publish(&decided(ann.id, 2, "sent_back")).await;
    fixture.until_status("failed", 1).await;
    fixture.activate(token_in(text(&mails[0]))).await.unwrap();
    fixture.harness.ask(&DeactivateEmployee { id: ann.id }).await.unwrap();
    fixture.harness.publish(&decided(ann.id, 5, "approved")).await;
    fixture.harness.publish(&adjusted(ann.id)).await;
    fixture.harness.publish(&decided(kit::new_id(), 5, "approved")).await;
    fixture.until_status("failed", 4).await;
    assert_eq!(server.mails().len(), 1, "the invitation");
    fixture.harness.finish().await;
}
