use contracts::{
    Caller, Code, CreateProject, CreateTask, DeleteProject, DeleteTask, EmployeeId, GetProject, GetTask, ListProjects,
    ListTasks, ProjectChanges, Request, TaskChanges, UpdateProject, UpdateTask,
};

use crate::fixture::{Fixture, new_project, new_task};

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_sees_the_projects_they_are_on_and_their_tasks_and_no_others() {
    let fixture = Fixture::start().await;
    let (ann, bob) = (fixture.employee().await, fixture.employee().await);
    let (hers, his) = (fixture.project(&[ann]).await, fixture.project(&[bob]).await);
    let (on, off) = (fixture.task(hers.id, &[]).await, fixture.task(his.id, &[bob]).await);

    assert_eq!(fixture.ask_as(ann, &GetProject { id: hers.id }).await.unwrap(), hers);
    assert_eq!(fixture.ask_as(ann, &GetTask { id: on.id }).await.unwrap(), on);
    assert_eq!(fixture.ask_as(ann, &ListTasks::default()).await.unwrap().items, [on]);
    let own = ListTasks { project_id: Some(hers.id), after: None };
    assert_eq!(fixture.ask_as(ann, &own).await.unwrap().items.len(), 1);

    assert_eq!(fixture.ask_as(ann, &GetProject { id: his.id }).await.unwrap_err().code, Code::NotFound);
    assert_eq!(fixture.ask_as(ann, &GetTask { id: off.id }).await.unwrap_err().code, Code::NotFound);
    let others = ListTasks { project_id: Some(his.id), after: None };
    assert_eq!(fixture.ask_as(ann, &others).await.unwrap_err().code, Code::NotFound);

    fixture.put(hers.id, &[]).await.unwrap();
    assert_eq!(fixture.ask_as(ann, &GetProject { id: hers.id }).await.unwrap_err().code, Code::NotFound);
    assert_eq!(fixture.ask_as(ann, &ListTasks::default()).await.unwrap().items, []);
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_admin_changes_anything_or_lists_all_projects() {
    let fixture = Fixture::start().await;
    let ann = fixture.employee().await;
    let project = fixture.project(&[ann]).await;
    let task = fixture.task(project.id, &[ann]).await;
    let (changes, task_changes) = (ProjectChanges::default(), TaskChanges::default());
    refused::<CreateProject>(&fixture, ann, new_project()).await;
    refused(&fixture, ann, UpdateProject { id: project.id, changes }).await;
    refused(&fixture, ann, DeleteProject { id: project.id }).await;
    refused(&fixture, ann, ListProjects::default()).await;
    refused::<CreateTask>(&fixture, ann, new_task(project.id)).await;
    refused(&fixture, ann, UpdateTask { id: task.id, changes: task_changes }).await;
    refused(&fixture, ann, DeleteTask { id: task.id }).await;
    let nobody = fixture.harness.bus().ask(Caller::Anonymous, &GetProject { id: project.id }).await;
    assert_eq!(nobody.unwrap_err().code, Code::Forbidden);
    fixture.finish().await;
}

async fn refused<R: Request>(fixture: &Fixture, employee: EmployeeId, request: R) {
    let answer = fixture.ask_as(employee, &request).await;
    assert_eq!(answer.err().map(|failure| failure.code), Some(Code::Forbidden), "{}", R::NAME);
}
