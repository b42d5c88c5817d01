use bson::{Document, doc};
use contracts::{
    DeactivateEmployee, EmployeeChanged, EmployeeId, MemberChanged, Millis, Payee, Payroll, PayrollLine, ProjectId,
    ReactivateEmployee, Service, Standing, Term, stream,
};

use crate::town::{Town, new_project};

fn standing(id: EmployeeId, version: i64, epoch: i64, deactivated_at: Option<i64>) -> EmployeeChanged {
    EmployeeChanged(Standing { id, version, epoch, deactivated_at: deactivated_at.map(Millis), active: None })
}

fn edge(project_id: ProjectId, employee_id: EmployeeId) -> MemberChanged {
    MemberChanged { project_id, employee_id, version: 0, terms: Vec::new() }
}

#[tokio::test(flavor = "multi_thread")]
async fn deactivating_takes_an_employee_off_every_project_and_task() {
    let town = Town::start().await;
    let (ann, bob) = (town.employee().await, town.employee().await);
    let mut request = new_project();
    request.employees = Some(vec![ann, bob]);
    request.payroll = Some(Payroll([(Payee::Employee(ann), PayrollLine::default())].into()));
    let (one, other) = (town.ask(&request).await.unwrap(), town.project(&[ann]).await);
    let tasks = [town.task(one.id, &[ann, bob]).await, town.task(other.id, &[ann]).await];

    town.ask(&DeactivateEmployee { id: ann }).await.unwrap();
    town.until_on(ann, 0).await;
    assert_eq!((town.members(one.id).await, town.members(other.id).await), (vec![bob], vec![]));
    assert_eq!((town.assignees(tasks[0].id).await, town.assignees(tasks[1].id).await), (vec![bob], vec![]));
    town.assert_consistent().await;

    town.ask(&ReactivateEmployee { id: ann }).await.unwrap();
    assert_eq!(town.members(one.id).await, [bob], "who comes back is on no project");
    town.put(one.id, &[ann]).await.unwrap();
    town.until_on(ann, 1).await;
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_membership_ends_when_the_employee_was_deactivated() {
    let town = Town::start().await;
    let ann = town.employee().await;
    let project = town.project(&[ann]).await;
    town.world.publish(&standing(ann, 2, 1, Some(1_000))).await;
    let told = town.until_told(&edge(project.id, ann), |told| !told.is_on()).await;
    assert_eq!(told.terms[0].until, Some(Millis(1_000)));
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivation_that_comes_twice_ends_a_membership_once() {
    let town = Town::start().await;
    let ann = town.employee().await;
    let project = town.project(&[ann]).await;
    town.world.publish_twice(&standing(ann, 2, 1, Some(1_000))).await;
    town.until_told(&edge(project.id, ann), |told| !told.is_on()).await;
    town.world.until_consumed(stream::EVENTS, Service::Projects).await;
    town.until_told(&edge(project.id, ann), |told| told.version == 2).await;
    assert_eq!(town.project_version(project.id).await, 2);
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivation_that_comes_after_the_reactivation_ends_what_is_older_and_leaves_what_is_newer() {
    let town = Town::start().await;
    let ann = town.employee().await;
    let (before, since) = (town.project(&[ann]).await, town.project(&[]).await);
    let task = town.task(before.id, &[ann]).await;

    town.world.publish(&standing(ann, 3, 1, None)).await;
    town.until_told(&edge(before.id, ann), |told| !told.is_on()).await;
    assert_eq!(town.assignees(task.id).await, []);
    town.put(since.id, &[ann]).await.unwrap();

    town.world.publish(&standing(ann, 2, 1, Some(1_000))).await;
    town.world.until_consumed(stream::EVENTS, Service::Projects).await;
    assert_eq!((town.members(before.id).await, town.members(since.id).await), (vec![], vec![ann]));

    town.world.publish(&standing(ann, 4, 2, Some(2_000))).await;
    town.until_told(&edge(since.id, ann), |told| !told.is_on()).await;
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_put_back_before_the_sweep_stays_but_is_on_no_task() {
    let town = Town::start().await;
    let ann = town.employee().await;
    town.ask(&DeactivateEmployee { id: ann }).await.unwrap();
    town.ask(&ReactivateEmployee { id: ann }).await.unwrap();
    let project = town.project(&[ann]).await;
    let task = town.task(project.id, &[ann]).await;
    // As if she had been on it since before the deactivation, whose sweep is still to come.
    let members = town.world.database(Service::Projects).await.collection::<Document>("members");
    members.update_one(doc! {}, doc! { "$set": { "epoch": 0_i64 } }).await.unwrap();

    town.put(project.id, &[ann]).await.unwrap();
    town.world.publish(&standing(ann, 2, 1, Some(1_000))).await;
    town.world.until_consumed(stream::EVENTS, Service::Projects).await;
    assert_eq!((town.members(project.id).await, town.assignees(task.id).await), (vec![ann], vec![]));
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_membership_ends_when_the_employee_was_deactivated_also_where_the_reactivation_is_heard_first() {
    let town = Town::start().await;
    let ann = town.employee().await;
    let project = town.project(&[ann]).await;
    let mut reactivated = standing(ann, 3, 1, None);
    let term = |from: Option<i64>, until: Option<i64>| Term { from: from.map(Millis), until: until.map(Millis) };
    reactivated.0.active = Some(vec![term(None, Some(1_000)), term(Some(2_000), None)]);
    town.world.publish(&reactivated).await;
    let told = town.until_told(&edge(project.id, ann), |told| !told.is_on()).await;
    assert_eq!(told.terms[0].until, Some(Millis(1_000)));
    town.finish().await;
}
