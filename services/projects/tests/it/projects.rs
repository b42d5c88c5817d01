use contracts::{
    Code, DeleteProject, GetProject, GetTask, ListProjects, Payee, Payroll, PayrollLine, ProjectChanges, Rate,
};

use crate::fixture::{Fixture, labels, name, new_project};

fn payroll(payees: &[Payee]) -> Payroll {
    let line = PayrollLine { bill_rate: Some(Rate::try_from(62.5).unwrap()), ..Default::default() };
    Payroll(payees.iter().map(|payee| (*payee, line)).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_created_read_changed_and_deleted() {
    let fixture = Fixture::start().await;
    let ann = fixture.employee().await;
    let mut request = new_project();
    request.employees = Some(vec![ann, ann]);
    request.payroll = Some(payroll(&[Payee::Everybody, Payee::Employee(ann)]));
    let created = fixture.ask(&request).await.unwrap();
    assert_eq!((created.employees.as_slice(), created.billable, created.archived), (&[ann][..], true, false));
    assert_eq!(created.statuses, labels(&["To Do", "In Progress", "Done"]));
    assert_eq!(created.priorities, labels(&["Low", "Medium", "High"]));
    assert_eq!(fixture.ask(&GetProject { id: created.id }).await.unwrap(), created);
    assert_eq!(fixture.until_on(ann, 1).await.projects, [created.id]);

    let changes = ProjectChanges {
        name: Some(name("Shop")),
        description: Some(None),
        billable: Some(false),
        ..Default::default()
    };
    let changed = fixture.change_project(created.id, changes).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.billable), ("Shop", false));
    assert_eq!((&changed.payroll, &changed.employees), (&created.payroll, &created.employees));

    let task = fixture.task(created.id, &[ann]).await;
    fixture.ask(&DeleteProject { id: created.id }).await.unwrap();
    assert_eq!(fixture.ask(&GetProject { id: created.id }).await.unwrap_err().code, Code::NotFound);
    assert_eq!(fixture.ask(&GetTask { id: task.id }).await.unwrap_err().code, Code::NotFound);
    assert_eq!(fixture.ask(&DeleteProject { id: created.id }).await.unwrap_err().code, Code::NotFound);
    fixture.until_on(ann, 0).await;
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unknown_does_not_fit_or_changes_nothing_is_refused_and_nothing_is_written() {
    let fixture = Fixture::start().await;
    let (ann, stranger) = (fixture.employee().await, kit::new_id());
    let project = fixture.project(&[ann]).await;
    let refused = async |changes: ProjectChanges| fixture.change_project(project.id, changes).await.unwrap_err().code;
    let none = ProjectChanges::default();

    assert_eq!(refused(none.clone()).await, Code::NothingToChange);
    assert_eq!(refused(ProjectChanges { statuses: Some(labels(&[])), ..none.clone() }).await, Code::Invalid);
    assert_eq!(
        refused(ProjectChanges { employees: Some(vec![stranger]), ..none.clone() }).await,
        Code::UnknownEmployee
    );
    let line = Some(payroll(&[Payee::Employee(stranger)]));
    assert_eq!(refused(ProjectChanges { payroll: line, ..none.clone() }).await, Code::PayrollNotOnProject);
    let off = ProjectChanges { employees: Some(vec![]), payroll: Some(payroll(&[Payee::Employee(ann)])), ..none };
    assert_eq!(refused(off).await, Code::PayrollNotOnProject);

    let mut request = new_project();
    request.employees = Some(vec![stranger]);
    assert_eq!(fixture.ask(&request).await.unwrap_err().code, Code::UnknownEmployee);
    let unknown = fixture.change_project(kit::new_id(), ProjectChanges { archived: Some(true), ..Default::default() });
    assert_eq!(unknown.await.unwrap_err().code, Code::NotFound);
    assert_eq!(fixture.ask(&GetProject { id: project.id }).await.unwrap(), project);
    assert_eq!(fixture.ask(&ListProjects::default()).await.unwrap().items, [project]);
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn archived_projects_are_left_out_of_the_list_but_can_be_read() {
    let fixture = Fixture::start().await;
    let (kept, archived) = (fixture.project(&[]).await, fixture.project(&[]).await);
    let changes = ProjectChanges { archived: Some(true), ..Default::default() };
    let archived = fixture.change_project(archived.id, changes).await.unwrap();
    assert_eq!(fixture.ask(&ListProjects::default()).await.unwrap().items, [kept]);
    assert_eq!(fixture.ask(&GetProject { id: archived.id }).await.unwrap(), archived);
    let list = ListProjects { archived: true, after: None };
    assert_eq!(fixture.ask(&list).await.unwrap().items, [archived], "there is a list of them too");
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_the_payroll_goes_with_its_employee() {
    let fixture = Fixture::start().await;
    let (ann, bob) = (fixture.employee().await, fixture.employee().await);
    let mut request = new_project();
    request.employees = Some(vec![ann, bob]);
    request.payroll = Some(payroll(&[Payee::Employee(ann), Payee::Employee(bob), Payee::Everybody]));
    let project = fixture.ask(&request).await.unwrap();
    let changed = fixture.put(project.id, &[bob]).await.unwrap();
    assert_eq!(changed.payroll, payroll(&[Payee::Employee(bob), Payee::Everybody]));
    fixture.finish().await;
}
