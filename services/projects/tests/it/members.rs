use contracts::{AssignmentChanged, Code, DeactivateEmployee, MemberChanged, TaskChanges};

use crate::town::Town;

#[tokio::test(flavor = "multi_thread")]
async fn taking_somebody_off_a_project_takes_them_off_its_tasks_and_shows_in_their_projects() {
    let town = Town::start().await;
    let (ann, bob) = (town.employee().await, town.employee().await);
    let (project, other) = (town.project(&[ann, bob]).await, town.project(&[ann]).await);
    let (task, elsewhere) = (town.task(project.id, &[ann, bob]).await, town.task(other.id, &[ann]).await);
    town.until_on(ann, 2).await;

    town.put(project.id, &[bob]).await.unwrap();
    assert_eq!(town.assignees(task.id).await, [bob]);
    assert_eq!(town.assignees(elsewhere.id).await, [ann]);
    assert_eq!(town.until_on(ann, 1).await.projects, [other.id]);
    let back = TaskChanges { employees: Some(vec![ann]), ..Default::default() };
    assert_eq!(town.change_task(task.id, back).await.unwrap_err().code, Code::NotOnProject);
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_gets_a_new_term_and_is_on_no_task() {
    let town = Town::start().await;
    let ann = town.employee().await;
    let project = town.project(&[ann]).await;
    let task = town.task(project.id, &[ann]).await;
    town.put(project.id, &[]).await.unwrap();
    town.put(project.id, &[ann]).await.unwrap();
    assert_eq!(town.assignees(task.id).await, []);

    let like = MemberChanged { project_id: project.id, employee_id: ann, version: 0, terms: Vec::new() };
    let told = town.until_told(&like, |told| told.version == 3).await;
    assert_eq!((told.terms.len(), told.terms[0].from, told.is_on()), (2, None, true));
    assert!(told.terms[1].from >= told.terms[0].until);

    let again = TaskChanges { employees: Some(vec![ann]), ..Default::default() };
    town.change_task(task.id, again).await.unwrap();
    let like = AssignmentChanged {
        task_id: task.id,
        project_id: project.id,
        employee_id: ann,
        version: 0,
        terms: Vec::new(),
        former: Vec::new(),
    };
    let told = town.until_told(&like, |told| told.version == 3).await;
    assert_eq!(told.terms.iter().map(|term| term.member_term).collect::<Vec<_>>(), [0, 1]);
    assert!(told.terms[0].term.until.is_some() && told.terms[1].term.until.is_none());
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_deactivated_is_put_on_anything() {
    let town = Town::start().await;
    let (ann, bob) = (town.employee().await, town.employee().await);
    let project = town.project(&[ann, bob]).await;
    let task = town.task(project.id, &[]).await;
    town.ask(&DeactivateEmployee { id: ann }).await.unwrap();
    assert_eq!(town.put(project.id, &[ann, bob]).await.unwrap_err().code, Code::EmployeeDeactivated);
    let on_task = TaskChanges { employees: Some(vec![ann]), ..Default::default() };
    assert_eq!(town.change_task(task.id, on_task).await.unwrap_err().code, Code::EmployeeDeactivated);
    assert_eq!(town.members(project.id).await, [bob]);
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_directory_is_away_nobody_is_put_on_anything_but_everything_else_goes_on() {
    let town = Town::start().await;
    let (ann, bob) = (town.employee().await, town.employee().await);
    let project = town.project(&[ann]).await;
    town.until_on(ann, 1).await;
    town.directory.shutdown.stop();
    testkit::eventually("directory no longer answers", async || {
        town.ask(&contracts::GetEmployee { id: ann }).await.is_err().then_some(())
    })
    .await;
    assert_eq!(town.put(project.id, &[ann, bob]).await.unwrap_err().code, Code::Unavailable);
    assert_eq!(town.put(project.id, &[]).await.unwrap().employees, []);
    town.task(project.id, &[]).await;
    town.finish().await;
}
