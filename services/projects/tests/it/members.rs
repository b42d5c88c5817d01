use contracts::{AssignmentChanged, Code, DeactivateEmployee, MemberChanged, TaskChanges};

use crate::fixture::Fixture;

#[tokio::test(flavor = "multi_thread")]
async fn taking_somebody_off_a_project_takes_them_off_its_tasks_and_shows_in_their_projects() {
    let fixture = Fixture::start().await;
    let (ann, bob) = (fixture.employee().await, fixture.employee().await);
    let (project, other) = (fixture.project(&[ann, bob]).await, fixture.project(&[ann]).await);
    let (task, elsewhere) = (fixture.task(project.id, &[ann, bob]).await, fixture.task(other.id, &[ann]).await);
    fixture.until_on(ann, 2).await;

    fixture.put(project.id, &[bob]).await.unwrap();
    assert_eq!(fixture.assignees(task.id).await, [bob]);
    assert_eq!(fixture.assignees(elsewhere.id).await, [ann]);
    assert_eq!(fixture.until_on(ann, 1).await.projects, [other.id]);
    let back = TaskChanges { employees: Some(vec![ann]), ..Default::default() };
    assert_eq!(fixture.change_task(task.id, back).await.unwrap_err().code, Code::NotOnProject);
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_gets_a_new_term_and_is_on_no_task() {
    let fixture = Fixture::start().await;
    let ann = fixture.employee().await;
    let project = fixture.project(&[ann]).await;
    let task = fixture.task(project.id, &[ann]).await;
    fixture.put(project.id, &[]).await.unwrap();
    fixture.put(project.id, &[ann]).await.unwrap();
    assert_eq!(fixture.assignees(task.id).await, []);

    let like = MemberChanged { project_id: project.id, employee_id: ann, version: 0, terms: Vec::new() };
    let edge = fixture.until_told(&like, |edge| edge.version == 3).await;
    assert_eq!((edge.terms.len(), edge.terms[0].from, edge.is_on()), (2, None, true));
    assert!(edge.terms[1].from >= edge.terms[0].until);

    let again = TaskChanges { employees: Some(vec![ann]), ..Default::default() };
    fixture.change_task(task.id, again).await.unwrap();
    let like = AssignmentChanged {
        task_id: task.id,
        project_id: project.id,
        employee_id: ann,
        version: 0,
        terms: Vec::new(),
        former: Vec::new(),
    };
    let edge = fixture.until_told(&like, |edge| edge.version == 3).await;
    assert_eq!(edge.terms.iter().map(|term| term.member_term).collect::<Vec<_>>(), [0, 1]);
    assert!(edge.terms[0].term.until.is_some() && edge.terms[1].term.until.is_none());
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_deactivated_is_put_on_anything() {
    let fixture = Fixture::start().await;
    let (ann, bob) = (fixture.employee().await, fixture.employee().await);
    let project = fixture.project(&[ann, bob]).await;
    let task = fixture.task(project.id, &[]).await;
    fixture.ask(&DeactivateEmployee { id: ann }).await.unwrap();
    assert_eq!(fixture.put(project.id, &[ann, bob]).await.unwrap_err().code, Code::EmployeeDeactivated);
    let on_task = TaskChanges { employees: Some(vec![ann]), ..Default::default() };
    assert_eq!(fixture.change_task(task.id, on_task).await.unwrap_err().code, Code::EmployeeDeactivated);
    assert_eq!(fixture.members(project.id).await, [bob]);
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_directory_is_away_nobody_is_put_on_anything_but_everything_else_goes_on() {
    let fixture = Fixture::start().await;
    let (ann, bob) = (fixture.employee().await, fixture.employee().await);
    let project = fixture.project(&[ann]).await;
    fixture.until_on(ann, 1).await;
    fixture.directory.shutdown.stop();
    testkit::eventually("directory no longer answers", async || {
        fixture.ask(&contracts::GetEmployee { id: ann }).await.is_err().then_some(())
    })
    .await;
    assert_eq!(fixture.put(project.id, &[ann, bob]).await.unwrap_err().code, Code::Unavailable);
    assert_eq!(fixture.put(project.id, &[]).await.unwrap().employees, []);
    fixture.task(project.id, &[]).await;
    fixture.finish().await;
}
