use contracts::{
    Caller, Code, CreateProject, CreateTask, DeleteProject, DeleteTask, EmployeeId, GetProject, GetTask, ListProjects,
    ListTasks, ProjectChanges, Request, TaskChanges, UpdateProject, UpdateTask,
};

use crate::town::{Town, new_project, new_task};

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_sees_the_projects_they_are_on_and_their_tasks_and_no_others() {
    let town = Town::start().await;
    let (ann, bob) = (town.employee().await, town.employee().await);
    let (hers, his) = (town.project(&[ann]).await, town.project(&[bob]).await);
    let (on, off) = (town.task(hers.id, &[]).await, town.task(his.id, &[bob]).await);

    assert_eq!(town.ask_as(ann, &GetProject { id: hers.id }).await.unwrap(), hers);
    assert_eq!(town.ask_as(ann, &GetTask { id: on.id }).await.unwrap(), on);
    assert_eq!(town.ask_as(ann, &ListTasks::default()).await.unwrap().items, [on]);
    let own = ListTasks { project_id: Some(hers.id), after: None };
    assert_eq!(town.ask_as(ann, &own).await.unwrap().items.len(), 1);

    assert_eq!(town.ask_as(ann, &GetProject { id: his.id }).await.unwrap_err().code, Code::NotFound);
    assert_eq!(town.ask_as(ann, &GetTask { id: off.id }).await.unwrap_err().code, Code::NotFound);
    let others = ListTasks { project_id: Some(his.id), after: None };
    assert_eq!(town.ask_as(ann, &others).await.unwrap_err().code, Code::NotFound);

    town.put(hers.id, &[]).await.unwrap();
    assert_eq!(town.ask_as(ann, &GetProject { id: hers.id }).await.unwrap_err().code, Code::NotFound);
    assert_eq!(town.ask_as(ann, &ListTasks::default()).await.unwrap().items, []);
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_admin_changes_anything_or_lists_all_projects() {
    let town = Town::start().await;
    let ann = town.employee().await;
    let project = town.project(&[ann]).await;
    let task = town.task(project.id, &[ann]).await;
    let (changes, task_changes) = (ProjectChanges::default(), TaskChanges::default());
    refused::<CreateProject>(&town, ann, new_project()).await;
    refused(&town, ann, UpdateProject { id: project.id, changes }).await;
    refused(&town, ann, DeleteProject { id: project.id }).await;
    refused(&town, ann, ListProjects::default()).await;
    refused::<CreateTask>(&town, ann, new_task(project.id)).await;
    refused(&town, ann, UpdateTask { id: task.id, changes: task_changes }).await;
    refused(&town, ann, DeleteTask { id: task.id }).await;
    let nobody = town.world.bus().ask(Caller::Anonymous, &GetProject { id: project.id }).await;
    assert_eq!(nobody.unwrap_err().code, Code::Forbidden);
    town.finish().await;
}

async fn refused<R: Request>(town: &Town, employee: EmployeeId, request: R) {
    let answer = town.ask_as(employee, &request).await;
    assert_eq!(answer.err().map(|failure| failure.code), Some(Code::Forbidden), "{}", R::NAME);
}
