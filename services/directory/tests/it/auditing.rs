//! Tests of the entries that the service `directory` writes to the audit trail.

use contracts::{
    Actor, Caller, Code, DeactivateEmployee, EmployeeChanges, InviteEmployee, Name, ReactivateEmployee, Role, Secret,
    SetRole, UpdateEmployee,
};
use kit::Origin;
use serde_json::json;

use crate::fixture::{Fixture, PASSWORD, refused};

#[tokio::test(flavor = "multi_thread")]
async fn all_that_happens_to_an_employee_is_told_with_what_changed_and_never_a_secret() {
    let fixture = Fixture::start().await;
    let ann = fixture.create("Ann", "ann@x.org").await.unwrap();
    fixture.invite(ann.id).await.unwrap();
    let token = fixture.token(ann.id, 1).await;
    fixture.activate(&token, PASSWORD).await.unwrap();
    let changes = EmployeeChanges { name: Some(Name::parse("Anna").unwrap()), ..Default::default() };
    fixture.harness.ask(&UpdateEmployee { id: ann.id, changes, only_check: false }).await.unwrap();
    fixture.harness.ask(&SetRole { id: ann.id, role: Role::Auditor }).await.unwrap();
    fixture.log_in("ann@x.org", PASSWORD).await.unwrap();
    fixture.harness.ask(&DeactivateEmployee { id: ann.id }).await.unwrap();
    fixture.harness.ask(&ReactivateEmployee { id: ann.id }).await.unwrap();

    let expected = [
        "employee.created",
        "employee.invited",
        "employee.activated",
        "employee.updated",
        "role.set",
        "login.succeeded",
        "employee.deactivated",
        "employee.reactivated",
    ];
    assert_eq!(fixture.harness.audited_actions(expected.len()).await, expected);
    let entries = fixture.harness.audited().await;
    assert!(entries.iter().all(|(_, entry)| entry.subject.id == ann.id.to_string()));
    let by: Vec<_> = entries.iter().map(|(origin, _)| origin.actor().unwrap().in_any_session()).collect();
    let herself = Actor::Person { employee: ann.id, session: None };
    for (actor, action) in by.iter().zip(expected) {
        let is_hers = matches!(action, "employee.activated" | "login.succeeded");
        assert_eq!(*actor, if is_hers { herself } else { Actor::Root }, "{action}");
    }
    let renamed = entries[3].1.changes.clone().unwrap();
    assert!(renamed.as_array().unwrap().contains(&json!({"op": "replace", "path": "/name", "value": "Anna"})));
    let all = serde_json::to_string(&entries.into_iter().map(|(_, entry)| entry).collect::<Vec<_>>()).unwrap();
    assert!(!all.contains(PASSWORD) && !all.contains(token.expose()), "{all}");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_at_the_door_is_told_without_what_was_typed() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    let before = fixture.harness.audited_actions(2).await.len();
    let tries = async {
        refused(fixture.log_in("ann@x.org", "a wrong password").await, Code::Unauthorized);
        refused(fixture.log_in("her password by mistake", PASSWORD).await, Code::Unauthorized);
        refused(fixture.activate(&Secret::new("no-such-token"), PASSWORD).await, Code::InvalidToken);
    };
    Origin::of_request("a-request".into()).with_address(Some("192.0.2.7".into())).scope(tries).await;
    assert_eq!(
        fixture.harness.audited_actions(before + 3).await[before..],
        ["login.failed", "login.failed", "activation.failed"]
    );
    let entries: Vec<_> = fixture.harness.audited().await.split_off(before);
    let subjects: Vec<_> = entries.iter().map(|(_, entry)| entry.subject.kind.as_str()).collect();
    assert_eq!(subjects, ["employee", "address", "token"]);
    assert_eq!(entries[0].1.subject.id, ann.id.to_string());
    for (_, entry) in &entries {
        assert_eq!((entry.address.as_deref(), &entry.changes), (Some("192.0.2.7"), &None));
        let text = serde_json::to_string(entry).unwrap();
        assert!(!text.contains("mistake") && !text.contains("no-such-token"), "{text}");
    }
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_nothing_is_not_told() {
    let fixture = Fixture::start().await;
    let ann = fixture.create("Ann", "ann@x.org").await.unwrap();
    let entries = fixture.harness.audited_actions(1).await;
    let changes = EmployeeChanges { name: Some(Name::parse("Anna").unwrap()), ..Default::default() };
    fixture.harness.ask(&UpdateEmployee { id: ann.id, changes, only_check: true }).await.unwrap();
    let by_ann = fixture.harness.bus().ask(Caller::Employee(ann.id), &InviteEmployee { id: ann.id }).await;
    refused(by_ann, Code::Forbidden);
    fixture.harness.ask(&InviteEmployee { id: ann.id }).await.unwrap();
    assert_eq!(fixture.harness.audited_actions(entries.len() + 1).await, ["employee.created", "employee.invited"]);
    fixture.harness.finish().await;
}
