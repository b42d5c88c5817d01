//! Tests of the console page of one window, and of what an employee reads about windows that are
//! not recorded.

use serde_json::{Value, json};
use testkit::eventually;

use crate::fixture::{Fixture, HOUR, MINUTE, TEN};
use crate::visit::{page, somebody, submit, value};

/// The id of a project that does not exist.
const NO_PROJECT: &str = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071";

#[tokio::test(flavor = "multi_thread")]
async fn a_window_is_corrected_and_voided_with_a_reason_that_the_trail_keeps() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    let owner = somebody(system, "Olga", "owner").await;
    let window = fixture.record(TEN, TEN + HOUR).await;
    let id = window["id"].as_str().unwrap();
    let other = system.create_task(json!({ "name": "Back page", "projectId": fixture.project })).await;
    let path = format!("/console/windows/{id}");
    let shown = page(system, &path, &owner).await.html;
    let (start, end, seen) = (value(&shown, "start"), value(&shown, "end"), value(&shown, "seen"));
    assert_eq!((start, end), ("2025-10-09T08:53:20", "2025-10-09T09:53:20"));
    let work = format!("{}/{}", fixture.project, other["id"].as_str().unwrap());
    let form = |end: &'static str, reason: &'static str| {
        [("start", start), ("end", end), ("work", work.as_str()), ("note", "lunch"), ("reason", reason), ("seen", seen)]
    };
    let refused = submit(system, &path, &owner, &form("2025-10-09T09:23:20", "")).await;
    assert_eq!(refused.status, 422);
    assert!(refused.html.contains("value=\"2025-10-09T09:23:20\"") && refused.html.contains("must be given"));
    let backwards = submit(system, &path, &owner, &form("2025-10-09T07:00:00", "typo")).await;
    assert!(backwards.status == 422 && backwards.html.contains("class=\"error\""), "{}", backwards.html);
    let done = submit(system, &path, &owner, &form("2025-10-09T09:23:20", "She was at lunch.")).await;
    assert_eq!((done.status, done.leads), (303, format!("{path}?done=saved")), "{}", done.html);
    let corrected = system.get(&format!("/api/v1/time-entries/{id}")).await;
    assert_eq!((&corrected["start"], &corrected["end"]), (&json!(TEN), &json!(TEN + 30 * MINUTE)));
    assert_eq!((&corrected["taskId"], &corrected["note"]), (&other["id"], &json!("lunch")));
    // The form is refused, because its page was read before the last change.
    assert_eq!(submit(system, &path, &owner, &form("2025-10-09T09:20:00", "late")).await.status, 412);

    let none = submit(system, &format!("{path}/void"), &owner, &[("reason", " ")]).await;
    assert!(none.status == 422 && none.html.contains("must be given"), "{}", none.html);
    let voided = submit(system, &format!("{path}/void"), &owner, &[("reason", "Sent twice.")]).await;
    let leads = format!("/console/windows?employee={}&day=2025-10-09&done=voided", fixture.ann.id);
    assert_eq!((voided.status, voided.leads), (303, leads), "{}", voided.html);
    assert_eq!(fixture.project_time(TEN, TEN + HOUR).await.0, 0);
    for (action, reason) in [("window.corrected", "She was at lunch."), ("window.voided", "Sent twice.")] {
        eventually("the trail says why", async || {
            let html = page(system, &format!("/console/audit?action={action}&subject={id}"), &owner).await.html;
            html.contains(reason).then_some(())
        })
        .await;
    }
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_reads_on_their_day_what_was_set_aside_and_why() {
    let fixture = Fixture::start().await;
    let (system, ann) = (&fixture.system, &fixture.ann);
    let bob = system.new_employee("Bob", "bob@example.org").await;
    assert!(!page(system, "/me", ann).await.html.contains("Held back"));
    let mut window = fixture.window(TEN, TEN + HOUR);
    window["projectId"] = json!(NO_PROJECT);
    fixture.post(window).await;
    let html = eventually("it is held back", async || {
        let html = page(system, "/me", ann).await.html;
        html.contains("Held back").then_some(html)
    });
    let html = html.await;
    assert!(html.contains("Nobody here knows this project") && html.contains("anns-pc"), "{html}");
    assert!(!page(system, "/me", &bob).await.html.contains("Held back"));
    let held = system.get("/api/v1/quarantine").await;
    let id = held[0]["id"].as_str().unwrap();
    system.admin("POST", &format!("/api/v1/quarantine/{id}/discard"), Value::Null).await.expect(204);
    let html = page(system, "/me", ann).await.html;
    assert!(!html.contains("Held back") && html.contains("Discarded (1)"), "{html}");
    fixture.system.finish().await;
}
