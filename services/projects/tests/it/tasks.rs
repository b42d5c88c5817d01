use contracts::{
    AssignmentChanged, Code, DeleteTask, FormerTerms, GetTask, ListTasks, ProjectChanges, ProjectTerm, TaskChanged,
    TaskChanges, TaskTerm, Term,
};

use crate::fixture::{Fixture, labels, name, new_project, new_task};

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_created_read_changed_and_deleted() {
    let fixture = Fixture::start().await;
    let (ann, bob) = (fixture.employee().await, fixture.employee().await);
    let project = fixture.project(&[ann, bob]).await;
    let task = fixture.task(project.id, &[ann, ann]).await;
    assert_eq!((task.status.as_str(), task.priority.as_str(), task.billable), ("To Do", "Medium", true));
    assert_eq!(task.employees, [ann]);
    assert_eq!(fixture.ask(&GetTask { id: task.id }).await.unwrap(), task);

    let changes = TaskChanges {
        name: Some(name("Draw")),
        status: labels(&["Done"]).pop(),
        employees: Some(vec![bob]),
        ..Default::default()
    };
    let changed = fixture.change_task(task.id, changes).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.status.as_str(), changed.priority.as_str()), ("Draw", "Done", "Medium"));
    assert_eq!(fixture.assignees(task.id).await, [bob]);
    fixture.assert_consistent().await;

    fixture.ask(&DeleteTask { id: task.id }).await.unwrap();
    assert_eq!(fixture.ask(&GetTask { id: task.id }).await.unwrap_err().code, Code::NotFound);
    assert_eq!(fixture.ask(&DeleteTask { id: task.id }).await.unwrap_err().code, Code::NotFound);
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
    fixture.until_told(&like, |event| event.deleted && event.version == 3).await;
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_has_only_what_its_project_has() {
    let fixture = Fixture::start().await;
    let (ann, stranger) = (fixture.employee().await, kit::new_id());
    let project = fixture.project(&[]).await;
    let refused = async |request| fixture.ask(&request).await.unwrap_err().code;
    let request = new_task(project.id);
    assert_eq!(refused(new_task(kit::new_id())).await, Code::UnknownProject);
    let with = |id| contracts::CreateTask { employees: Some(vec![id]), ..request.clone() };
    assert_eq!(refused(with(ann)).await, Code::NotOnProject);
    assert_eq!(refused(with(stranger)).await, Code::UnknownEmployee);
    let odd = labels(&["Odd"]).pop();
    assert_eq!(refused(contracts::CreateTask { status: odd.clone(), ..request.clone() }).await, Code::UnknownStatus);
    assert_eq!(
        refused(contracts::CreateTask { priority: odd.clone(), ..request.clone() }).await,
        Code::UnknownPriority
    );

    let task = fixture.task(project.id, &[]).await;
    let refused = async |changes| fixture.change_task(task.id, changes).await.unwrap_err().code;
    let none = TaskChanges::default();
    assert_eq!(refused(none.clone()).await, Code::NothingToChange);
    assert_eq!(refused(TaskChanges { status: odd.clone(), ..none.clone() }).await, Code::UnknownStatus);
    assert_eq!(refused(TaskChanges { priority: odd, ..none.clone() }).await, Code::UnknownPriority);
    assert_eq!(refused(TaskChanges { employees: Some(vec![ann]), ..none.clone() }).await, Code::NotOnProject);
    assert_eq!(refused(TaskChanges { project_id: Some(kit::new_id()), ..none }).await, Code::UnknownProject);
    assert_eq!(fixture.ask(&GetTask { id: task.id }).await.unwrap(), task);
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_the_project_gives_up_stays_on_its_tasks_until_it_is_changed() {
    let fixture = Fixture::start().await;
    let project = fixture.project(&[]).await;
    let task = fixture.task(project.id, &[]).await;
    let fewer = ProjectChanges { statuses: Some(labels(&["Later", "Now"])), ..Default::default() };
    fixture.change_project(project.id, fewer).await.unwrap();
    let renamed = TaskChanges { name: Some(name("Draw")), ..Default::default() };
    assert_eq!(fixture.change_task(task.id, renamed).await.unwrap().status.as_str(), "To Do");
    assert_eq!(fixture.task(project.id, &[]).await.status.as_str(), "Later", "the first where there is no To Do");
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_moves_must_fit_and_its_assignments_start_anew_and_those_before_are_kept() {
    let fixture = Fixture::start().await;
    let (ann, bob) = (fixture.employee().await, fixture.employee().await);
    let (old, new) = (fixture.project(&[ann, bob]).await, fixture.project(&[ann]).await);
    // Ann has been on the new project before, so her current term there is the second one.
    fixture.put(new.id, &[]).await.unwrap();
    fixture.put(new.id, &[ann]).await.unwrap();
    let odd =
        fixture.ask(&contracts::CreateProject { statuses: Some(labels(&["Odd"])), ..new_project() }).await.unwrap();
    let task = fixture.task(old.id, &[ann, bob]).await;
    let to = |id| TaskChanges { project_id: Some(id), ..Default::default() };
    let of_task = TaskChanged {
        id: task.id,
        project_id: new.id,
        version: 0,
        billable: true,
        status: task.status.clone(),
        priority: task.priority.clone(),
        deleted: false,
        projects: None,
    };

    assert_eq!(fixture.change_task(task.id, to(new.id)).await.unwrap_err().code, Code::NotOnProject);
    let alone = TaskChanges { employees: Some(vec![]), ..to(odd.id) };
    assert_eq!(fixture.change_task(task.id, alone).await.unwrap_err().code, Code::UnknownStatus);

    let moved = TaskChanges { employees: Some(vec![ann]), ..to(new.id) };
    assert_eq!(fixture.change_task(task.id, moved).await.unwrap().project_id, new.id);
    let like = |employee_id| AssignmentChanged {
        task_id: task.id,
        project_id: new.id,
        employee_id,
        version: 0,
        terms: Vec::new(),
        former: Vec::new(),
    };
    let anew = fixture.until_told(&like(ann), |event| event.project_id == new.id).await;
    assert_eq!((anew.terms.len(), anew.terms[0].member_term, anew.terms[0].term.from), (1, 1, None));
    let gone = fixture.until_told(&like(bob), |event| event.project_id == new.id).await;
    assert_eq!(gone.terms, []);
    let event = fixture.until_told(&of_task, |event| event.project_id == new.id).await;
    let projects = event.projects.unwrap();
    let at = projects[1].term.from;
    let on = |project_id, from, until| ProjectTerm { project_id, term: Term { from, until } };
    assert_eq!(projects, [on(old.id, None, at), on(new.id, at, None)]);
    for former in [anew.former, gone.former] {
        let terms = vec![TaskTerm { term: Term { from: None, until: at }, member_term: 0 }];
        assert_eq!(former, [FormerTerms { project_id: old.id, terms }]);
    }

    // The task moves back, and the earlier terms on that project continue.
    fixture.change_task(task.id, to(old.id)).await.unwrap();
    let back = fixture.until_told(&like(ann), |event| event.project_id == old.id).await;
    assert_eq!((back.terms.len(), back.former.len()), (2, 1));
    assert!(back.terms[0].term.until == at && back.terms[1].term.from >= at, "{back:?}");
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_are_listed_in_pages_of_all_projects_or_of_one() {
    let fixture = Fixture::start().await;
    let (one, other) = (fixture.project(&[]).await, fixture.project(&[]).await);
    let mut tasks =
        vec![fixture.task(one.id, &[]).await, fixture.task(other.id, &[]).await, fixture.task(one.id, &[]).await];
    tasks.sort_by_key(|task| task.id);
    let all = fixture.ask(&ListTasks::default()).await.unwrap();
    assert_eq!((all.items, all.next), (tasks.clone(), None));
    let rest = fixture.ask(&ListTasks { project_id: None, after: Some(tasks[0].id) }).await.unwrap();
    assert_eq!(rest.items, tasks[1..]);
    tasks.retain(|task| task.project_id == one.id);
    let of_one = fixture.ask(&ListTasks { project_id: Some(one.id), after: None }).await.unwrap();
    assert_eq!(of_one.items, tasks);
    fixture.finish().await;
}
