//! Tests of mails about decisions on requested corrections.

use contracts::{CorrectionDecided, CorrectionRequest, DeactivateEmployee, EmployeeId, HOUR, Service, stream};
use serde_json::json;

use crate::{
    fixture::{Fixture, token_in},
    smtp_server::SmtpServer,
};

/// Returns the event that a correction of this employee was accepted.
fn decided(employee: EmployeeId) -> CorrectionDecided {
    let (id, start) = (kit::new_id::<EmployeeId>(), 1_772_321_400_000_i64);
    let correction = json!({
        "id": id, "employeeId": employee, "status": "accepted", "void": false, "start": start, "end": start + HOUR,
        "projectId": id, "taskId": id, "reason": "I forgot the clock.", "askedAt": start, "decidedAt": start,
        "decisionReason": "Of course.",
    });
    let correction: CorrectionRequest = serde_json::from_value(correction).unwrap();
    CorrectionDecided { correction, timezone: "Europe/Berlin".parse().unwrap() }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asked_is_mailed_the_decision_once_however_often_it_is_told() {
    let (fixture, server) = (Fixture::start().await, SmtpServer::start());
    let first = fixture.start_mailer(server.config()).await;
    let ann = fixture.employ(&server, "Ann", "ann@x.org").await;

    let decided = decided(ann.id);
    fixture.harness.publish_twice(&decided).await;
    let second = fixture.start_mailer(server.config()).await;
    let mails = server.until_mails(2).await;
    assert_eq!(mails[1]["to"][0], "ann@x.org");
    assert_eq!(mails[1]["headers"]["subject"], "Your correction is made");
    let text = mails[1]["plain"].as_str().unwrap();
    assert!(text.contains("2026-03-01 00:30 to 01:30 (Europe/Berlin)") && text.contains("Of course."), "{text}");
    fixture.until_status("sent", 2).await;
    // A process that does not know of the first event publishes the same decision in another event.
    fixture.harness.publish(&decided).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Mailer).await;
    assert_eq!(server.mails().len(), 2);
    first.stop().await;
    second.stop().await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_deactivated_or_has_not_shown_that_the_address_is_theirs_is_not_mailed() {
    let (fixture, server) = (Fixture::start().await, SmtpServer::start());
    fixture.start_mailer(server.config()).await;
    let ann = fixture.create("Ann", "ann@x.org").await;
    let mails = server.until_mails(1).await;
    fixture.harness.publish(&decided(ann.id)).await;
    fixture.until_status("failed", 1).await;
    fixture.activate(token_in(mails[0]["plain"].as_str().unwrap())).await.unwrap();
    fixture.harness.ask(&DeactivateEmployee { id: ann.id }).await.unwrap();
    fixture.harness.publish(&decided(ann.id)).await;
    fixture.harness.publish(&decided(kit::new_id())).await;
    fixture.until_status("failed", 3).await;
    assert_eq!(server.mails().len(), 1, "the invitation");
    fixture.harness.finish().await;
}
