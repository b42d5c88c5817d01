use bson::{Bson, Document, doc};
use contracts::{Code, DeactivateEmployee, MEMBERS_MOST, ProjectChanges, Service, TaskId};
use futures::{StreamExt, TryStreamExt, stream};

use crate::fixture::{Fixture, new_project};

#[tokio::test(flavor = "multi_thread")]
async fn a_project_can_have_a_thousand_members_and_lose_them_all() {
    let fixture = Fixture::start().await;
    let hired = stream::iter(0..MEMBERS_MOST).map(|_| fixture.employee()).buffer_unordered(64);
    let mut employees: Vec<_> = hired.collect().await;
    let mut request = new_project();
    request.employees = Some(employees.clone());
    let project = fixture.ask(&request).await.unwrap();
    assert_eq!(project.employees.len(), MEMBERS_MOST);
    fixture.until_on(employees[999], 1).await;
    fixture.assert_consistent().await;

    employees.push(kit::new_id());
    let too_many = ProjectChanges { employees: Some(employees), ..Default::default() };
    assert_eq!(fixture.change_project(project.id, too_many).await.unwrap_err().code, Code::Invalid);
    fixture.put(project.id, &[]).await.unwrap();
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deactivating_takes_an_employee_off_thousands_of_tasks() {
    let fixture = Fixture::start().await;
    let ann = fixture.employee().await;
    let project = fixture.project(&[ann]).await;
    fixture.task(project.id, &[ann]).await;
    let db = fixture.harness.database(Service::Projects).await;
    let (tasks, edges) = (db.collection::<Document>("tasks"), db.collection::<Document>("assignments"));
    let task = tasks.find_one(doc! {}).await.unwrap().unwrap();
    let edge = edges.find_one(doc! {}).await.unwrap().unwrap();
    let ids: Vec<_> = (0..5_000).map(|_| kit::mongo::value(&kit::new_id::<TaskId>())).collect();
    tasks.insert_many(ids.iter().map(|id| with(&task, "_id", id.clone()))).await.unwrap();
    let key = edge.get_document("_id").unwrap();
    let keys = ids.iter().map(|id| with(key, "task", id.clone()).into());
    edges.insert_many(keys.map(|key| with(&edge, "_id", key))).await.unwrap();
    fixture.assert_consistent().await;

    fixture.ask(&DeactivateEmployee { id: ann }).await.unwrap();
    fixture.until_on(ann, 0).await;
    let left = tasks.find(doc! { "employees.0": { "$exists": true } }).await.unwrap();
    assert_eq!(left.try_collect::<Vec<_>>().await.unwrap(), Vec::<Document>::new());
    fixture.finish().await;
}

fn with(document: &Document, field: &str, value: Bson) -> Document {
    let mut other = document.clone();
    other.insert(field, value);
    other
}
