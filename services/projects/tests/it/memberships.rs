//! Tests of setting all projects of one employee.

use contracts::{Code, DeactivateEmployee, EmployeeId, Failure, ProjectChanges, ProjectId, SetMemberships};

use crate::fixture::Fixture;

async fn set(fixture: &Fixture, employee_id: EmployeeId, projects: &[ProjectId]) -> Result<Vec<ProjectId>, Failure> {
    fixture.ask(&SetMemberships { employee_id, projects: projects.to_vec(), only_check: false }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_is_then_on_exactly_the_projects_that_were_set_and_off_the_tasks_of_the_others() {
    let fixture = Fixture::start().await;
    let (ann, bob) = (fixture.employee().await, fixture.employee().await);
    let (left, kept, new) =
        (fixture.project(&[ann, bob]).await.id, fixture.project(&[ann]).await.id, fixture.project(&[bob]).await.id);
    let (of_left, of_kept) = (fixture.task(left, &[ann, bob]).await.id, fixture.task(kept, &[ann]).await.id);

    // The second round changes nothing. The id that is sent twice counts once.
    for _ in 0..2 {
        assert_eq!(set(&fixture, ann, &[new, kept, new]).await.unwrap(), [new, kept]);
        let shown = fixture.until_on(ann, 2).await.projects;
        assert!(shown.contains(&new) && shown.contains(&kept));
        assert_eq!((fixture.members(left).await, fixture.members(kept).await), (vec![bob], vec![ann]));
        assert_eq!(fixture.members(new).await, [bob, ann]);
        assert_eq!((fixture.assignees(of_left).await, fixture.assignees(of_kept).await), (vec![bob], vec![ann]));
        assert_eq!(fixture.project_version(kept).await, 1);
    }
    assert_eq!(set(&fixture, ann, &[]).await.unwrap(), []);
    fixture.until_on(ann, 0).await;
    assert_eq!(fixture.assignees(of_kept).await, []);
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_one_project_cannot_be_joined_nothing_is_changed() {
    let fixture = Fixture::start().await;
    let ann = fixture.employee().await;
    let (on, open, archived) =
        (fixture.project(&[ann]).await.id, fixture.project(&[]).await.id, fixture.project(&[]).await.id);
    let archive = ProjectChanges { archived: Some(true), ..Default::default() };
    fixture.change_project(archived, archive.clone()).await.unwrap();
    assert_eq!(set(&fixture, ann, &[open, kit::new_id()]).await.unwrap_err().code, Code::UnknownProject);
    assert_eq!(set(&fixture, ann, &[open, archived]).await.unwrap_err().code, Code::ProjectArchived);
    assert_eq!(set(&fixture, kit::new_id(), &[open]).await.unwrap_err().code, Code::UnknownEmployee);
    assert_eq!((fixture.members(on).await, fixture.members(open).await), (vec![ann], vec![]));

    // An employee may stay on a project that was archived in the meantime.
    fixture.change_project(on, archive).await.unwrap();
    assert_eq!(set(&fixture, ann, &[on, open]).await.unwrap(), [on, open]);
    fixture.until_on(ann, 2).await;

    fixture.ask(&DeactivateEmployee { id: ann }).await.unwrap();
    assert_eq!(set(&fixture, ann, &[open]).await.unwrap_err().code, Code::EmployeeDeactivated);
    assert_eq!(set(&fixture, ann, &[]).await.unwrap(), []);
    assert_eq!(fixture.members(open).await, []);
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_set_from_both_sides_at_once_agree_in_the_end() {
    let fixture = Fixture::start_replicated().await;
    let (ann, bob) = (fixture.employee().await, fixture.employee().await);
    let mut projects = Vec::new();
    for _ in 0..6 {
        projects.push(fixture.project(&[]).await.id);
    }
    let of_ann = async |from: usize| set(&fixture, ann, &projects[from..from + 3]).await.map(|_| ());
    let of_bob = async |from: usize| set(&fixture, bob, &projects[from..from + 3]).await.map(|_| ());
    let of_project = async |n: usize, who: &[EmployeeId]| fixture.put(projects[n], who).await.map(|_| ());
    let (a, b, c, d, e) =
        futures::future::join5(of_ann(0), of_ann(2), of_bob(1), of_project(2, &[ann, bob]), of_project(3, &[])).await;
    for done in [a, b, c, d, e] {
        done.unwrap();
    }
    fixture.finish().await;
}
