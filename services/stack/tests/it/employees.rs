//! Tests of employees: what admins change, and the permissions of the employees' computers.

use serde_json::{Value, json};

use crate::{
    fixture::{id, merged},
    shapes::{EMPLOYEE, assert_keys, assert_shape, without_invitations},
    support::System,
};

const PATH: &str = "/api/v1/employee";

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_is_created_read_listed_and_changed() {
    let system = System::start().await;
    let fields = json!({ "name": " Ann ", "email": "Ann@example.org", "isAdmin": true });
    let ann = without_invitations(system.admin("POST", PATH, fields).await.expect(201));
    assert_shape(&ann, EMPLOYEE);
    assert_eq!((&ann["name"], &ann["email"], &ann["identifier"]), (&json!("Ann"), &ann["identifier"], &ann["email"]));
    assert_eq!((&ann["title"], &ann["projects"], &ann["systemPermissions"]), (&Value::Null, &json!([]), &json!([])));
    assert_eq!(
        (&ann["is_active"], &ann["deactivated_at"], &ann["deactivated"]),
        (&json!(false), &json!(null), &json!(0))
    );
    assert_eq!(ann["invited"], ann["createdAt"]);
    assert_ne!(ann["accountId"], ann["id"]);

    let taken = json!({ "name": "Anna", "email": "ann@EXAMPLE.org" });
    assert_eq!(system.admin("POST", PATH, taken).await.refused(400), "email_taken");
    let bob = without_invitations(system.invite("Bob", "bob@example.org").await);
    assert_eq!(without_invitations(system.get(PATH).await), json!([ann, bob]));
    let path = format!("{PATH}/{}", id(&ann));
    assert_eq!(without_invitations(system.get(&path).await), ann);

    let mut now = ann.clone();
    for change in [
        json!({ "name": "Ann Example" }),
        json!({ "title": "Engineer" }),
        json!({ "title": null }),
        json!({ "email": "ANN@example.org" }),
        json!({ "name": "Ann", "email": "ann@example.com", "title": "Boss", "deactivated": 1, "projects": [] }),
    ] {
        let mut expected = merged(now, change.clone());
        expected["identifier"] = expected["email"].clone();
        for ours in ["deactivated", "projects"] {
            expected[ours] = ann[ours].clone();
        }
        now = without_invitations(system.put(&path, change).await);
        expected["invited"] = now["invited"].clone();
        assert_eq!(now, expected);
        assert_eq!(without_invitations(system.get(&path).await), now);
    }
    for nothing in [json!({}), json!({ "nickname": "A" })] {
        assert_eq!(system.admin("PUT", &path, nothing).await.refused(400), "nothing_to_change");
    }
    let taken = json!({ "title": "Chief", "email": "BOB@example.org" });
    assert_eq!(system.admin("PUT", &path, taken).await.refused(400), "email_taken");
    assert_eq!(without_invitations(system.get(&path).await), now);

    let nobody = format!("{PATH}/{}", kit::new_id::<contracts::EmployeeId>());
    assert_eq!(system.admin("GET", &nobody, Value::Null).await.refused(404), "not_found");
    assert_eq!(system.admin("PUT", &nobody, json!({ "name": "A" })).await.refused(404), "not_found");
    for verb in ["deactivate", "reactivate", "invite"] {
        assert_eq!(system.admin("POST", &format!("{nobody}/{verb}"), Value::Null).await.refused(404), "not_found");
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_an_employee_is_named_and_changes_nothing() {
    let system = System::start().await;
    let fits = json!({ "name": "Ann", "email": "ann@example.org" });
    let ann = without_invitations(system.admin("POST", PATH, fits.clone()).await.expect(201));
    let path = format!("{PATH}/{}", id(&ann));
    for (field, value) in [
        ("name", json!(null)),
        ("name", json!("")),
        ("name", json!("  ")),
        ("name", json!("x".repeat(201))),
        ("name", json!("Ann\r\nBcc: all@example.org")),
        ("name", json!(5)),
        ("name", json!({ "$ne": null })),
        ("email", json!(null)),
        ("email", json!("ann")),
        ("email", json!("ann@example.org\r\nBcc: all@example.org")),
        ("email", json!(["ann@example.org"])),
    ] {
        let other = merged(fits.clone(), json!({ "email": "other@example.org" }));
        for (method, path, body) in [
            ("POST", PATH, merged(other, json!({ field: value }))),
            ("PUT", &path, json!({ field: value, "title": "T" })),
        ] {
            let refused = system.admin(method, path, body).await;
            assert_eq!(refused.body["errors"][0]["field"], field, "{method} {value}");
            assert_eq!(refused.refused(422), "invalid", "{method} {value}");
        }
    }
    for field in ["name", "email"] {
        let mut body = fits.clone();
        body.as_object_mut().unwrap().remove(field);
        let refused = system.admin("POST", PATH, body).await;
        assert_eq!(refused.body["errors"], json!([{ "field": field, "message": "must be given" }]));
    }
    assert_eq!(without_invitations(system.get(PATH).await), json!([ann]));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_created_is_on_the_projects_that_are_named_or_is_not_created() {
    let system = System::start().await;
    let (website, shed) = (system.create_project(json!({})).await, system.create_project(json!({})).await);
    let ann = json!({ "name": "Ann", "email": "ann@example.org" });
    system.put(&format!("/api/v1/project/{}", id(&shed)), json!({ "archived": true })).await;
    for (projects, code) in [
        (json!([website["id"], kit::new_id::<contracts::ProjectId>()]), "unknown_project"),
        (json!([website["id"], shed["id"]]), "project_archived"),
    ] {
        let refused = system.admin("POST", PATH, merged(ann.clone(), json!({ "projects": projects }))).await;
        assert_eq!(refused.refused(400), code);
    }
    for bad in [json!(null), json!("x"), json!(["x"])] {
        let refused = system.admin("POST", PATH, merged(ann.clone(), json!({ "projects": bad }))).await;
        assert_eq!(refused.refused(422), "invalid", "{bad}");
    }
    assert_eq!(system.get(PATH).await, json!([]));
    let on = merged(ann, json!({ "projects": [website["id"], website["id"]] }));
    let ann = system.admin("POST", PATH, on).await.expect(201);
    assert_eq!(ann["projects"], json!([website["id"]]));
    assert_eq!(system.get(&format!("{PATH}/{}", id(&ann))).await["projects"], ann["projects"]);
    assert_eq!(system.get(&format!("/api/v1/project/{}", id(&website))).await["employees"], json!([ann["id"]]));
    let bob = json!({ "name": "Bob", "email": "bob@example.org", "projects": [] });
    assert_eq!(system.admin("POST", PATH, bob).await.expect(201)["projects"], json!([]));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deactivated_is_out_at_once_and_who_is_reactivated_logs_in_with_the_old_password() {
    let system = System::start().await;
    let ann = system.new_employee("Ann", "ann@example.org").await;
    let path = format!("{PATH}/{}", ann.id);
    let before = system.get(&path).await;
    assert_eq!(system.admin("POST", &format!("{path}/reactivate"), Value::Null).await.refused(409), "not_deactivated");

    let gone = system.admin("POST", &format!("{path}/deactivate"), Value::Null).await.expect(200);
    let at = gone["deactivated"].as_i64().unwrap();
    assert!(at >= before["createdAt"].as_i64().unwrap());
    let changes = json!({ "is_active": false, "deactivated": at, "deactivated_at": at });
    assert_eq!(gone, merged(before.clone(), changes));
    assert_eq!(system.get(&path).await, gone);
    let dead = testkit::eventually_within(std::time::Duration::from_secs(1), "the token is dead", async || {
        let me = system.employee(&ann.token, "GET", "/api/auth/me", Value::Null).await;
        (me.status != 200).then_some(me)
    });
    assert_eq!(dead.await.refused(401), "unauthorized");
    assert_eq!(system.login(&ann.email, &ann.password).await.refused(401), "unauthorized");
    let again = system.admin("POST", &format!("{path}/deactivate"), Value::Null).await;
    assert_eq!(again.refused(409), "already_deactivated");
    assert_eq!(system.admin("POST", &format!("{path}/invite"), Value::Null).await.refused(400), "employee_deactivated");

    let back = system.admin("POST", &format!("{path}/reactivate"), Value::Null).await.expect(200);
    assert_eq!(back, before);
    let login = system.login(&ann.email, &ann.password).await.expect(200);
    let fresh = login["access_token"].as_str().unwrap();
    assert_eq!(system.employee(fresh, "GET", "/api/auth/me", Value::Null).await.expect(200), before);
    let old = system.employee(&ann.token, "GET", "/api/auth/me", Value::Null).await;
    assert_eq!(old.refused(401), "unauthorized", "the old token stays dead");
    assert_eq!(system.admin("POST", &format!("{path}/invite"), Value::Null).await.refused(409), "already_active");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_computer_has_one_entry_of_permissions_and_nobody_sets_anothers() {
    let system = System::start().await;
    let (ann, bob) =
        (system.new_employee("Ann", "ann@example.org").await, system.new_employee("Bob", "bob@example.org").await);
    let path = format!("{PATH}/{}/permissions", ann.id);
    let entry = |computer: &str, accessibility: &str| {
        let permissions = json!({ "accessibility": accessibility, "screenAndSystemAudioRecording": "undetermined" });
        json!({ "computer": computer, "permissions": permissions })
    };
    let set = async |body: Value| system.employee(&ann.token, "POST", &path, body).await;
    let first = set(entry("mac", "denied")).await.expect(200);
    assert_shape(&first, EMPLOYEE);
    let kept = &first["systemPermissions"][0];
    assert_keys(kept, &["computer", "permissions", "createdAt", "updatedAt"]);
    assert!(kept["createdAt"].is_i64() && kept["updatedAt"].is_i64());
    let stamped = merged(entry("pc", "authorized"), json!({ "createdAt": 5, "updatedAt": 7 }));
    set(stamped.clone()).await.expect(200);
    let after = set(entry("mac", "authorized")).await.expect(200);
    let entries = after["systemPermissions"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0]["permissions"]["accessibility"], "authorized");
    assert_eq!(entries[0]["createdAt"], kept["createdAt"]);
    assert_eq!(entries[1], stamped);
    assert_eq!(system.get(&format!("{PATH}/{}", ann.id)).await, after);

    let others = system.employee(&bob.token, "POST", &path, entry("mac", "denied")).await;
    assert_eq!(others.refused(403), "forbidden");
    assert_eq!(system.admin("POST", &path, entry("mac", "denied")).await.refused(401), "unauthorized");
    for bad in [entry("mac", "maybe"), json!({ "computer": "mac" }), json!({ "permissions": {} }), json!({})] {
        assert_eq!(set(bad).await.refused(422), "invalid");
    }
    assert_eq!(system.get(&format!("{PATH}/{}", ann.id)).await, after);
    system.finish().await;
}
