//! Tests of bulk updates, in which admins change many recorded windows at once.

use serde_json::{Value, json};

use crate::fixture::{Fixture, HOUR, MINUTE, TEN, WINDOWS, id, merged};

#[tokio::test(flavor = "multi_thread")]
async fn an_update_changes_every_window_of_its_filter_and_no_other() {
    let (fixture, bob) = Fixture::start_with_bob().await;
    let (system, ann) = (&fixture.system, &fixture.ann);
    let second = system.create_project(json!({ "employees": [ann.id] })).await;
    let of_second = system.create_task(json!({ "projectId": second["id"], "employees": [ann.id] })).await;
    fixture.record(TEN, TEN + HOUR).await;
    let by_bob = system.employee(&bob.token, "POST", WINDOWS, fixture.window(TEN, TEN + HOUR)).await.expect(201);
    let there = json!({ "projectId": second["id"], "taskId": of_second["id"] });
    fixture.post(merged(fixture.window(TEN + HOUR, TEN + 2 * HOUR), there)).await.expect(201);

    let update =
        async |query: &str, changes: Value| system.admin("PUT", &format!("{WINDOWS}/update{query}"), changes).await;
    let all = format!("?employeeId={},{}", ann.id, bob.id);
    let anns = format!("?employeeId={}", ann.id);
    let here = format!("?projectId={}", fixture.project);
    let both = format!("{anns}&projectId={}", fixture.project);
    let nobody = format!("?employeeId={}", kit::new_id::<contracts::EmployeeId>());
    for (query, count) in [(&all, 3), (&anns, 2), (&here, 2), (&both, 1), (&nobody, 0)] {
        let note = json!(format!("{count} by {query}"));
        let answer = update(query, json!({ "note": note })).await.expect(200);
        assert_eq!(answer["modified_count"], count, "{query}");
        assert!(answer["message"].is_string() && answer.as_object().unwrap().len() == 2, "{answer}");
        let changed = fixture.windows(TEN, TEN + 2 * HOUR).await;
        assert_eq!(changed.iter().filter(|window| window["note"] == note).count(), count, "{query}");
    }

    let before = fixture.windows(TEN, TEN + 2 * HOUR).await;
    assert_eq!(update("", json!({ "paid": true })).await.refused(400), "no_filter");
    assert_eq!(update(&anns, json!({})).await.refused(400), "nothing_to_change");
    assert_eq!(update(&anns, json!({ "start": 5 })).await.refused(400), "nothing_to_change");
    for query in ["?employeeId=", "?employeeId=Ann", "?projectId=1,2"] {
        assert_eq!(update(query, json!({ "paid": true })).await.refused(422), "invalid", "{query}");
    }
    for (field, value) in [
        ("paid", Value::Null),
        ("billable", Value::Null),
        ("overtime", json!("yes")),
        ("taskStatus", Value::Null),
        ("taskPriority", json!(1)),
        ("billRate", json!(-1)),
        ("payRate", json!(1e300)),
        ("overtimePayRate", json!(0.00001)),
    ] {
        let refused = update(&anns, json!({ "note": "spoilt", field: value })).await;
        assert_eq!(refused.body["errors"][0]["field"], field, "{value}");
        assert_eq!(refused.refused(422), "invalid");
    }
    assert_eq!(fixture.windows(TEN, TEN + 2 * HOUR).await, before);

    let every = json!({
        "taskStatus": "Done", "taskPriority": "Odd", "paid": true, "billable": false, "overtime": true, "note": "n",
        "billRate": 1.5, "overtimeBillRate": 2.25, "payRate": 3.0, "overtimePayRate": 4.0001,
    });
    let cleared =
        json!({ "note": null, "billRate": null, "overtimeBillRate": null, "payRate": null, "overtimePayRate": null });
    for changes in [every, cleared] {
        assert_eq!(update(&both, changes.clone()).await.expect(200)["modified_count"], 1);
        let windows = fixture.windows(TEN, TEN + 2 * HOUR).await;
        let changed = windows.iter().find(|w| w["employeeId"] == json!(ann.id) && w["projectId"] == *fixture.project);
        let changed = changed.unwrap();
        assert_eq!(*changed, merged(changed.clone(), changes));
        let his = windows.iter().find(|window| window["id"] == by_bob["id"]).unwrap();
        assert_eq!(his["paid"], false, "{}", id(his));
    }
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_changes_only_what_all_filters_take_and_each_window_in_one_month_only() {
    let fixture = Fixture::start().await;
    let (system, ann) = (&fixture.system, &fixture.ann);
    let other = id(&system.create_task(json!({ "projectId": fixture.project, "employees": [ann.id] })).await);
    let at = |hour: i64| TEN + hour * HOUR;
    let post = async |hour: i64, fields: Value| {
        id(&fixture.post(merged(fixture.window(at(hour), at(hour + 1)), fields)).await.expect(201))
    };
    let first = post(0, json!({ "shiftId": "early" })).await;
    let second = post(1, json!({ "shiftId": "late" })).await;
    let elsewhere = post(2, json!({ "taskId": other, "shiftId": "late" })).await;
    let changed = async |query: String| {
        let mark = json!({ "note": query });
        system.admin("PUT", &format!("{WINDOWS}/update?{query}"), mark.clone()).await.expect(200);
        let windows = fixture.windows(TEN, at(24)).await;
        let marked = windows.iter().filter(|window| window["note"] == mark["note"]);
        marked.map(id).collect::<Vec<_>>()
    };
    let project = format!("projectId={}", fixture.project);
    assert_eq!(changed(format!("{project}&taskId={other}")).await, std::slice::from_ref(&elsewhere));
    assert_eq!(changed(format!("taskId={}", fixture.task)).await, [first.clone(), second.clone()]);
    assert_eq!(changed(format!("{project}&shiftId=late")).await, [second.clone(), elsewhere.clone()]);
    assert_eq!(changed(format!("shiftId=late&taskId={}", fixture.task)).await, std::slice::from_ref(&second));
    // A range selects the windows that begin in it. This range ends within the second window.
    let edge = at(1) + MINUTE;
    assert_eq!(changed(format!("{project}&start={TEN}&end={edge}")).await, [first.clone(), second.clone()]);
    assert_eq!(changed(format!("{project}&start={edge}&end={}", at(24))).await, std::slice::from_ref(&elsewhere));
    assert_eq!(changed(format!("{project}&start={}", at(1))).await, [second, elsewhere]);
    assert_eq!(changed(format!("{project}&end={}", at(1))).await, [first]);
    fixture.system.finish().await;
}
