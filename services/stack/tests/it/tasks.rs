//! Tests of tasks: what admins change, and what employees see.

use contracts::{ProjectId, TaskId};
use serde_json::{Value, json};

use crate::{
    fixture::{Fixture, id, merged},
    shapes::{TASK, TASK_SUMMARY, assert_shape},
};

const PATH: &str = "/api/v1/task";

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_created_read_listed_changed_and_deleted() {
    let fixture = Fixture::start().await;
    let (system, ann) = (&fixture.system, &fixture.ann);
    let bob = system.new_employee("Bob", "bob@example.org").await;
    let first = system.get(&fixture.task_path()).await;
    assert_shape(&first, TASK);
    let defaults = json!({ "description": null, "billable": true, "status": "To Do", "priority": "Medium" });
    assert_eq!(first, merged(first.clone(), defaults));

    let other = system.create_project(json!({ "name": "Other", "employees": [bob.id] })).await;
    let all = json!({
        "name": "Draw it", "projectId": other["id"], "description": "By hand", "billable": false,
        "employees": [bob.id], "status": "Done", "priority": "High",
    });
    let second = system.admin("POST", PATH, all.clone()).await.expect(201);
    assert_shape(&second, TASK);
    assert_eq!(second, merged(second.clone(), all));
    let path = format!("{PATH}/{}", id(&second));
    assert_eq!(system.get(&path).await, second);
    assert_eq!(system.get(PATH).await, json!([first, second]));
    assert_eq!(system.get(&format!("{PATH}?projectId={}", id(&other))).await, json!([second]));
    let nothing = format!("{PATH}?projectId={}", kit::new_id::<ProjectId>());
    assert_eq!(system.get(&nothing).await, json!([]));

    // Employees see the tasks of their own projects, in lists and one at a time.
    let mine = system.employee(&ann.token, "GET", PATH, Value::Null).await.expect(200);
    assert_eq!(mine.as_array().unwrap().len(), 1);
    assert_shape(&mine[0], TASK_SUMMARY);
    assert_eq!(first, merged(first.clone(), mine[0].clone()));
    let of_project = format!("{PATH}?projectId={}", fixture.project);
    assert_eq!(system.employee(&ann.token, "GET", &of_project, Value::Null).await.expect(200), mine);
    assert_eq!(system.employee(&ann.token, "GET", &fixture.task_path(), Value::Null).await.expect(200), first);
    assert_eq!(system.employee(&ann.token, "GET", &path, Value::Null).await.refused(404), "not_found");
    let of_other = format!("{PATH}?projectId={}", id(&other));
    let others = system.employee(&ann.token, "GET", &of_other, Value::Null).await;
    assert!(others.status == 404 || others.body == json!([]), "{}", others.text);
    assert!(!others.text.contains(&id(&second)));

    let mut now = second;
    for change in [
        json!({ "name": "Paint it" }),
        json!({ "description": null }),
        json!({ "billable": true }),
        json!({ "employees": [] }),
        json!({ "status": "In Progress", "priority": "Low" }),
        json!({ "projectId": fixture.project, "employees": [ann.id] }),
    ] {
        let expected = merged(now, change.clone());
        now = system.put(&path, change).await;
        assert_eq!(now, expected);
        assert_eq!(system.get(&path).await, now);
    }

    assert_eq!(system.admin("DELETE", &path, Value::Null).await.expect(204), Value::Null);
    for (method, body) in [("GET", Value::Null), ("PUT", json!({ "name": "A" })), ("DELETE", Value::Null)] {
        assert_eq!(system.admin(method, &path, body.clone()).await.refused(404), "not_found");
        let never = format!("{PATH}/{}", kit::new_id::<TaskId>());
        assert_eq!(system.admin(method, &never, body).await.refused(404), "not_found");
    }
    assert_eq!(system.get(PATH).await, json!([first]));
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_or_does_not_fit_a_task_changes_nothing() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    let bob = system.invite("Bob", "bob@example.org").await;
    let nobody = kit::new_id::<contracts::EmployeeId>();
    system.put(&fixture.task_path(), json!({ "description": "Mine" })).await;
    let before = system.get(PATH).await;
    let other = system.create_project(json!({ "name": "Other", "statuses": ["To Do"] })).await;

    for (codes, fields) in [
        (&["unknown_project"][..], json!({ "projectId": kit::new_id::<ProjectId>() })),
        (&["not_on_project"], json!({ "employees": [fixture.ann.id, bob["id"]] })),
        (&["not_on_project"], json!({ "projectId": other["id"], "employees": [fixture.ann.id] })),
        (&["unknown_employee", "not_on_project"], json!({ "employees": [nobody] })),
        (&["unknown_status"], json!({ "status": "Stuck" })),
        (&["unknown_status"], json!({ "projectId": other["id"], "employees": [], "status": "Done" })),
        (&["unknown_priority"], json!({ "priority": "to do" })),
    ] {
        let body = merged(json!({ "name": "New", "projectId": fixture.project }), fields);
        for (method, path) in [("POST", PATH), ("PUT", &fixture.task_path())] {
            let code = system.admin(method, path, body.clone()).await.refused(400);
            assert!(codes.contains(&code.as_str()), "{code}: {method} {body}");
        }
    }
    // The move is refused, because an assignee of the task is not a member of the other project.
    let moved = system.admin("PUT", &fixture.task_path(), json!({ "projectId": other["id"] })).await;
    assert_eq!(moved.refused(400), "not_on_project");
    let nothing = system.admin("PUT", &fixture.task_path(), json!({ "creatorId": "me" })).await;
    assert_eq!(nothing.refused(400), "nothing_to_change");

    for (field, value) in [
        ("name", json!(null)),
        ("name", json!("")),
        ("projectId", json!(null)),
        ("projectId", json!("Website")),
        ("billable", json!(null)),
        ("employees", json!(null)),
        ("status", json!(null)),
        ("priority", json!(5)),
        ("description", json!(["x"])),
    ] {
        let body = merged(json!({ "name": "New", "projectId": fixture.project }), json!({ field: value }));
        for (method, path) in [("POST", PATH), ("PUT", &fixture.task_path())] {
            let refused = system.admin(method, path, body.clone()).await;
            assert_eq!(refused.body["errors"][0]["field"], field, "{method} {body}");
            assert_eq!(refused.refused(422), "invalid", "{method} {body}");
        }
    }
    let list = system.admin("GET", &format!("{PATH}?projectId=Website"), Value::Null).await;
    assert_eq!(list.refused(422), "invalid");
    assert_eq!(system.get(PATH).await, before, "whole, and the only one");
    fixture.system.finish().await;
}
