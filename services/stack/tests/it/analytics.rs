//! Tests of the sums of time and money.

use serde_json::{Value, json};

use crate::{
    fixture::{Fixture, HOUR, MINUTE, TEN, WINDOWS, id, merged, nameless},
    shapes::{WINDOW, assert_keys, assert_shape},
};

const SECOND: i64 = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_range_clips_and_ranges_that_adjoin_add_up_to_the_whole() {
    let fixture = Fixture::start().await;
    // One window spans midnight UTC, which is 15 h 6 min 40 s after TEN, and one ends at the end of
    // the range.
    let midnight = (TEN / (24 * HOUR) + 1) * 24 * HOUR;
    fixture.record(midnight - 2 * HOUR, midnight + HOUR).await;
    fixture.record(midnight + 2 * HOUR + 1, midnight + 3 * HOUR + 7).await;
    fixture.record(midnight + 70 * HOUR, midnight + 72 * HOUR).await;
    let (from, to) = (midnight - 24 * HOUR, midnight + 72 * HOUR);
    let whole = 3 * HOUR + (HOUR + 6) + 2 * HOUR;
    assert_eq!(fixture.project_time(from, to).await.0, whole);
    let cuts = [
        vec![from, midnight, to],
        vec![from, midnight - HOUR, midnight + 1, midnight + 2 * HOUR + 1, midnight + 2 * HOUR + 3, to],
        vec![from, midnight - 2 * HOUR, midnight + HOUR, midnight + 71 * HOUR + 13, to],
    ];
    for cut in cuts {
        let mut sum = 0;
        for range in cut.windows(2) {
            sum += fixture.project_time(range[0], range[1]).await.0;
        }
        assert_eq!(sum, whole, "{cut:?}");
    }
    for (start, end, time, income) in [
        (midnight - HOUR, midnight + 30 * MINUTE, 90 * MINUTE, 75.0),
        (midnight, midnight + 24 * HOUR, 2 * HOUR + 6, 100.0),
        (midnight + HOUR, midnight + 2 * HOUR, 0, 0.0),
        (midnight - 1, midnight, 1, 0.0),
    ] {
        assert_eq!(fixture.project_time(start, end).await, (time, 0.0, income), "{}", start - midnight);
    }
    // The list has every window that overlaps the range, even if it is only partly in the range.
    assert_eq!(fixture.windows(midnight, midnight + HOUR).await.len(), 1);
    assert_eq!(fixture.windows(midnight + HOUR, midnight + 2 * HOUR).await.len(), 0);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_second_of_an_employee_counts_once() {
    let (fixture, bob) = Fixture::start_with_bob().await;
    let (system, ann) = (&fixture.system, &fixture.ann);
    let second = system.create_project(json!({ "employees": [ann.id] })).await;
    let of_second = system.create_task(json!({ "projectId": second["id"], "employees": [ann.id] })).await;

    // Where windows overlap, the one that starts first counts, in whatever order they arrive.
    let there = json!({ "projectId": second["id"], "taskId": of_second["id"] });
    fixture.post(merged(fixture.window(TEN + HOUR, TEN + 3 * HOUR), there)).await.expect(201);
    fixture.record(TEN, TEN + 2 * HOUR).await;
    fixture.record(TEN + 30 * MINUTE, TEN + 90 * MINUTE).await;
    system.employee(&bob.token, "POST", WINDOWS, fixture.window(TEN, TEN + 2 * HOUR)).await.expect(201);

    let path = format!("/api/v1/analytics/project-time?start={TEN}&end={}", TEN + 4 * HOUR);
    let times = system.get(&path).await;
    let time_of = |project: &str| {
        let found = times.as_array().unwrap().iter().find(|time| time["id"] == *project).unwrap();
        assert_keys(found, &["id", "time", "costs", "income", "projectName"]);
        found["time"].as_i64().unwrap()
    };
    assert_eq!((time_of(&fixture.project), time_of(&id(&second))), (4 * HOUR, HOUR));
    let negative: Vec<_> =
        fixture.windows(TEN, TEN + 4 * HOUR).await.iter().map(|w| w["negativeTime"].clone()).collect();
    assert_eq!(negative.iter().filter_map(Value::as_i64).sum::<i64>(), 2 * HOUR);

    // The filters select one or two employees, an employee on a project, or tasks.
    let sum = async |query: &str| {
        let times = system.get(&format!("{path}&{query}")).await;
        times.as_array().unwrap().iter().map(|time| time["time"].as_i64().unwrap()).sum::<i64>()
    };
    assert_eq!(sum(&format!("employeeId={}", ann.id)).await, 3 * HOUR);
    assert_eq!(sum(&format!("employeeId={},{}", ann.id, bob.id)).await, 5 * HOUR);
    assert_eq!(sum(&format!("employeeId={}&projectId={}", ann.id, id(&second))).await, HOUR);
    assert_eq!(sum(&format!("taskId={},{}", fixture.task, id(&of_second))).await, 5 * HOUR);
    assert_eq!(sum(&format!("taskId={}", kit::new_id::<contracts::TaskId>())).await, 0);
    let windows = system.get(&format!("{}&employeeId={}", path.replace("project-time", "window"), bob.id)).await;
    assert_eq!(windows.as_array().unwrap().len(), 1);
    assert_shape(&nameless(&windows[0]), WINDOW);

    for bad in
        ["start=1", "end=1", "start=2&end=1", "start=1&end=1", "start=x&end=2", "start=1&end=9223372036854775808"]
    {
        for noun in ["window", "project-time"] {
            let refused = system.admin("GET", &format!("/api/v1/analytics/{noun}?{bad}"), Value::Null).await;
            assert_eq!(refused.refused(422), "invalid", "{noun} {bad}");
        }
    }
    assert_eq!(system.admin("GET", &format!("{path}&taskId=x"), Value::Null).await.refused(422), "invalid");
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_follows_the_rates_of_each_window_and_is_rounded_once() {
    let fixture = Fixture::start().await;
    let (system, ann) = (&fixture.system, &fixture.ann);
    let total = async || fixture.project_time(TEN, TEN + 10 * HOUR).await;
    let update = format!("{WINDOWS}/update?projectId={}", fixture.project);
    let change = async |changes: Value| drop(system.put(&update, changes).await);

    fixture.record(TEN, TEN + HOUR).await;
    assert_eq!(total().await, (HOUR, 0.0, 50.0));
    // Rates are fixed when a window is recorded. The employee's own rate takes precedence over the
    // rate of everybody.
    for (kind, amount) in [("bill", 80.0), ("overtimeBill", 120.0)] {
        let scope = json!({ "project": fixture.project, "employee": ann.id });
        let rate = json!({ "scope": scope, "kind": kind, "amount": amount, "validFrom": "2025-10-01" });
        system.admin("POST", "/api/v1/rate", rate).await.expect(201);
    }
    fixture.record(TEN + HOUR, TEN + 2 * HOUR).await;
    assert_eq!(total().await, (2 * HOUR, 0.0, 130.0));
    // Overtime is counted with its own rate, or with the normal rate if there is none.
    change(json!({ "overtime": true })).await;
    assert_eq!(total().await, (2 * HOUR, 0.0, 170.0));
    change(json!({ "overtimeBillRate": null, "payRate": 30.0 })).await;
    assert_eq!(total().await, (2 * HOUR, 60.0, 130.0));
    change(json!({ "overtimePayRate": 45.5 })).await;
    assert_eq!(total().await, (2 * HOUR, 91.0, 130.0));
    // A window that is not billable has no income, but still has costs.
    change(json!({ "billable": false })).await;
    assert_eq!(total().await, (2 * HOUR, 91.0, 0.0));
    system.put(&fixture.task_path(), json!({ "billable": false })).await;
    assert_eq!(fixture.record(TEN + 2 * HOUR, TEN + 3 * HOUR).await["billable"], false);
    assert_eq!(total().await, (3 * HOUR, 91.0, 0.0));

    // With a rate of 1 per hour, 18 s are half a cent. Only the sum is rounded, and half a cent is
    // rounded up.
    change(json!({ "billable": true, "overtime": false, "billRate": 1.0, "payRate": null })).await;
    let rounded = async |n: i64| fixture.project_time(TEN, TEN + n * 18 * SECOND).await.2;
    assert_eq!((rounded(1).await, rounded(2).await, rounded(3).await), (0.01, 0.01, 0.02));
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_before_a_question_is_counted_in_its_answer() {
    let fixture = Fixture::start().await;
    let (system, ann) = (&fixture.system, &fixture.ann);
    let bob = system.new_employee("Bob", "bob@example.org").await;
    let path = |id: &str| format!("/api/v1/analytics/task-time?employeeId={id}&taskId={}", fixture.task);
    let (mine, his) = (path(&ann.id.to_string()), path(&bob.id.to_string()));
    for n in 1..=20 {
        let (start, end) = (TEN + (n - 1) * HOUR, TEN + n * HOUR - 1);
        fixture.record(start, end).await;
        assert_eq!(fixture.project_time(TEN, TEN + 30 * HOUR).await.0, n * (HOUR - 1), "after {n} windows");
        let answer = system.employee(&ann.token, "GET", &mine, Value::Null).await.expect(200);
        let expected = json!({ "employeeId": ann.id, "taskId": fixture.task, "totalTimeMillis": n * (HOUR - 1) });
        assert_eq!(answer, expected);
        assert_eq!(fixture.windows(TEN, TEN + 30 * HOUR).await.len() as i64, n);
    }
    assert_eq!(system.get(&mine).await["totalTimeMillis"], 20 * (HOUR - 1));
    assert_eq!(system.get(&his).await["totalTimeMillis"], 0);
    assert_eq!(system.employee(&ann.token, "GET", &his, Value::Null).await.refused(403), "forbidden");
    assert_eq!(system.employee(&bob.token, "GET", &mine, Value::Null).await.refused(403), "forbidden");
    let half = format!("/api/v1/analytics/task-time?employeeId={}", ann.id);
    assert_eq!(system.admin("GET", &half, Value::Null).await.refused(422), "invalid");
    fixture.system.finish().await;
}
