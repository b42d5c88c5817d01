use bson::{Document, doc};
use contracts::{
    DeactivateEmployee, EmployeeChanged, EmployeeId, EmployeeState, MemberChanged, Millis, Payee, Payroll, PayrollLine,
    ProjectId, ReactivateEmployee, Service, Term, stream,
};

use crate::fixture::{Fixture, new_project};

fn employee_state(id: EmployeeId, version: i64, epoch: i64, deactivated_at: Option<i64>) -> EmployeeChanged {
    EmployeeChanged(EmployeeState { id, version, epoch, deactivated_at: deactivated_at.map(Millis), active: None })
}

fn edge(project_id: ProjectId, employee_id: EmployeeId) -> MemberChanged {
    MemberChanged { project_id, employee_id, version: 0, terms: Vec::new() }
}

#[tokio::test(flavor = "multi_thread")]
async fn deactivating_takes_an_employee_off_every_project_and_task() {
    let fixture = Fixture::start().await;
    let (ann, bob) = (fixture.employee().await, fixture.employee().await);
    let mut request = new_project();
    request.employees = Some(vec![ann, bob]);
    request.payroll = Some(Payroll([(Payee::Employee(ann), PayrollLine::default())].into()));
    let (one, other) = (fixture.ask(&request).await.unwrap(), fixture.project(&[ann]).await);
    let tasks = [fixture.task(one.id, &[ann, bob]).await, fixture.task(other.id, &[ann]).await];

    fixture.ask(&DeactivateEmployee { id: ann }).await.unwrap();
    fixture.until_on(ann, 0).await;
    assert_eq!((fixture.members(one.id).await, fixture.members(other.id).await), (vec![bob], vec![]));
    assert_eq!((fixture.assignees(tasks[0].id).await, fixture.assignees(tasks[1].id).await), (vec![bob], vec![]));
    fixture.assert_consistent().await;

    fixture.ask(&ReactivateEmployee { id: ann }).await.unwrap();
    assert_eq!(fixture.members(one.id).await, [bob], "who comes back is on no project");
    fixture.put(one.id, &[ann]).await.unwrap();
    fixture.until_on(ann, 1).await;
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_membership_ends_when_the_employee_was_deactivated() {
    let fixture = Fixture::start().await;
    let ann = fixture.employee().await;
    let project = fixture.project(&[ann]).await;
    fixture.harness.publish(&employee_state(ann, 2, 1, Some(1_000))).await;
    let edge = fixture.until_told(&edge(project.id, ann), |edge| !edge.is_on()).await;
    assert_eq!(edge.terms[0].until, Some(Millis(1_000)));
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivation_that_comes_twice_ends_a_membership_once() {
    let fixture = Fixture::start().await;
    let ann = fixture.employee().await;
    let project = fixture.project(&[ann]).await;
    fixture.harness.publish_twice(&employee_state(ann, 2, 1, Some(1_000))).await;
    fixture.until_told(&edge(project.id, ann), |edge| !edge.is_on()).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Projects).await;
    fixture.until_told(&edge(project.id, ann), |edge| edge.version == 2).await;
    assert_eq!(fixture.project_version(project.id).await, 2);
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivation_that_comes_after_the_reactivation_ends_what_is_older_and_leaves_what_is_newer() {
    let fixture = Fixture::start().await;
    let ann = fixture.employee().await;
    let (before, since) = (fixture.project(&[ann]).await, fixture.project(&[]).await);
    let task = fixture.task(before.id, &[ann]).await;

    fixture.harness.publish(&employee_state(ann, 3, 1, None)).await;
    fixture.until_told(&edge(before.id, ann), |edge| !edge.is_on()).await;
    assert_eq!(fixture.assignees(task.id).await, []);
    fixture.put(since.id, &[ann]).await.unwrap();

    fixture.harness.publish(&employee_state(ann, 2, 1, Some(1_000))).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Projects).await;
    assert_eq!((fixture.members(before.id).await, fixture.members(since.id).await), (vec![], vec![ann]));

    fixture.harness.publish(&employee_state(ann, 4, 2, Some(2_000))).await;
    fixture.until_told(&edge(since.id, ann), |edge| !edge.is_on()).await;
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_put_back_before_the_sweep_stays_but_is_on_no_task() {
    let fixture = Fixture::start().await;
    let ann = fixture.employee().await;
    fixture.ask(&DeactivateEmployee { id: ann }).await.unwrap();
    fixture.ask(&ReactivateEmployee { id: ann }).await.unwrap();
    let project = fixture.project(&[ann]).await;
    let task = fixture.task(project.id, &[ann]).await;
    // Changes the stored membership into one from before the deactivation, which the consumer of
    // the deactivation has not ended yet.
    let members = fixture.harness.database(Service::Projects).await.collection::<Document>("members");
    members.update_one(doc! {}, doc! { "$set": { "epoch": 0_i64 } }).await.unwrap();

    fixture.put(project.id, &[ann]).await.unwrap();
    fixture.harness.publish(&employee_state(ann, 2, 1, Some(1_000))).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Projects).await;
    assert_eq!((fixture.members(project.id).await, fixture.assignees(task.id).await), (vec![ann], vec![]));
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_membership_ends_when_the_employee_was_deactivated_also_where_the_reactivation_is_heard_first() {
    let fixture = Fixture::start().await;
    let ann = fixture.employee().await;
    let project = fixture.project(&[ann]).await;
    let mut reactivated = employee_state(ann, 3, 1, None);
    let term = |from: Option<i64>, until: Option<i64>| Term { from: from.map(Millis), until: until.map(Millis) };
    reactivated.0.active = Some(vec![term(None, Some(1_000)), term(Some(2_000), None)]);
    fixture.harness.publish(&reactivated).await;
    let edge = fixture.until_told(&edge(project.id, ann), |edge| !edge.is_on()).await;
    assert_eq!(edge.terms[0].until, Some(Millis(1_000)));
    fixture.finish().await;
}
