use bson::{Document, doc};
use contracts::{
    AssignmentChanged, DeleteProject, DeleteTask, MemberChanged, Payroll, ProjectChanged, ProjectChanges, ProjectTerm,
    Service, TaskChanged, TaskChanges, Term,
};

use crate::fixture::{Fixture, labels};

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_told_with_its_version_and_so_is_every_end() {
    let fixture = Fixture::start().await;
    let ann = fixture.employee().await;
    let project = fixture.project(&[ann]).await;
    let task = fixture.task(project.id, &[ann]).await;
    let of_project = ProjectChanged {
        id: project.id,
        version: 1,
        payroll: Payroll::default(),
        archived: false,
        deleted: false,
        open: Some(vec![Term::ALWAYS]),
    };
    let of_task = TaskChanged {
        id: task.id,
        project_id: project.id,
        version: 1,
        billable: true,
        status: task.status,
        priority: task.priority,
        deleted: false,
        projects: Some(vec![ProjectTerm { project_id: project.id, term: Term::ALWAYS }]),
    };
    let of_member = MemberChanged { project_id: project.id, employee_id: ann, version: 1, terms: Vec::new() };
    let of_edge = AssignmentChanged {
        task_id: task.id,
        project_id: project.id,
        employee_id: ann,
        version: 1,
        terms: Vec::new(),
        former: Vec::new(),
    };
    fixture.until_told(&of_project, |event| *event == of_project).await;
    fixture.until_told(&of_task, |event| *event == of_task).await;
    fixture.until_told(&of_member, |event| event.is_on() && event.version == 1).await;
    let edge = fixture.until_told(&of_edge, |event| event.version == 1).await;
    assert_eq!((edge.terms.len(), edge.terms[0].member_term), (1, 0));

    let archived = ProjectChanges { archived: Some(true), ..Default::default() };
    fixture.change_project(project.id, archived).await.unwrap();
    let event = fixture.until_told(&of_project, |event| event.archived && event.version == 2).await;
    let open = event.open.expect("its terms");
    assert!(open.len() == 1 && open[0].until.is_some(), "{open:?}");
    let done = TaskChanges { status: labels(&["Done"]).pop(), ..Default::default() };
    fixture.change_task(task.id, done).await.unwrap();
    fixture.until_told(&of_task, |event| event.status.as_str() == "Done" && event.version == 2).await;

    fixture.ask(&DeleteTask { id: task.id }).await.unwrap();
    let event = fixture.until_told(&of_task, |event| event.deleted && event.version == 3).await;
    let ended = event.projects.expect("its terms")[0].term.until;
    assert!(ended.is_some());
    fixture.until_told(&of_edge, |event| event.version == 2 && event.terms[0].term.until == ended).await;
    fixture.ask(&DeleteProject { id: project.id }).await.unwrap();
    let event = fixture.until_told(&of_project, |event| event.deleted && event.version == 3).await;
    assert_eq!(event.open, Some(open), "it was archived already");
    fixture.until_told(&of_member, |event| !event.is_on() && event.version == 2).await;
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_version_stored_without_times_is_read_and_gets_them_with_the_next_change() {
    let fixture = Fixture::start().await;
    let ann = fixture.employee().await;
    let (project, archived) = (fixture.project(&[ann]).await, fixture.project(&[]).await);
    let task = fixture.task(project.id, &[ann]).await;
    let archive = |archived| ProjectChanges { archived: Some(archived), ..Default::default() };
    fixture.change_project(archived.id, archive(true)).await.unwrap();
    let db = fixture.harness.database(Service::Projects).await;
    for (collection, field) in [("projects", "open"), ("tasks", "projects"), ("assignments", "former")] {
        let without = doc! { "$unset": { field: "" } };
        db.collection::<Document>(collection).update_many(doc! {}, without).await.unwrap();
    }
    let like = |id| ProjectChanged {
        id,
        version: 0,
        payroll: Payroll::default(),
        archived: false,
        deleted: false,
        open: None,
    };
    fixture.change_project(project.id, archive(true)).await.unwrap();
    let open = fixture.until_told(&like(project.id), |event| event.archived).await.open.unwrap();
    assert!(open.len() == 1 && open[0].from.is_none() && open[0].until.is_some(), "{open:?}");
    // Earlier versions of the service did not store when a project was archived. Once such a
    // project is no longer archived, it counts as open at all times.
    fixture.change_project(archived.id, archive(false)).await.unwrap();
    let event = fixture.until_told(&like(archived.id), |event| event.version == 3).await;
    assert_eq!(event.open, Some(vec![Term::ALWAYS]));

    fixture.ask(&DeleteTask { id: task.id }).await.unwrap();
    let like = TaskChanged {
        id: task.id,
        project_id: project.id,
        version: 0,
        billable: true,
        status: task.status,
        priority: task.priority,
        deleted: true,
        projects: None,
    };
    let projects = fixture.until_told(&like, |event| event.deleted).await.projects.unwrap();
    assert!(projects.len() == 1 && projects[0].term.until.is_some(), "{projects:?}");
    fixture.finish().await;
}
