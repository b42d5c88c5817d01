use contracts::{
    AssignmentChanged, DeleteProject, DeleteTask, MemberChanged, Payroll, ProjectChanged, ProjectChanges, TaskChanged,
    TaskChanges,
};

use crate::town::{Town, labels};

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_told_with_its_version_and_so_is_every_end() {
    let town = Town::start().await;
    let ann = town.employee().await;
    let project = town.project(&[ann]).await;
    let task = town.task(project.id, &[ann]).await;
    let of_project =
        ProjectChanged { id: project.id, version: 1, payroll: Payroll::default(), archived: false, deleted: false };
    let of_task = TaskChanged {
        id: task.id,
        project_id: project.id,
        version: 1,
        billable: true,
        status: task.status,
        priority: task.priority,
        deleted: false,
    };
    let of_member = MemberChanged { project_id: project.id, employee_id: ann, version: 1, terms: Vec::new() };
    let of_edge =
        AssignmentChanged { task_id: task.id, project_id: project.id, employee_id: ann, version: 1, terms: Vec::new() };
    town.until_told(&of_project, |told| *told == of_project).await;
    town.until_told(&of_task, |told| *told == of_task).await;
    town.until_told(&of_member, |told| told.is_on() && told.version == 1).await;
    let edge = town.until_told(&of_edge, |told| told.version == 1).await;
    assert_eq!((edge.terms.len(), edge.terms[0].member_term), (1, 0));

    let archived = ProjectChanges { archived: Some(true), ..Default::default() };
    town.change_project(project.id, archived).await.unwrap();
    town.until_told(&of_project, |told| told.archived && told.version == 2).await;
    let done = TaskChanges { status: labels(&["Done"]).pop(), ..Default::default() };
    town.change_task(task.id, done).await.unwrap();
    town.until_told(&of_task, |told| told.status.as_str() == "Done" && told.version == 2).await;

    town.ask(&DeleteTask { id: task.id }).await.unwrap();
    town.until_told(&of_task, |told| told.deleted && told.version == 3).await;
    town.until_told(&of_edge, |told| told.version == 2 && told.terms[0].term.until.is_some()).await;
    town.ask(&DeleteProject { id: project.id }).await.unwrap();
    town.until_told(&of_project, |told| told.deleted && told.version == 3).await;
    town.until_told(&of_member, |told| !told.is_on() && told.version == 2).await;
    town.finish().await;
}
