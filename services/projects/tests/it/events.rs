use bson::{Document, doc};
use contracts::{
    AssignmentChanged, DeleteProject, DeleteTask, MemberChanged, Payroll, ProjectChanged, ProjectChanges, ProjectTerm,
    Service, TaskChanged, TaskChanges, Term,
};

use crate::town::{Town, labels};

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_told_with_its_version_and_so_is_every_end() {
    let town = Town::start().await;
    let ann = town.employee().await;
    let project = town.project(&[ann]).await;
    let task = town.task(project.id, &[ann]).await;
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
    town.until_told(&of_project, |told| *told == of_project).await;
    town.until_told(&of_task, |told| *told == of_task).await;
    town.until_told(&of_member, |told| told.is_on() && told.version == 1).await;
    let edge = town.until_told(&of_edge, |told| told.version == 1).await;
    assert_eq!((edge.terms.len(), edge.terms[0].member_term), (1, 0));

    let archived = ProjectChanges { archived: Some(true), ..Default::default() };
    town.change_project(project.id, archived).await.unwrap();
    let told = town.until_told(&of_project, |told| told.archived && told.version == 2).await;
    let open = told.open.expect("its terms");
    assert!(open.len() == 1 && open[0].until.is_some(), "{open:?}");
    let done = TaskChanges { status: labels(&["Done"]).pop(), ..Default::default() };
    town.change_task(task.id, done).await.unwrap();
    town.until_told(&of_task, |told| told.status.as_str() == "Done" && told.version == 2).await;

    town.ask(&DeleteTask { id: task.id }).await.unwrap();
    let told = town.until_told(&of_task, |told| told.deleted && told.version == 3).await;
    let ended = told.projects.expect("its terms")[0].term.until;
    assert!(ended.is_some());
    town.until_told(&of_edge, |told| told.version == 2 && told.terms[0].term.until == ended).await;
    town.ask(&DeleteProject { id: project.id }).await.unwrap();
    let told = town.until_told(&of_project, |told| told.deleted && told.version == 3).await;
    assert_eq!(told.open, Some(open), "it was archived already");
    town.until_told(&of_member, |told| !told.is_on() && told.version == 2).await;
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_version_stored_without_times_is_read_and_gets_them_with_the_next_change() {
    let town = Town::start().await;
    let ann = town.employee().await;
    let (project, archived) = (town.project(&[ann]).await, town.project(&[]).await);
    let task = town.task(project.id, &[ann]).await;
    let archive = |archived| ProjectChanges { archived: Some(archived), ..Default::default() };
    town.change_project(archived.id, archive(true)).await.unwrap();
    let db = town.world.database(Service::Projects).await;
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
    town.change_project(project.id, archive(true)).await.unwrap();
    let open = town.until_told(&like(project.id), |told| told.archived).await.open.unwrap();
    assert!(open.len() == 1 && open[0].from.is_none() && open[0].until.is_some(), "{open:?}");
    // When it was archived nobody knows: all hours count again once it is brought back, as they did.
    town.change_project(archived.id, archive(false)).await.unwrap();
    let told = town.until_told(&like(archived.id), |told| told.version == 3).await;
    assert_eq!(told.open, Some(vec![Term::ALWAYS]));

    town.ask(&DeleteTask { id: task.id }).await.unwrap();
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
    let projects = town.until_told(&like, |told| told.deleted).await.projects.unwrap();
    assert!(projects.len() == 1 && projects[0].term.until.is_some(), "{projects:?}");
    town.finish().await;
}
