//! Tests that project memberships and task assignments always agree with each other, and that the
//! next request after a change sees the change.

use serde_json::{Value, json};
use testkit::eventually;

use crate::fixture::{Fixture, HOUR, MINUTE, TEN, WINDOWS, id, merged};

#[tokio::test(flavor = "multi_thread")]
async fn who_is_taken_off_a_project_is_off_its_tasks_and_sees_it_in_the_very_next_call() {
    let fixture = Fixture::start().await;
    let (system, ann) = (&fixture.system, &fixture.ann);
    let bob = system.new_employee("Bob", "bob@example.org").await;
    let path = format!("/api/v1/employee/{}", ann.id);
    for _ in 0..10 {
        system.put(&fixture.project_path(), json!({ "employees": [ann.id, bob.id] })).await;
        assert_eq!(system.get(&path).await["projects"], json!([fixture.project]));
        system.put(&fixture.task_path(), json!({ "employees": [ann.id, bob.id] })).await;
        let mine = system.employee(&ann.token, "GET", "/api/v1/task", Value::Null).await.expect(200);
        assert_eq!(mine[0]["employees"], json!([ann.id, bob.id]));

        system.put(&fixture.project_path(), json!({ "employees": [bob.id] })).await;
        let me = system.employee(&ann.token, "GET", "/api/auth/me", Value::Null).await.expect(200);
        assert_eq!(me["projects"], json!([]));
        assert_eq!(system.get(&fixture.task_path()).await["employees"], json!([bob.id]));
        let project = system.employee(&ann.token, "GET", &fixture.project_path(), Value::Null).await;
        assert_eq!(project.refused(404), "not_found");
        let task = system.employee(&ann.token, "GET", &fixture.task_path(), Value::Null).await;
        assert_eq!(task.refused(404), "not_found");
        let tasks = system.employee(&ann.token, "GET", "/api/v1/task", Value::Null).await.expect(200);
        assert_eq!(tasks, json!([]));
    }
    // An employee who joins a project again is not on its tasks.
    system.put(&fixture.project_path(), json!({ "employees": [bob.id, ann.id] })).await;
    assert_eq!(system.get(&fixture.task_path()).await["employees"], json!([bob.id]));
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deactivated_is_off_everything_in_the_very_next_call_and_is_put_on_nothing() {
    let fixture = Fixture::start().await;
    let (system, ann) = (&fixture.system, &fixture.ann);
    let second = system.create_project(json!({ "name": "Second", "employees": [ann.id] })).await;
    let of_second = system.create_task(json!({ "projectId": second["id"], "employees": [ann.id] })).await;
    let path = format!("/api/v1/employee/{}", ann.id);
    assert_eq!(system.get(&path).await["projects"].as_array().unwrap().len(), 2);

    let gone = system.admin("POST", &format!("{path}/deactivate"), Value::Null).await.expect(200);
    assert_eq!(gone["projects"], json!([]));
    for project in system.get("/api/v1/project").await.as_array().unwrap() {
        assert_eq!(project["employees"], json!([]));
    }
    for task in system.get("/api/v1/task").await.as_array().unwrap() {
        assert_eq!(task["employees"], json!([]));
    }
    let employees = json!({ "employees": [ann.id] });
    let refused = async |method: &str, path: &str, mut body: Value| {
        body["employees"] = employees["employees"].clone();
        system.admin(method, path, body).await.refused(400)
    };
    let second_path = format!("/api/v1/task/{}", id(&of_second));
    assert_eq!(refused("POST", "/api/v1/project", json!({ "name": "Third" })).await, "employee_deactivated");
    assert_eq!(refused("PUT", &fixture.project_path(), json!({})).await, "employee_deactivated");
    let task = json!({ "name": "Third", "projectId": fixture.project });
    assert_eq!(refused("POST", "/api/v1/task", task).await, "employee_deactivated");
    assert_eq!(refused("PUT", &second_path, json!({})).await, "employee_deactivated");
    assert_eq!(system.get("/api/v1/project").await.as_array().unwrap().len(), 2);
    assert_eq!(system.get("/api/v1/task").await.as_array().unwrap().len(), 2);

    let back = system.admin("POST", &format!("{path}/reactivate"), Value::Null).await.expect(200);
    assert_eq!(back["projects"], json!([]), "on no project");
    let project = system.put(&fixture.project_path(), employees).await;
    assert_eq!(project["employees"], json!([ann.id]));
    assert_eq!(system.get(&path).await["projects"], json!([fixture.project]));
    assert_eq!(system.get(&fixture.task_path()).await["employees"], json!([]));
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_on_a_task_without_being_on_its_project() {
    let fixture = Fixture::start().await;
    let (system, ann) = (&fixture.system, &fixture.ann);
    let bob = system.invite("Bob", "bob@example.org").await;
    let other = system.create_project(json!({ "name": "Other", "employees": [bob["id"]] })).await;
    let before = system.get(&fixture.task_path()).await;
    for (method, path, body) in [
        ("POST", "/api/v1/task", json!({ "name": "T", "projectId": fixture.project, "employees": [bob["id"]] })),
        ("PUT", &fixture.task_path(), json!({ "employees": [ann.id, bob["id"]] })),
        ("PUT", &fixture.task_path(), json!({ "projectId": other["id"] })),
        ("PUT", &fixture.task_path(), json!({ "projectId": other["id"], "employees": [ann.id, bob["id"]] })),
    ] {
        assert_eq!(system.admin(method, path, body.clone()).await.refused(400), "not_on_project", "{body}");
    }
    assert_eq!(system.get("/api/v1/task").await, json!([before]));
    // The task may move with assignees who are members of the other project. After the move, time
    // on the task for the old project is refused.
    system.put(&fixture.task_path(), json!({ "projectId": other["id"], "employees": [bob["id"]] })).await;
    let since = system.harness.clock.now().0;
    assert_eq!(fixture.post(fixture.window(since + 1, since + MINUTE)).await.refused(400), "unknown_task");
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tasks_of_a_deleted_project_go_and_its_recorded_time_stays() {
    let fixture = Fixture::start().await;
    let (system, ann) = (&fixture.system, &fixture.ann);
    let recorded = fixture.record(TEN, TEN + HOUR).await;
    system.admin("DELETE", &fixture.project_path(), Value::Null).await.expect(204);
    assert_eq!(system.admin("GET", &fixture.task_path(), Value::Null).await.refused(404), "not_found");
    assert_eq!(system.get("/api/v1/task").await, json!([]));
    let me = system.employee(&ann.token, "GET", "/api/auth/me", Value::Null).await.expect(200);
    assert_eq!(me["projects"], json!([]));
    assert_eq!(fixture.project_time(TEN, TEN + HOUR).await, (HOUR, 0.0, 50.0));
    assert_eq!(fixture.windows(TEN, TEN + HOUR).await[..], *std::slice::from_ref(&recorded));
    let since = system.harness.clock.now().0;
    assert_eq!(fixture.post(fixture.window(since + 1, since + MINUTE)).await.refused(400), "unknown_project");
    assert_eq!(fixture.post(fixture.window(TEN, TEN + HOUR)).await.expect(200), recorded, "it was recorded before");

    // When only the task is deleted, its recorded time stays too, and new time on it is refused.
    let project = system.create_project(json!({ "employees": [ann.id] })).await;
    let task = system.create_task(json!({ "projectId": project["id"], "employees": [ann.id] })).await;
    let mut window = fixture.window(TEN + HOUR, TEN + 2 * HOUR);
    (window["projectId"], window["taskId"]) = (project["id"].clone(), task["id"].clone());
    fixture.post(window.clone()).await.expect(201);
    system.admin("DELETE", &format!("/api/v1/task/{}", id(&task)), Value::Null).await.expect(204);
    let since = system.harness.clock.now().0;
    (window["start"], window["end"]) = (json!(since + 1), json!(since + MINUTE));
    assert_eq!(system.employee(&ann.token, "POST", WINDOWS, window).await.refused(400), "unknown_task");
    let query = format!("employeeId={}&taskId={}", ann.id, id(&task));
    assert_eq!(system.get(&format!("/api/v1/analytics/task-time?{query}")).await["totalTimeMillis"], HOUR);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_projects_that_are_sent_with_an_employee_are_the_ones_they_are_on() {
    let fixture = Fixture::start().await;
    let (system, ann) = (&fixture.system, &fixture.ann);
    let path = format!("/api/v1/employee/{}", ann.id);
    let second = id(&system.create_project(json!({ "name": "Second" })).await);
    let on = async || system.get(&path).await["projects"].clone();

    let changed = system.put(&path, json!({ "projects": [second], "title": "Engineer" })).await;
    assert_eq!((&changed["projects"], &changed["title"]), (&json!([second]), &json!("Engineer")));
    assert_eq!(on().await, json!([second]));
    assert_eq!(system.get(&fixture.task_path()).await["employees"], json!([]));
    assert_eq!(system.get(&fixture.project_path()).await["employees"], json!([]));
    let task = system.create_task(json!({ "projectId": second, "employees": [ann.id] })).await;
    let there = json!({ "projectId": second, "taskId": task["id"] });
    fixture.post(merged(fixture.window(TEN, TEN + HOUR), there)).await.expect(201);

    // If a part of the change is refused, nothing of it is changed.
    system.new_employee("Bob", "bob@example.org").await;
    let nowhere = kit::new_id::<contracts::ProjectId>();
    for (changes, status, code) in [
        (json!({ "name": "Anna", "projects": [nowhere] }), 400, "unknown_project"),
        (json!({ "email": "bob@example.org", "projects": [] }), 400, "email_taken"),
        (json!({ "projects": null }), 422, "invalid"),
        (json!({ "projects": ["x"] }), 422, "invalid"),
    ] {
        assert_eq!(system.admin("PUT", &path, changes.clone()).await.refused(status), code, "{changes}");
    }
    assert_eq!((on().await, &system.get(&path).await["name"]), (json!([second]), &json!("Ann")));
    let nobody = format!("/api/v1/employee/{}", kit::new_id::<contracts::EmployeeId>());
    assert_eq!(system.admin("PUT", &nobody, json!({ "projects": [] })).await.refused(404), "not_found");

    assert_eq!(system.put(&path, json!({ "projects": [] })).await["projects"], json!([]));
    assert_eq!(on().await, json!([]));
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_from_before_an_archive_a_move_a_deletion_or_a_deactivation_are_recorded_and_those_since_are_not() {
    let fixture = Fixture::start().await;
    let (system, ann) = (&fixture.system, &fixture.ann);
    let employees = json!([ann.id]);
    let on_task = |project: &Value, task: &Value, start: i64, end: i64| {
        let fields = json!({ "projectId": project["id"], "taskId": task["id"], "hwid": id(task) });
        merged(fixture.window(start, end), fields)
    };
    let new_task = async || {
        let project = system.create_project(json!({ "employees": employees })).await;
        let task = system.create_task(json!({ "projectId": project["id"], "employees": employees })).await;
        (project, task)
    };
    let path = |kind: &str, of: &Value| format!("/api/v1/{kind}/{}", id(of));
    let both = async |project: &Value, task: &Value, code: &str| {
        let since = system.harness.clock.now().0;
        fixture.post(on_task(project, task, TEN, TEN + HOUR)).await.expect(201);
        // This window began before the change and ends after it. A client that was offline may send
        // it later.
        fixture.post(on_task(project, task, since - HOUR, since + MINUTE)).await.expect(201);
        let refused = fixture.post(on_task(project, task, since + 1, since + 2 * MINUTE)).await;
        assert_eq!(refused.refused(400), code);
        since
    };

    let (project, task) = new_task().await;
    system.put(&path("project", &project), json!({ "archived": true })).await;
    both(&project, &task, "project_archived").await;
    // After the project is unarchived, it accepts time again.
    system.put(&path("project", &project), json!({ "archived": false })).await;
    let back = system.harness.clock.now().0;
    fixture.post(on_task(&project, &task, back + 1, back + MINUTE)).await.expect(201);

    let (project, task) = new_task().await;
    system.admin("DELETE", &path("task", &task), Value::Null).await.expect(204);
    both(&project, &task, "unknown_task").await;

    let (project, task) = new_task().await;
    system.admin("DELETE", &path("project", &project), Value::Null).await.expect(204);
    both(&project, &task, "unknown_project").await;

    // Ann stays on a task that moves. Time after the move is for the new project, and earlier time
    // is for the old one.
    let ((old, task), (new, _)) = (new_task().await, new_task().await);
    system.put(&path("task", &task), json!({ "projectId": new["id"] })).await;
    let since = both(&old, &task, "unknown_task").await;
    fixture.post(on_task(&new, &task, since + 1, since + 3 * MINUTE)).await.expect(201);
    assert_eq!(fixture.post(on_task(&new, &task, TEN, TEN + 2 * HOUR)).await.refused(400), "unknown_task");

    // After a deactivation and a reactivation, time from before the deactivation is accepted, and
    // time between the two is refused.
    let ann_path = format!("/api/v1/employee/{}", ann.id);
    let (project, task) = new_task().await;
    system.admin("POST", &format!("{ann_path}/deactivate"), Value::Null).await.expect(200);
    let away = system.harness.clock.now().0;
    eventually("a moment has passed", async || (system.harness.clock.now().0 > away + 1).then_some(())).await;
    system.admin("POST", &format!("{ann_path}/reactivate"), Value::Null).await.expect(200);
    let token = system.login(&ann.email, &ann.password).await.expect(200)["access_token"].as_str().unwrap().to_owned();
    let post = async |start, end| system.employee(&token, "POST", WINDOWS, on_task(&project, &task, start, end)).await;
    post(TEN, TEN + HOUR).await.expect(201);
    post(away - HOUR, away).await.expect(201);
    assert_eq!(post(away, away + 1).await.refused(400), "employee_deactivated");
    fixture.system.finish().await;
}
