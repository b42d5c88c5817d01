//! An employee's projects, set from the employee's side.

use contracts::{Code, DeactivateEmployee, EmployeeId, Failure, ProjectChanges, ProjectId, SetMemberships};

use crate::town::Town;

async fn set(town: &Town, employee_id: EmployeeId, projects: &[ProjectId]) -> Result<Vec<ProjectId>, Failure> {
    town.ask(&SetMemberships { employee_id, projects: projects.to_vec(), only_check: false }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_is_then_on_exactly_the_projects_that_were_set_and_off_the_tasks_of_the_others() {
    let town = Town::start().await;
    let (ann, bob) = (town.employee().await, town.employee().await);
    let (left, kept, new) =
        (town.project(&[ann, bob]).await.id, town.project(&[ann]).await.id, town.project(&[bob]).await.id);
    let (of_left, of_kept) = (town.task(left, &[ann, bob]).await.id, town.task(kept, &[ann]).await.id);

    // Twice the same changes nothing more, and one named twice is one.
    for _ in 0..2 {
        assert_eq!(set(&town, ann, &[new, kept, new]).await.unwrap(), [new, kept]);
        let shown = town.until_on(ann, 2).await.projects;
        assert!(shown.contains(&new) && shown.contains(&kept));
        assert_eq!((town.members(left).await, town.members(kept).await), (vec![bob], vec![ann]));
        assert_eq!(town.members(new).await, [bob, ann]);
        assert_eq!((town.assignees(of_left).await, town.assignees(of_kept).await), (vec![bob], vec![ann]));
        assert_eq!(town.project_version(kept).await, 1);
    }
    assert_eq!(set(&town, ann, &[]).await.unwrap(), []);
    town.until_on(ann, 0).await;
    assert_eq!(town.assignees(of_kept).await, []);
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_one_project_cannot_be_joined_nothing_is_changed() {
    let town = Town::start().await;
    let ann = town.employee().await;
    let (on, open, archived) = (town.project(&[ann]).await.id, town.project(&[]).await.id, town.project(&[]).await.id);
    let archive = ProjectChanges { archived: Some(true), ..Default::default() };
    town.change_project(archived, archive.clone()).await.unwrap();
    assert_eq!(set(&town, ann, &[open, kit::new_id()]).await.unwrap_err().code, Code::UnknownProject);
    assert_eq!(set(&town, ann, &[open, archived]).await.unwrap_err().code, Code::ProjectArchived);
    assert_eq!(set(&town, kit::new_id(), &[open]).await.unwrap_err().code, Code::UnknownEmployee);
    assert_eq!((town.members(on).await, town.members(open).await), (vec![ann], vec![]));

    // Whoever is on a project that was archived since stays on it.
    town.change_project(on, archive).await.unwrap();
    assert_eq!(set(&town, ann, &[on, open]).await.unwrap(), [on, open]);
    town.until_on(ann, 2).await;

    town.ask(&DeactivateEmployee { id: ann }).await.unwrap();
    assert_eq!(set(&town, ann, &[open]).await.unwrap_err().code, Code::EmployeeDeactivated);
    assert_eq!(set(&town, ann, &[]).await.unwrap(), []);
    assert_eq!(town.members(open).await, []);
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_set_from_both_sides_at_once_agree_in_the_end() {
    let town = Town::start_replicated().await;
    let (ann, bob) = (town.employee().await, town.employee().await);
    let mut projects = Vec::new();
    for _ in 0..6 {
        projects.push(town.project(&[]).await.id);
    }
    let of_ann = async |from: usize| set(&town, ann, &projects[from..from + 3]).await.map(|_| ());
    let of_bob = async |from: usize| set(&town, bob, &projects[from..from + 3]).await.map(|_| ());
    let of_project = async |n: usize, who: &[EmployeeId]| town.put(projects[n], who).await.map(|_| ());
    let (a, b, c, d, e) =
        futures::future::join5(of_ann(0), of_ann(2), of_bob(1), of_project(2, &[ann, bob]), of_project(3, &[])).await;
    for done in [a, b, c, d, e] {
        done.unwrap();
    }
    town.finish().await;
}
