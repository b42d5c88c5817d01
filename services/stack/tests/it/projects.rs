//! Tests of projects: what admins change, and what employees see.

use contracts::ProjectId;
use serde_json::{Value, json};

use crate::{
    fixture::{id, merged},
    shapes::{PROJECT, PROJECT_SUMMARY, assert_shape},
    support::System,
};

const PATH: &str = "/api/v1/project";

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_created_read_listed_changed_archived_and_deleted() {
    let system = System::start().await;
    let (ann, bob) =
        (system.new_employee("Ann", "ann@example.org").await, system.new_employee("Bob", "bob@example.org").await);
    let plain = system.admin("POST", PATH, json!({ "name": "Plain" })).await.expect(201);
    assert_shape(&plain, PROJECT);
    let defaults = json!({
        "description": null, "billable": true, "employees": [], "payroll": {}, "archived": false,
        "statuses": ["To Do", "In Progress", "Done"], "priorities": ["Low", "Medium", "High"],
    });
    assert_eq!(plain, merged(plain.clone(), defaults));

    let all = json!({
        "name": "Website", "description": "All of it\nand more", "billable": false, "employees": [ann.id],
        "statuses": ["Open", "Shut"], "priorities": ["One"], "screenshotSettings": { "screenshotEnabled": true },
        "payroll": { "*": { "billRate": 50.5 }, (ann.id.to_string()): { "billRate": 60.0, "overtimeBillRate": 90.0 } },
    });
    let website = system.admin("POST", PATH, all.clone()).await.expect(201);
    assert_shape(&website, PROJECT);
    assert_eq!(website, merged(website.clone(), all));
    let path = format!("{PATH}/{}", id(&website));
    assert_eq!(system.get(&path).await, website);
    assert_eq!(system.get(PATH).await, json!([plain, website]));

    let summary = system.employee(&ann.token, "GET", &path, Value::Null).await.expect(200);
    assert_shape(&summary, PROJECT_SUMMARY);
    assert_eq!(website, merged(website.clone(), summary));
    assert_eq!(system.employee(&bob.token, "GET", &path, Value::Null).await.refused(404), "not_found");

    let mut now = website;
    for change in [
        json!({ "name": "Web" }),
        json!({ "description": null }),
        json!({ "description": "Some of it" }),
        json!({ "billable": true }),
        json!({ "screenshotSettings": { "screenshotEnabled": false } }),
        json!({ "employees": [ann.id, bob.id] }),
        json!({ "payroll": { "*": { "billRate": 70.0, "overtimeBillRate": 70.25 } } }),
        json!({ "statuses": ["Open"], "priorities": ["One", "Two"] }),
        json!({ "archived": true }),
    ] {
        let expected = merged(now, change.clone());
        now = system.put(&path, change).await;
        assert_eq!(now, expected);
        assert_eq!(system.get(&path).await, now);
    }
    assert_eq!(system.get(PATH).await, json!([plain]), "archived ones are left out");
    system.put(&path, json!({ "archived": false })).await;
    assert_eq!(system.get(PATH).await.as_array().unwrap().len(), 2);

    assert_eq!(system.admin("DELETE", &path, Value::Null).await.expect(204), Value::Null);
    for (method, body) in [("GET", Value::Null), ("PUT", json!({ "name": "A" })), ("DELETE", Value::Null)] {
        assert_eq!(system.admin(method, &path, body.clone()).await.refused(404), "not_found");
        let never = format!("{PATH}/{}", kit::new_id::<ProjectId>());
        assert_eq!(system.admin(method, &never, body).await.refused(404), "not_found");
    }
    assert_eq!(system.get(PATH).await, json!([plain]));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_or_does_not_fit_a_project_changes_nothing() {
    let system = System::start().await;
    let (ann, gone) = (system.invite("Ann", "ann@example.org").await, system.invite("Bob", "bob@example.org").await);
    system.admin("POST", &format!("/api/v1/employee/{}/deactivate", id(&gone)), Value::Null).await.expect(200);
    let nobody = kit::new_id::<contracts::EmployeeId>().to_string();
    let project = system.create_project(json!({ "employees": [ann["id"]], "description": "Mine" })).await;
    let path = format!("{PATH}/{}", id(&project));
    let rate = |key: &str, rate: Value| json!({ "payroll": { key: { "billRate": rate } } });

    for (code, fields) in [
        ("unknown_employee", json!({ "employees": [ann["id"], nobody] })),
        ("employee_deactivated", json!({ "employees": [ann["id"], gone["id"]] })),
        ("payroll_not_on_project", rate(&id(&gone), json!(5))),
        ("payroll_not_on_project", merged(rate(&id(&ann), json!(5)), json!({ "employees": [] }))),
    ] {
        let body = merged(json!({ "name": "Other" }), fields);
        assert_eq!(system.admin("POST", PATH, body.clone()).await.refused(400), code, "{body}");
        assert_eq!(system.admin("PUT", &path, body.clone()).await.refused(400), code, "{body}");
    }
    assert_eq!(system.admin("PUT", &path, json!({ "creatorId": "me" })).await.refused(400), "nothing_to_change");

    for (field, fields) in [
        ("name", json!({ "name": null })),
        ("name", json!({ "name": "" })),
        ("billable", json!({ "billable": null })),
        ("billable", json!({ "billable": "yes" })),
        ("employees", json!({ "employees": null })),
        ("employees[1]", json!({ "employees": [ann["id"], "Bob"] })),
        ("statuses", json!({ "statuses": [] })),
        ("priorities", json!({ "priorities": ["One", "One"] })),
        ("screenshotSettings", json!({ "screenshotSettings": null })),
        ("screenshotSettings.screenshotEnabled", json!({ "screenshotSettings": { "screenshotEnabled": "yes" } })),
        ("payroll", json!({ "payroll": null })),
        ("payroll.*.billRate", rate("*", json!(-1))),
        ("payroll.*.billRate", rate("*", json!(0.00001))),
        ("payroll.*.billRate", rate("*", json!(1e300))),
        ("payroll.*.billRate", rate("*", json!("five"))),
        ("description", json!({ "description": "x".repeat(10_001) })),
    ] {
        let body = merged(json!({ "name": "Other" }), fields);
        for (method, path) in [("POST", PATH), ("PUT", &path)] {
            let refused = system.admin(method, path, body.clone()).await;
            assert_eq!(refused.body["errors"][0]["field"], field, "{method} {body}");
            assert_eq!(refused.refused(422), "invalid", "{method} {body}");
        }
    }
    assert_eq!(system.admin("PUT", &path, json!({ "archived": null })).await.refused(422), "invalid");
    assert_eq!(system.admin("POST", PATH, json!({ "description": "No name" })).await.refused(422), "invalid");
    assert_eq!(system.get(PATH).await, json!([project]), "whole, and the only one");
    system.finish().await;
}
