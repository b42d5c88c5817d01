use contracts::{
    DeactivateEmployee, DeliveryChanged, DeliveryState, EmployeeChanged, EmployeeId, EmployeeState, InvitationDelivery,
    MemberChanged, Millis, ProjectId, ReactivateEmployee, Revocation, Service, Term, stream,
};

use crate::fixture::Fixture;

fn edge(project_id: ProjectId, employee_id: EmployeeId, version: i64) -> MemberChanged {
    // At odd versions the employee is on the project, at even versions off the project.
    let mut terms = Vec::new();
    for change in 1..=version {
        if change % 2 == 1 {
            terms.push(Term { from: Some(Millis(change)), until: None });
        } else {
            terms.last_mut().unwrap().until = Some(Millis(change));
        }
    }
    MemberChanged { project_id, employee_id, version, terms }
}

async fn epoch(fixture: &Fixture, employee: EmployeeId) -> Option<i64> {
    let bucket = fixture.harness.bus().jetstream.get_key_value(contracts::stream::REVOCATIONS).await.unwrap();
    let value = bucket.get(Revocation::key(employee)).await.unwrap()?;
    Some(serde_json::from_slice::<Revocation>(&value).unwrap().epoch)
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_are_right_when_memberships_come_twice_and_out_of_order() {
    let fixture = Fixture::start().await;
    let harness = &fixture.harness;
    let ann = fixture.create("Ann", "ann@x.org").await.unwrap();
    let [one, two, three] = [(); 3].map(|()| kit::new_id::<ProjectId>());

    harness.publish_twice(&edge(one, ann.id, 1)).await;
    // The employee is taken off and put on again; the events arrive in the wrong order.
    harness.publish(&edge(two, ann.id, 3)).await;
    harness.publish(&edge(two, ann.id, 2)).await;
    harness.publish(&edge(two, ann.id, 1)).await;
    // The employee is taken off; the older event arrives later.
    harness.publish(&edge(three, ann.id, 2)).await;
    harness.publish_twice(&edge(three, ann.id, 1)).await;
    harness.until_consumed(stream::EVENTS, Service::Directory).await;
    let mut expected = vec![one, two];
    expected.sort();
    let shown = async || {
        let mut projects = fixture.get(ann.id).await.projects;
        projects.sort();
        projects
    };
    assert_eq!(shown().await, expected);

    harness.publish(&edge(one, ann.id, 2)).await;
    harness.until_consumed(stream::EVENTS, Service::Directory).await;
    assert_eq!(shown().await, [two]);
    assert_eq!(fixture.events::<EmployeeChanged>(1).await.len(), 1, "the list is no part of the employee's version");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_memberships_at_once_are_all_taken() {
    let fixture = Fixture::start().await;
    let ann = fixture.create("Ann", "ann@x.org").await.unwrap();
    let mut projects: Vec<ProjectId> = (0..30).map(|_| kit::new_id()).collect();
    for project in &projects {
        fixture.harness.publish(&edge(*project, ann.id, 1)).await;
    }
    fixture.harness.until_consumed(stream::EVENTS, Service::Directory).await;
    let mut shown = fixture.get(ann.id).await.projects;
    shown.sort();
    projects.sort();
    assert_eq!(shown, projects);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivation_stands_in_the_bucket_and_a_reactivation_leaves_it() {
    let fixture = Fixture::start().await;
    let ann = fixture.create("Ann", "ann@x.org").await.unwrap();
    fixture.harness.until_consumed(stream::EVENTS, Service::Directory).await;
    assert_eq!(epoch(&fixture, ann.id).await, None);
    fixture.harness.ask(&DeactivateEmployee { id: ann.id }).await.unwrap();
    testkit::eventually("the revocation", async || (epoch(&fixture, ann.id).await == Some(1)).then_some(())).await;
    fixture.harness.ask(&ReactivateEmployee { id: ann.id }).await.unwrap();
    fixture.harness.ask(&DeactivateEmployee { id: ann.id }).await.unwrap();
    testkit::eventually("the revocation", async || (epoch(&fixture, ann.id).await == Some(2)).then_some(())).await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_word_about_an_employee_never_lowers_the_epoch() {
    let fixture = Fixture::start().await;
    let id: EmployeeId = kit::new_id();
    let changed =
        |epoch| EmployeeChanged(EmployeeState { id, version: epoch * 2, epoch, deactivated_at: None, active: None });
    fixture.harness.publish_twice(&changed(2)).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Directory).await;
    assert_eq!(epoch(&fixture, id).await, Some(2));
    fixture.harness.publish_twice(&changed(1)).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Directory).await;
    assert_eq!(epoch(&fixture, id).await, Some(2));
    // The events are published out of order, without waiting until each is processed.
    for newer in [7, 3, 9, 5, 4, 8, 6] {
        fixture.harness.publish(&changed(newer)).await;
    }
    fixture.harness.until_consumed(stream::EVENTS, Service::Directory).await;
    assert_eq!(epoch(&fixture, id).await, Some(9));
    assert_eq!(fixture.harness.stream_messages(stream::DEAD).await, 0);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_an_invitation_stands_is_right_when_it_is_told_twice_late_and_out_of_order() {
    let fixture = Fixture::start().await;
    let ann = fixture.create("Ann", "ann@x.org").await.unwrap();
    let (first, harness) = (fixture.invitation(ann.id, 0).await, &fixture.harness);
    let delivery = |invitation_id, version, state| DeliveryChanged {
        invitation_id,
        employee_id: ann.id,
        version,
        delivery: InvitationDelivery { state, detail: Some(format!("word {version}")), at: Millis(version) },
    };
    let shown = async || {
        harness.until_consumed(stream::EVENTS, Service::Directory).await;
        fixture.get(ann.id).await.invitation.map(|invitation| (invitation.state, invitation.detail))
    };
    assert_eq!(shown().await, Some((DeliveryState::Queued, None)));
    harness.publish_twice(&delivery(first.invitation_id, 2, DeliveryState::Failed)).await;
    harness.publish(&delivery(first.invitation_id, 1, DeliveryState::Retrying)).await;
    assert_eq!(shown().await, Some((DeliveryState::Failed, Some("word 2".into()))));

    // A late report about the earlier invitation does not change the state of the new one.
    fixture.invite(ann.id).await.unwrap();
    harness.publish_twice(&delivery(first.invitation_id, 3, DeliveryState::Failed)).await;
    assert_eq!(shown().await, Some((DeliveryState::Queued, None)));
    let second = fixture.invitation(ann.id, 1).await;
    harness.publish(&delivery(second.invitation_id, 1, DeliveryState::Sent)).await;
    assert_eq!(shown().await, Some((DeliveryState::Sent, Some("word 1".into()))));

    // A deactivated employee has no open invitation, and needs a new one after the reactivation.
    harness.ask(&DeactivateEmployee { id: ann.id }).await.unwrap();
    harness.publish(&delivery(second.invitation_id, 2, DeliveryState::Sent)).await;
    assert_eq!(shown().await, None);
    harness.ask(&ReactivateEmployee { id: ann.id }).await.unwrap();
    assert_eq!(shown().await, Some((DeliveryState::Withdrawn, None)));
    fixture.invite(ann.id).await.unwrap();
    let token = fixture.token(ann.id, 2).await;
    assert_eq!(shown().await, Some((DeliveryState::Queued, None)));
    assert_eq!(fixture.activate(&token, crate::fixture::PASSWORD).await.unwrap().invitation, None);
    fixture.harness.finish().await;
}
