//! Mails about corrections that somebody has asked for.

use contracts::{CorrectionDecided, CorrectionRequest, DeactivateEmployee, EmployeeId, HOUR, Service, stream};
use serde_json::json;

use crate::{
    office::{Office, token_in},
    smtp_server::SmtpServer,
};

/// A correction of this employee's that was accepted.
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
    let (office, server) = (Office::open().await, SmtpServer::start());
    let first = office.start_mailer(server.config()).await;
    let ann = office.employ(&server, "Ann", "ann@x.org").await;

    let decided = decided(ann.id);
    office.harness.publish_twice(&decided).await;
    let second = office.start_mailer(server.config()).await;
    let mails = server.until_mails(2).await;
    assert_eq!(mails[1]["to"][0], "ann@x.org");
    assert_eq!(mails[1]["headers"]["subject"], "Your correction is made");
    let text = mails[1]["plain"].as_str().unwrap();
    assert!(text.contains("2026-03-01 00:30 to 01:30 (Europe/Berlin)") && text.contains("Of course."), "{text}");
    office.until_status("sent", 2).await;
    // Published again, as by a process that does not know that it was: another event, the same decision.
    office.harness.publish(&decided).await;
    office.harness.until_consumed(stream::EVENTS, Service::Mailer).await;
    assert_eq!(server.mails().len(), 2);
    first.stop().await;
    second.stop().await;
    office.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_deactivated_or_has_not_shown_that_the_address_is_theirs_is_not_mailed() {
    let (office, server) = (Office::open().await, SmtpServer::start());
    office.start_mailer(server.config()).await;
    let ann = office.create("Ann", "ann@x.org").await;
    let mails = server.until_mails(1).await;
    office.harness.publish(&decided(ann.id)).await;
    office.until_status("failed", 1).await;
    office.activate(token_in(mails[0]["plain"].as_str().unwrap())).await.unwrap();
    office.harness.ask(&DeactivateEmployee { id: ann.id }).await.unwrap();
    office.harness.publish(&decided(ann.id)).await;
    office.harness.publish(&decided(kit::new_id())).await;
    office.until_status("failed", 3).await;
    assert_eq!(server.mails().len(), 1, "the invitation");
    office.harness.finish().await;
}
