//! Tests of windows: which are recorded, that each is recorded once, and which are refused or
//! quarantined.

use contracts::{Label, Millis, TaskId, WindowId, shift_id, window_id};
use serde_json::{Value, json};

use crate::{
    fixture::{Fixture, HOUR, MINUTE, TEN, WINDOWS, id, merged},
    shapes::{WINDOW, assert_keys, assert_shape},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_window_is_recorded_as_it_was_sent_with_the_task_and_the_rates_of_that_moment() {
    let fixture = Fixture::start().await;
    let sent = fixture.window(TEN, TEN + HOUR);
    let plain = fixture.post(sent.clone()).await.expect(201);
    assert_shape(&plain, WINDOW);
    let (hwid, task): (_, TaskId) = (Label::parse("9f8e").unwrap(), fixture.task.parse().unwrap());
    let ours = json!({
        "id": window_id(fixture.ann.id, &hwid, Millis(TEN), Millis(TEN + HOUR), task), "employeeId": fixture.ann.id,
        "shiftId": shift_id(fixture.ann.id, &hwid, Millis(TEN)), "type": "tracked", "negativeTime": 0,
        "startTranslated": TEN, "endTranslated": TEN + HOUR, "taskStatus": "To Do", "taskPriority": "Medium",
        "note": null, "domain": null, "billable": true, "overtime": false, "paid": false,
        "billRate": 50.0, "overtimeBillRate": null, "payRate": null, "overtimePayRate": null,
    });
    assert_eq!(plain, merged(plain.clone(), merged(sent, ours)));

    let all = merged(
        fixture.window(TEN + 2 * HOUR, TEN + 3 * HOUR),
        json!({
            "id": kit::new_id::<WindowId>(), "type": "manual", "timezoneOffset": 2 * HOUR, "note": "Line one\nand two",
            "taskStatus": "Done", "taskPriority": "Whatever it was", "domain": "OFFICE", "shiftId": "early shift",
        }),
    );
    for (kind, amount) in [("bill", 60.0), ("overtimeBill", 90.5)] {
        let scope = json!({ "project": fixture.project, "employee": fixture.ann.id });
        let rate = json!({ "scope": scope, "kind": kind, "amount": amount, "validFrom": "2025-10-01" });
        fixture.system.admin("POST", "/api/v1/rate", rate).await.expect(201);
    }
    fixture.system.put(&fixture.task_path(), json!({ "billable": false })).await;
    let full = fixture.post(all.clone()).await.expect(201);
    assert_shape(&full, WINDOW);
    let ours = json!({
        "startTranslated": TEN, "endTranslated": TEN + HOUR, "billRate": 60.0, "overtimeBillRate": 90.5,
        "billable": false, "employeeId": fixture.ann.id,
    });
    assert_eq!(full, merged(full.clone(), merged(all, ours)));
    assert_eq!(fixture.windows(TEN, TEN + 4 * HOUR).await, [plain, full]);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_is_sent_again_is_recorded_once_and_its_id_takes_no_other_content() {
    let (fixture, bob) = Fixture::start_with_bob().await;
    let (system, ann) = (&fixture.system, &fixture.ann);

    let without_id = fixture.window(TEN, TEN + HOUR);
    let first = fixture.post(without_id.clone()).await.expect(201);
    assert_eq!(fixture.post(without_id.clone()).await.expect(200), first);
    let with_id = merged(fixture.window(TEN + HOUR, TEN + 2 * HOUR), json!({ "id": kit::new_id::<WindowId>() }));
    let second = fixture.post(with_id.clone()).await.expect(201);
    assert_eq!(second["id"], with_id["id"]);
    assert_eq!(fixture.post(with_id.clone()).await.expect(200), second);

    // With another note, computer name, type or user it is still the same window.
    for same in
        [json!({ "note": "more" }), json!({ "computer": "new" }), json!({ "timezoneOffset": 0, "type": "manual" })]
    {
        assert_eq!(fixture.post(merged(with_id.clone(), same)).await.expect(200), second);
    }
    assert_eq!(fixture.post(merged(without_id.clone(), json!({ "user": "x" }))).await.expect(200), first);
    for other in [json!({ "end": TEN + 2 * HOUR + MINUTE }), json!({ "start": TEN + HOUR + MINUTE })] {
        assert_eq!(fixture.post(merged(with_id.clone(), other)).await.refused(409), "conflict");
    }

    // Bob posts a window with the id of Ann's window. The refusal reveals nothing of hers.
    let taken = merged(with_id.clone(), json!({ "computer": "bobs" }));
    for body in [taken, with_id.clone()] {
        let refused = system.employee(&bob.token, "POST", WINDOWS, body).await;
        for hers in [ann.id.to_string(), "anns-pc".to_owned(), "9f8e".to_owned(), id(&second)] {
            assert!(!refused.text.contains(&hers), "{}", refused.text);
        }
        assert_eq!(refused.refused(409), "conflict");
    }
    // Bob's own window of the same hour has no id, so it is another window.
    system.employee(&bob.token, "POST", WINDOWS, without_id.clone()).await.expect(201);

    // A window that an admin has changed still accepts the repeated post, without a conflict.
    let query = format!("{WINDOWS}/update?employeeId={}", ann.id);
    let changed = system.put(&query, json!({ "note": "checked", "paid": true })).await;
    assert_eq!(changed["modified_count"], 2);
    let again = fixture.post(with_id).await.expect(200);
    assert_eq!((&again["note"], &again["paid"], &again["id"]), (&json!("checked"), &json!(true), &second["id"]));
    assert_eq!(fixture.windows(TEN, TEN + 3 * HOUR).await.len(), 3);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_is_on_project_and_task_tracks_on_a_task_of_a_project_that_is_not_archived() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    let bob = system.new_employee("Bob", "bob@example.org").await;
    let window = fixture.window(TEN, TEN + HOUR);
    let by_bob = async || system.employee(&bob.token, "POST", WINDOWS, window.clone()).await;

    assert_eq!(by_bob().await.refused(400), "not_on_project");
    system.put(&fixture.project_path(), json!({ "employees": [fixture.ann.id, bob.id] })).await;
    assert_eq!(by_bob().await.refused(400), "not_on_task");
    system.put(&fixture.task_path(), json!({ "employees": [fixture.ann.id, bob.id] })).await;
    by_bob().await.expect(201);

    let second = system.create_project(json!({ "employees": [fixture.ann.id] })).await;
    let foreign = merged(window.clone(), json!({ "projectId": second["id"] }));
    assert_eq!(fixture.post(foreign).await.refused(400), "unknown_task");

    system.put(&fixture.project_path(), json!({ "archived": true })).await;
    let since = system.harness.clock.now().0;
    let meanwhile = fixture.window(since + 1, since + MINUTE);
    assert_eq!(fixture.post(meanwhile).await.refused(400), "project_archived");
    system.put(&fixture.project_path(), json!({ "archived": false })).await;
    fixture.post(window).await.expect(201);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_worked_before_a_removal_count_and_those_after_it_do_not() {
    let fixture = Fixture::start().await;
    let (system, clock) = (&fixture.system, &fixture.system.harness.clock);
    let now = || clock.now().0;
    let mut n = 0;
    let mut post = async |start: i64, end: i64| {
        n += 1;
        fixture.post(merged(fixture.window(start, end), json!({ "hwid": format!("machine {n}") }))).await
    };
    // Ann leaves the project and joins it again. Then she does the same with the task.
    for (path, code) in [(fixture.project_path(), "not_on_project"), (fixture.task_path(), "not_on_task")] {
        let before = now();
        system.put(&path, json!({ "employees": [] })).await;
        let after = now();
        post(before - 2 * HOUR, before - HOUR).await.expect(201);
        post(before - MINUTE, after + MINUTE).await.expect(201);
        assert_eq!(post(after + 1, after + MINUTE).await.refused(400), code);
        fixture.advance(5_000).await;
        assert_eq!(post(after + 1, now() - 1).await.refused(400), code);
        system.put(&fixture.project_path(), json!({ "employees": [fixture.ann.id] })).await;
        system.put(&fixture.task_path(), json!({ "employees": [fixture.ann.id] })).await;
        let back = now();
        post(back + 1, back + MINUTE).await.expect(201);
        let between = post(after + 1, after + 4_000).await.refused(400);
        assert!(between.starts_with("not_on_"), "{between}");
    }
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_breaks_a_limit_or_does_not_fit_is_refused_with_the_field() {
    let fixture = Fixture::start().await;
    let (day, now) = (24 * HOUR, fixture.system.harness.clock.now().0);
    let window = |start: i64, end: i64| fixture.window(start, end);
    let with = |fields: Value| merged(fixture.window(TEN, TEN + HOUR), fields);
    let mut cases = vec![
        ("end", window(TEN, TEN)),
        ("end", window(TEN, TEN - 1)),
        ("end", window(TEN, TEN + day + 1)),
        // These are microseconds instead of milliseconds, which is a common mistake.
        ("end", window(now * 1_000, (now + 1) * 1_000)),
        ("end", window(0, i64::MAX)),
        ("start", window(-1, HOUR)),
        ("start", window(i64::MIN, i64::MIN + 1)),
        ("timezoneOffset", with(json!({ "timezoneOffset": day + 1 }))),
        ("timezoneOffset", with(json!({ "timezoneOffset": 0.5 }))),
        ("id", with(json!({ "id": "mine" }))),
        ("type", with(json!({ "type": "guessed" }))),
        ("type", with(json!({ "type": null }))),
        ("projectId", with(json!({ "projectId": "Website" }))),
    ];
    for field in ["start", "end", "timezoneOffset", "projectId", "taskId"] {
        let mut window = window(TEN, TEN + HOUR);
        window.as_object_mut().unwrap().remove(field);
        cases.push((field, window));
        cases.push((field, with(json!({ field: null }))));
    }
    // Fields whose values an app may not know may be missing, but they may not be null.
    for field in ["computer", "user", "os", "osVersion", "hwid"] {
        cases.push((field, with(json!({ field: null }))));
    }
    for (field, window) in cases {
        let refused = fixture.post(window.clone()).await;
        assert_eq!(refused.body["errors"][0]["field"], field, "{window}");
        assert_eq!(refused.refused(422), "invalid", "{window}");
    }
    assert_eq!(fixture.windows(TEN, now + day).await.len(), 0);
    fixture.record(TEN, TEN + day).await;
    fixture.record(now, now + 4 * MINUTE).await;
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_of_a_clock_that_runs_wrong_is_taken_set_aside_and_not_lost() {
    let fixture = Fixture::start().await;
    let (system, token) = (&fixture.system, &fixture.ann.token);
    let now = system.harness.clock.now().0;
    let seen = async |path: &str| system.employee(token, "GET", path, Value::Null).await.expect(200);

    let ahead = fixture.post(fixture.window(now, now + HOUR)).await;
    let location = ahead.headers["Location"].to_str().unwrap().to_owned();
    let ahead = ahead.expect(202);
    assert_keys(&ahead, &["id", "status", "code", "detail"]);
    assert_eq!((&ahead["status"], &ahead["code"]), (&json!("queued"), &json!("clock_ahead")));
    assert!(ahead["detail"].as_str().unwrap().contains("recorded by itself"), "{ahead}");
    assert_eq!(seen(&location).await, ahead);
    // The same window is posted in a batch, after a good window and before one that is too old.
    let batch = json!({ "windows": [fixture.window(TEN, TEN + HOUR), fixture.window(now, now + HOUR), fixture.window(1, HOUR)] });
    let batch = system.employee(token, "POST", &format!("{WINDOWS}/batch"), batch).await.expect(202);
    let outcome = |n: usize| (batch["items"][n]["status"].as_str().unwrap(), batch["items"][n]["code"].as_str());
    assert_eq!(outcome(0), ("stored", None));
    assert_eq!((outcome(1), outcome(2)), (("queued", Some("clock_ahead")), ("queued", Some("clock_behind"))));
    let behind = &batch["items"][2];
    assert!(behind["detail"].as_str().unwrap().contains("admit or discard"), "{behind}");
    let held = system.get("/api/v1/quarantine").await;
    assert_eq!(held.as_array().unwrap().len(), 2, "{held}");

    // An admin decides about one window. The other is recorded by itself when its time has come.
    let one = format!("/api/v1/quarantine/{}", id(behind));
    assert_eq!(system.employee(token, "POST", &format!("{one}/admit"), Value::Null).await.status, 401);
    system.admin("POST", &format!("{one}/discard"), Value::Null).await.expect(204);
    let discarded = seen(behind["location"].as_str().unwrap()).await;
    assert_eq!((&discarded["status"], &discarded["code"]), (&json!("rejected"), &json!("clock_behind")));
    let decided = system.get("/api/v1/quarantine?decided=true").await;
    assert_eq!(decided[0]["decidedBy"], json!({ "kind": "root", "id": null, "name": "root" }));
    let admitted = system.admin("POST", &format!("{one}/admit"), Value::Null).await.expect(200);
    assert_eq!(admitted["start"], 1);
    assert_eq!(seen(&format!("{WINDOWS}/{}", id(behind))).await, admitted);
    // The window can be recorded five minutes before its end. If the clock advanced by the whole
    // hour, the token would expire.
    fixture.advance(56 * MINUTE).await;
    testkit::eventually("it is recorded by itself", async || (seen(&location).await["start"] == now).then_some(()))
        .await;
    // The window is removed from quarantine only after it is recorded.
    testkit::eventually("nothing is held", async || {
        (system.get("/api/v1/quarantine").await == json!([])).then_some(())
    })
    .await;
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_a_window_is_told_to_its_employee_and_to_admins() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    let bob = system.new_employee("Bob", "bob@example.org").await;
    let recorded = fixture.record(TEN, TEN + HOUR).await;
    let path = format!("{WINDOWS}/{}", id(&recorded));
    let seen = async |token: &str, path: &str| system.employee(token, "GET", path, Value::Null).await;
    assert_eq!(seen(&fixture.ann.token, &path).await.expect(200), recorded);
    assert_eq!(system.get(&path).await, recorded);
    assert_eq!(seen(&bob.token, &path).await.refused(404), "not_found");
    let never = format!("{WINDOWS}/{}", kit::new_id::<WindowId>());
    assert_eq!(seen(&fixture.ann.token, &never).await.refused(404), "not_found");

    // A window for an unknown task is refused at once and quarantined.
    let unknown = merged(
        fixture.window(TEN, TEN + HOUR),
        json!({ "taskId": kit::new_id::<TaskId>(), "id": kit::new_id::<WindowId>() }),
    );
    system.harness.until_consumed(contracts::stream::EVENTS, contracts::Service::Timetrack).await;
    assert_eq!(fixture.post(unknown.clone()).await.refused(400), "unknown_task");
    let path = format!("{WINDOWS}/{}", id(&unknown));
    let rejected = seen(&fixture.ann.token, &path).await.expect(200);
    assert_eq!(seen(&bob.token, &path).await.refused(404), "not_found");
    assert_keys(&rejected, &["id", "status", "code", "detail"]);
    assert_eq!((&rejected["status"], &rejected["code"]), (&json!("rejected"), &json!("unknown_task")));
    assert_eq!(system.get(&path).await, rejected);
    fixture.system.finish().await;
}
