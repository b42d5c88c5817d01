use contracts::{Code, DeleteProject, DeleteTask, GetWorkNames, NAMES_MOST, ProjectChanges, TaskId, WorkNames};

use crate::town::{Town, name, new_task};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_keeps_the_name_that_it_had_last() {
    let town = Town::start().await;
    let kept = town.project(&[]).await;
    let project = town.project(&[]).await;
    let (first, second) = (town.task(project.id, &[]).await, town.task(project.id, &[]).await);
    let other = town.task(kept.id, &[]).await;
    let renamed = ProjectChanges { name: Some(name("Relaunch")), ..Default::default() };
    town.change_project(project.id, renamed).await.unwrap();
    let asked = GetWorkNames {
        projects: vec![project.id, kept.id, kit::new_id()],
        tasks: vec![first.id, second.id, other.id, kit::new_id()],
    };
    let expected = WorkNames {
        projects: [(project.id, name("Relaunch")), (kept.id, name("Website"))].into(),
        tasks: [first.id, second.id, other.id].map(|id| (id, new_task(kept.id).name)).into(),
    };
    assert_eq!(town.ask(&asked).await.unwrap(), expected);
    town.ask(&DeleteTask { id: first.id }).await.unwrap();
    assert_eq!(town.ask(&asked).await.unwrap(), expected);
    town.ask(&DeleteProject { id: project.id }).await.unwrap();
    assert_eq!(town.ask(&asked).await.unwrap(), expected);

    let ann = town.employee().await;
    assert_eq!(town.ask_as(ann, &asked).await.unwrap_err().code, Code::Forbidden);
    let many: Vec<TaskId> = (0..=NAMES_MOST).map(|_| kit::new_id()).collect();
    let too_many = town.ask(&GetWorkNames { projects: Vec::new(), tasks: many }).await.unwrap_err();
    assert_eq!(too_many.code, Code::Invalid);
    town.finish().await;
}
