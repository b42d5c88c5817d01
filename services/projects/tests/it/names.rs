use contracts::{Code, DeleteProject, DeleteTask, GetWorkNames, NAMES_MOST, ProjectChanges, TaskId, WorkNames};

use crate::fixture::{Fixture, name, new_task};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_keeps_the_name_that_it_had_last() {
    let fixture = Fixture::start().await;
    let kept = fixture.project(&[]).await;
    let project = fixture.project(&[]).await;
    let (first, second) = (fixture.task(project.id, &[]).await, fixture.task(project.id, &[]).await);
    let other = fixture.task(kept.id, &[]).await;
    let renamed = ProjectChanges { name: Some(name("Relaunch")), ..Default::default() };
    fixture.change_project(project.id, renamed).await.unwrap();
    let asked = GetWorkNames {
        projects: vec![project.id, kept.id, kit::new_id()],
        tasks: vec![first.id, second.id, other.id, kit::new_id()],
    };
    let expected = WorkNames {
        projects: [(project.id, name("Relaunch")), (kept.id, name("Website"))].into(),
        tasks: [first.id, second.id, other.id].map(|id| (id, new_task(kept.id).name)).into(),
    };
    assert_eq!(fixture.ask(&asked).await.unwrap(), expected);
    fixture.ask(&DeleteTask { id: first.id }).await.unwrap();
    assert_eq!(fixture.ask(&asked).await.unwrap(), expected);
    fixture.ask(&DeleteProject { id: project.id }).await.unwrap();
    assert_eq!(fixture.ask(&asked).await.unwrap(), expected);

    let ann = fixture.employee().await;
    assert_eq!(fixture.ask_as(ann, &asked).await.unwrap_err().code, Code::Forbidden);
    let many: Vec<TaskId> = (0..=NAMES_MOST).map(|_| kit::new_id()).collect();
    let too_many = fixture.ask(&GetWorkNames { projects: Vec::new(), tasks: many }).await.unwrap_err();
    assert_eq!(too_many.code, Code::Invalid);
    fixture.finish().await;
}
