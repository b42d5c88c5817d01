//! Tests of the console page of the audit trail.

use serde_json::json;
use testkit::eventually;

use crate::fixture::{Fixture, HOUR, MINUTE, TEN};
use crate::visit::{page, somebody, submit};

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_tells_names_for_ids_and_moments_in_the_zone() {
    let fixture = Fixture::start().await;
    let (system, ann) = (&fixture.system, &fixture.ann);
    let owner = somebody(system, "Olga", "owner").await;
    let window = fixture.record(TEN, TEN + HOUR).await;
    let path = format!("/api/v1/time-entries/{}", window["id"].as_str().unwrap());
    system.admin("PATCH", &path, json!({ "end": TEN + 30 * MINUTE })).await.expect(200);
    let bea = system.new_employee("Bea", "bea@example.org").await;
    system.put(&fixture.project_path(), json!({ "employees": [ann.id, bea.id] })).await;
    let trail = async |action: &str| page(system, &format!("/console/audit?action={action}"), &owner).await.html;
    let corrected = eventually("the correction is told", async || {
        Some(trail("window.corrected").await).filter(|html| html.contains("<td class=\"text\">2025-10-09"))
    });
    let html = corrected.await;
    assert!(html.contains("2025-10-09 09:53") && html.contains("2025-10-09 09:23"), "in the zone: {html}");
    assert!(!html.contains(&TEN.to_string()), "no milliseconds: {html}");
    let updated = eventually("the update is told", async || {
        Some(trail("project.updated").await).filter(|html| html.contains(">Bea</span>"))
    });
    let html = updated.await;
    assert!(html.contains(&format!("<span title=\"{}\">Bea</span>", bea.id)), "{html}");
    assert!(!html.contains(&format!(">{}", bea.id)), "the id is the title only: {html}");
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_sees_the_trail_and_no_forms_and_an_employee_sees_neither() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    let auditor = somebody(system, "Agnes", "auditor").await;
    system.put(&fixture.project_path(), json!({ "name": "Shop" })).await;
    fixture.record(TEN, TEN + HOUR).await;
    let trail = eventually("the trail knows", async || {
        let trail = page(system, "/console/audit?action=project.updated", &auditor).await.html;
        trail.contains("project updated").then_some(trail).filter(|trail| trail.contains("Website"))
    });
    let trail = trail.await;
    // The entry shows the name before and after the change. The subject of the entry has the
    // present name.
    assert!(trail.contains(">Website<") && trail.matches(">Shop<").count() >= 2, "{trail}");
    assert!(!trail.contains("method=\"post\" action=\"/console/audit"), "{trail}");
    let settings = page(system, "/console/settings", &auditor).await;
    assert_eq!(settings.status, 200);
    assert!(!settings.html.contains("action=\"/console/settings"), "{}", settings.html);
    let window = fixture.windows(TEN, TEN + HOUR).await[0]["id"].as_str().unwrap().to_owned();
    let seen = page(system, &format!("/console/windows/{window}"), &auditor).await;
    assert_eq!(seen.status, 200, "{}", seen.html);
    assert!(!seen.html.contains("action=\"/console/windows"), "{}", seen.html);
    for (path, form) in [
        ("/console/settings", [("timezone", "UTC")]),
        ("/console/settings/key", [("name", "mine")]),
        (&*format!("/console/windows/{window}/void"), [("reason", "none")]),
    ] {
        assert_eq!(submit(system, path, &auditor, &form).await.status, 403, "{path}");
        assert_eq!(submit(system, path, &fixture.ann, &form).await.status, 403, "{path}");
    }
    let window = format!("/console/windows/{window}");
    for path in ["/console/audit", "/console/audit/csv", "/console/settings", &window] {
        assert!(matches!(page(system, path, &fixture.ann).await.status, 403 | 404), "{path}");
    }
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_is_filtered_page_by_page_and_taken_away_as_a_table() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    let owner = somebody(system, "Olga", "owner").await;
    for n in 0..60 {
        system.put(&fixture.project_path(), json!({ "name": format!("Name {n}") })).await;
    }
    eventually("the trail knows all", async || {
        let entries = system.get("/api/v1/audit?action=project.updated").await;
        (entries.as_array().unwrap().len() == 60).then_some(())
    })
    .await;
    let first = page(system, "/console/audit?action=project.updated&actor=root", &owner).await.html;
    assert!(first.contains(">Name 59<") && !first.contains(">Name 0<"), "{first}");
    let older = first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    assert!(older.contains("action=project.updated") && older.contains("actor=root"), "{older}");
    let second = page(system, &older, &owner).await.html;
    // "Name 59" is the present name of the project. No change on this page has set this name.
    let is_latest = second.contains("<td class=\"text\">Name 59</td>");
    assert!(second.contains(">Name 0<") && !is_latest && !second.contains("rel=\"next\""), "{second}");
    let csv = page(system, "/console/audit/csv?action=project.updated", &owner).await;
    assert_eq!((csv.status, csv.html.lines().count()), (200, 61), "{}", csv.html);
    assert!(csv.html.starts_with("seq,id,at,"), "{}", csv.html);
    let nothing = page(system, "/console/audit?to=2020-01-01", &owner).await;
    assert!(nothing.status == 200 && nothing.html.contains("Nothing was done"), "{}", nothing.html);
    let wrong = page(system, "/console/audit?actor=nobody&subject=x", &owner).await;
    assert!(wrong.status == 422 && wrong.html.contains("value=\"nobody\""), "{}", wrong.html);
    fixture.system.finish().await;
}
