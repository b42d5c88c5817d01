//! Tests of the names beside ids in reports and lists.

use contracts::Service;
use serde_json::{Value, json};

use crate::fixture::{Fixture, HOUR, TEN, merged};

fn path(noun: &str, query: &str) -> String {
    format!("/api/v1/analytics/{noun}?start={TEN}&end={}{query}", TEN + 100 * HOUR)
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_and_lists_say_the_names_of_what_they_are_about_also_once_it_is_deleted() {
    let fixture = Fixture::start().await;
    fixture.record(TEN, TEN + HOUR).await;
    let named = |row: &Value| [&row["projectName"], &row["taskName"], &row["employeeName"]].map(Value::clone);
    let (website, front_page, ann) = (json!("Website"), json!("Front page"), json!("Ann"));
    let none = Value::Null;
    let expected = async |website: &Value, front_page: &Value| {
        for (path, names) in [
            (path("window", ""), [website, front_page, &ann]),
            (path("window", "&limit=1"), [website, front_page, &ann]),
            (path("project-time", ""), [website, &none, &none]),
            (path("time", "&groupBy=project,task,employee"), [website, front_page, &ann]),
            (path("time", "&groupBy=employee,day"), [&none, &none, &ann]),
            (path("time", "&groupBy=month"), [&none, &none, &none]),
        ] {
            let rows = fixture.system.get(&path).await;
            assert_eq!(rows.as_array().map(Vec::len), Some(1), "{path}");
            assert_eq!(named(&rows[0]).each_ref(), names, "{path}");
        }
    };
    expected(&website, &front_page).await;
    // The employee sees the names in her own report too.
    let by_task = path("time", "&groupBy=project,task");
    let hers = fixture.system.employee(&fixture.ann.token, "GET", &by_task, none.clone()).await.expect(200);
    assert_eq!(named(&hers[0]), [website, front_page.clone(), none.clone()]);
    // A new name appears at once, and stays after the project is deleted with its tasks.
    fixture.system.put(&fixture.project_path(), json!({ "name": "Relaunch" })).await;
    expected(&json!("Relaunch"), &front_page).await;
    fixture.system.admin("DELETE", &fixture.project_path(), none.clone()).await.expect(204);
    expected(&json!("Relaunch"), &front_page).await;
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_at_once_each_get_their_own_names_and_new_ones_at_once() {
    let fixture = Fixture::start().await;
    fixture.record(TEN, TEN + HOUR).await;
    for round in 0..5 {
        let name = format!("Website {round}");
        fixture.system.put(&fixture.project_path(), json!({ "name": name })).await;
        let asked = (0..24).map(async |n| {
            let by = ["project", "employee", "task,employee"][n % 3];
            let rows = fixture.system.get(&path("time", &format!("&groupBy={by}"))).await;
            let expected = [json!([name, null, null]), json!([null, null, "Ann"]), json!([null, "Front page", "Ann"])];
            let row = &rows[0];
            assert_eq!(json!([row["projectName"], row["taskName"], row["employeeName"]]), expected[n % 3]);
        });
        futures::future::join_all(asked).await;
    }
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_says_the_name_of_a_project_that_it_did_not_have_when_it_was_last_asked_for() {
    let fixture = Fixture::start().await;
    fixture.record(TEN, TEN + HOUR).await;
    let report = path("project-time", "");
    let names = async || -> Vec<Value> {
        let rows = fixture.system.get(&report).await;
        let mut names: Vec<Value> = rows.as_array().unwrap().iter().map(|row| row["projectName"].clone()).collect();
        names.sort_by_key(Value::to_string);
        names
    };
    assert_eq!(names().await, ["Website"]);
    assert_eq!(names().await, ["Website"]);
    let people = json!([fixture.ann.id]);
    let shop = fixture.system.create_project(json!({ "name": "Shop", "employees": people })).await;
    let task = fixture.system.create_task(json!({ "projectId": shop["id"], "employees": people })).await;
    let window = fixture.window(TEN + HOUR, TEN + 2 * HOUR);
    fixture.post(merged(window, json!({ "projectId": shop["id"], "taskId": task["id"] }))).await.expect(201);
    assert_eq!(names().await, ["Shop", "Website"]);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_comes_without_names_where_those_who_know_them_are_away() {
    let mut fixture = Fixture::start().await;
    let window = fixture.record(TEN, TEN + HOUR).await;
    fixture.system.running(Service::Directory).stop().await;
    fixture.system.running(Service::Projects).stop().await;
    assert_eq!(fixture.system.get(&path("window", "")).await, json!([window]));
    let row = json!({ "id": fixture.project, "time": HOUR, "costs": 0.0, "income": 50.0 });
    assert_eq!(fixture.system.get(&path("project-time", "")).await, json!([row]));
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_finds_the_window_of_a_sleeping_laptop_and_the_day_that_it_made() {
    let fixture = Fixture::start().await;
    let midnight = (TEN / (24 * HOUR) + 1) * 24 * HOUR;
    let asleep = fixture.record(midnight, midnight + 23 * HOUR).await;
    let other = merged(fixture.window(midnight + 9 * HOUR, midnight + 11 * HOUR), json!({ "hwid": "another" }));
    let other = fixture.post(other).await.expect(201);
    let names = json!({ "projectName": "Website", "taskName": "Front page", "employeeName": "Ann" });
    let of = |window: &Value| {
        json!({
            "id": window["id"], "projectId": fixture.project, "taskId": fixture.task, "start": window["start"],
            "end": window["end"], "computer": "anns-pc", "takenTime": 2 * HOUR,
        })
    };
    let overlap = json!({
        "employeeId": fixture.ann.id, "takenFromCount": 1, "takenFromOtherComputers": 2 * HOUR, "takenFrom": [of(&other)],
    });
    let overlap = merged(merged(of(&asleep), overlap), names);
    assert_eq!(fixture.system.get(&path("overlaps", "")).await, json!([overlap]));
    assert_eq!(
        fixture.system.get(&path("overlaps", &format!("&employeeId={}", fixture.ann.id))).await,
        json!([overlap])
    );
    assert_eq!(fixture.system.get(&path("overlaps", &format!("&projectId={}", fixture.ann.id))).await, json!([]));

    let day = json!({
        "day": "2025-10-10", "employeeId": fixture.ann.id, "employeeName": "Ann", "time": 23 * HOUR,
        "windowTime": 25 * HOUR, "windowCount": 2,
        "longest": {
            "id": asleep["id"], "projectId": fixture.project, "taskId": fixture.task, "start": asleep["start"],
            "end": asleep["end"],
        },
    });
    assert_eq!(fixture.system.get(&path("long-days", "&limit=5")).await, json!([day]));
    assert_eq!(fixture.system.get(&path("long-days", "&hours=24")).await, json!([]));
    for hours in ["0", "25", "x", "1.5"] {
        let refused = fixture.system.admin("GET", &path("long-days", &format!("&hours={hours}")), Value::Null).await;
        assert_eq!(refused.body["errors"][0]["field"], "hours");
        assert_eq!(refused.refused(422), "invalid");
    }

    // When an admin has voided the long window, no windows overlap any more, and no day is too
    // long.
    let void = format!("/api/v1/time-entries/{}", asleep["id"].as_str().unwrap());
    fixture.system.admin("DELETE", &void, Value::Null).await.expect(204);
    assert_eq!(fixture.system.get(&path("overlaps", "")).await, json!([]));
    assert_eq!(fixture.system.get(&path("long-days", "")).await, json!([]));
    fixture.system.finish().await;
}
