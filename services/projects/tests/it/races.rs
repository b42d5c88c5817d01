use contracts::{
    Code, Conditional, CreateTask, DeactivateEmployee, DeleteProject, EmployeeId, Failure, IfMatch, ProjectChanges,
    ProjectId, Request, Service, SetMemberships, Tag, TaskChanges, UpdateProject, UpdateTask, projects_tag, stream,
};
use futures::future::join_all;

use crate::fixture::{Fixture, name, new_task};

#[tokio::test(flavor = "multi_thread")]
async fn fifty_updates_of_one_project_at_once_all_land() {
    let fixture = Fixture::start_replicated().await;
    let project = fixture.project(&[]).await;
    let rename = |n| ProjectChanges { name: Some(name(&format!("Website {n}"))), ..Default::default() };
    let updates = join_all((0..50).map(|n| fixture.change_project(project.id, rename(n)))).await;
    assert_eq!(updates.into_iter().filter(Result::is_err).count(), 0);
    assert_eq!(fixture.project_version(project.id).await, 51);
    fixture.finish().await;
}

/// Sends requests at the same time, all on the condition that this tag is current. Returns the
/// number of successes.
async fn done<R: Request>(fixture: &Fixture, seen: &Tag, changes: impl Iterator<Item = R>) -> usize {
    let if_match = IfMatch(Some(vec![seen.clone()]));
    let changes: Vec<_> = changes.map(|change| Conditional { change, if_match: if_match.clone() }).collect();
    let ask = async |change| loop {
        match fixture.ask(change).await {
            // The transaction has conflicted with others for too long. The request is sent again.
            Err(failure) if failure.code == Code::Unavailable => {}
            answer => return answer,
        }
    };
    let answers = join_all(changes.iter().map(ask)).await;
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(refused.code, Code::PreconditionFailed);
    }
    answers.into_iter().filter(Result::is_ok).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_change_what_they_have_all_seen_one_does_on_whatever_replica() {
    let fixture = Fixture::start_replicated().await;
    let ann = fixture.employee().await;
    let (project, other) = (fixture.project(&[]).await, fixture.project(&[ann]).await);
    let task = fixture.task(project.id, &[]).await;
    let renamed = |n| Some(name(&format!("Name {n}")));
    let changes = (0..20)
        .map(|n| UpdateProject { id: project.id, changes: ProjectChanges { name: renamed(n), ..Default::default() } });
    assert_eq!(done(&fixture, &project.tag(), changes).await, 1);
    let changes =
        (0..20).map(|n| UpdateTask { id: task.id, changes: TaskChanges { name: renamed(n), ..Default::default() } });
    assert_eq!(done(&fixture, &task.tag(), changes).await, 1);
    // The first set only leaves a project and the last only joins one, so these two have only the
    // employee in common.
    let sets = [vec![], vec![project.id], vec![other.id, project.id]];
    let changes = sets.map(|projects| SetMemberships { employee_id: ann, projects, only_check: false });
    assert_eq!(done(&fixture, &projects_tag(vec![other.id]), changes.into_iter()).await, 1);
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_deactivated_while_being_assigned_is_on_nothing() {
    let fixture = Fixture::start_replicated().await;
    let employees = join_all((0..4).map(|_| fixture.employee())).await;
    let projects = join_all((0..6).map(|_| fixture.project(&[]))).await;
    let races = employees.iter().map(|employee| async {
        let assigns = join_all(projects.iter().map(|project| assign(&fixture, project.id, *employee)));
        let (assigned, deactivated) = tokio::join!(assigns, deactivate(&fixture, *employee));
        deactivated.unwrap();
        for refused in assigned.into_iter().filter_map(Result::err) {
            let expected = [Code::EmployeeDeactivated, Code::NotOnProject];
            assert!(expected.contains(&refused.code), "{refused:?}");
        }
    });
    join_all(races).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Projects).await;
    for employee in employees {
        assert_eq!(fixture.until_on(employee, 0).await.projects, []);
    }
    for project in projects {
        assert_eq!(fixture.members(project.id).await, []);
    }
    fixture.finish().await;
}

/// Puts an employee on a project and on a new task of it, four times.
async fn assign(fixture: &Fixture, project: ProjectId, employee: EmployeeId) -> Result<(), Failure> {
    for _ in 0..4 {
        fixture.put(project, &[employee]).await?;
        let on_task = CreateTask { employees: Some(vec![employee]), ..new_task(project) };
        fixture.ask(&on_task).await?;
    }
    Ok(())
}

async fn deactivate(fixture: &Fixture, employee: EmployeeId) -> Result<(), Failure> {
    // Waits until some of the assignments are done.
    testkit::eventually("somebody is on something", async || {
        let on = fixture.ask(&contracts::GetEmployee { id: employee }).await.ok()?;
        (!on.projects.is_empty()).then_some(())
    })
    .await;
    fixture.ask(&DeactivateEmployee { id: employee }).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_taken_off_a_project_while_being_assigned_to_its_tasks_is_on_none() {
    let fixture = Fixture::start_replicated().await;
    let ann = fixture.employee().await;
    let project = fixture.project(&[ann]).await;
    let tasks = join_all((0..8).map(|_| fixture.task(project.id, &[]))).await;
    let on = TaskChanges { employees: Some(vec![ann]), ..Default::default() };
    let assigns = join_all(tasks.iter().map(|task| fixture.change_task(task.id, on.clone())));
    let (assigned, taken_off) = tokio::join!(assigns, fixture.put(project.id, &[]));
    taken_off.unwrap();
    for refused in assigned.into_iter().filter_map(Result::err) {
        assert_eq!(refused.code, Code::NotOnProject);
    }
    for task in tasks {
        assert_eq!(fixture.assignees(task.id).await, []);
    }
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_task_outlives_a_project_that_is_deleted_while_it_is_created() {
    let fixture = Fixture::start_replicated().await;
    let project = fixture.project(&[]).await;
    let (request, delete) = (new_task(project.id), DeleteProject { id: project.id });
    let creates = join_all((0..16).map(|_| fixture.ask(&request)));
    let (created, deleted) = tokio::join!(creates, fixture.ask(&delete));
    deleted.unwrap();
    for refused in created.into_iter().filter_map(Result::err) {
        assert_eq!(refused.code, Code::UnknownProject);
    }
    fixture.finish().await; // also checks that every remaining task has a project
}
