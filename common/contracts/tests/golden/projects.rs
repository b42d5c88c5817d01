//! Golden files of messages about projects and tasks, and about who is on them.

use contracts::*;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::{
    examples::{AT, id, label, on_condition, payroll, project, task},
    files::Golden,
};

pub(crate) fn projects(golden: &mut Golden) {
    let create = json!({
        "name": "Website", "description": "All of it", "billable": false, "employees": [id::<EmployeeId>(1)],
        "statuses": ["To Do"], "priorities": ["Low"], "screenshotSettings": {"screenshotEnabled": true},
        "payroll": {"*": {"billRate": 50}},
    });
    golden.request(serde_json::from_value::<CreateProject>(create).expect("a project"), project());
    golden.request(GetProject { id: id(3) }, project());
    let set = SetMemberships { employee_id: id(1), projects: vec![id(3)], only_check: true };
    golden.request(on_condition(set), vec![id::<ProjectId>(3)]);
    golden.request(
        ListProjects { archived: true, after: Some(id(3)) },
        Page { items: vec![project()], next: Some(id(3)) },
    );
    let changes = json!({
        "name": "Website", "description": null, "billable": true, "employees": [], "statuses": ["To Do"],
        "priorities": ["Low"], "screenshotSettings": {"screenshotEnabled": true}, "payroll": {}, "archived": true,
    });
    let changes: ProjectChanges = serde_json::from_value(changes).expect("changes");
    golden.request(on_condition(UpdateProject { id: id(3), changes }), project());
    golden.request(on_condition(DeleteProject { id: id(3) }), ());

    let create = json!({
        "name": "Front page", "projectId": id::<ProjectId>(3), "description": "It", "billable": false,
        "employees": [id::<EmployeeId>(1)], "status": "To Do", "priority": "Low",
    });
    golden.request(serde_json::from_value::<CreateTask>(create).expect("a task"), task());
    golden.request(GetTask { id: id(4) }, task());
    golden.request(
        ListTasks { project_id: Some(id(3)), after: Some(id(4)) },
        Page { items: vec![task()], next: Some(id(4)) },
    );
    let changes = json!({
        "name": "Front page", "projectId": id::<ProjectId>(3), "description": null, "billable": true,
        "employees": [], "status": "Done", "priority": "Low",
    });
    let changes: TaskChanges = serde_json::from_value(changes).expect("changes");
    golden.request(on_condition(UpdateTask { id: id(4), changes }), task());
    golden.request(on_condition(DeleteTask { id: id(4) }), ());

    let (first, second) = (Term { from: None, until: Some(AT) }, Term { from: Some(AT + HOUR), until: None });
    let project = ProjectChanged {
        id: id(3),
        version: 2,
        payroll: payroll(),
        archived: false,
        deleted: false,
        open: Some(vec![first, second]),
    };
    golden.event(project.clone());
    golden.request(ListProjectStates { after: Some(id(3)) }, Page { items: vec![project], next: Some(id(3)) });
    let task = TaskChanged {
        id: id(4),
        project_id: id(3),
        version: 2,
        billable: true,
        status: label("To Do"),
        priority: label("Low"),
        deleted: false,
        projects: Some(vec![
            ProjectTerm { project_id: id(7), term: first },
            ProjectTerm { project_id: id(3), term: Term { from: first.until, until: None } },
        ]),
    };
    golden.event(task.clone());
    golden.request(ListTaskStates { after: Some(id(4)) }, Page { items: vec![task], next: Some(id(4)) });
    let member = MemberChanged { project_id: id(3), employee_id: id(1), version: 3, terms: vec![first, second] };
    golden.event(member.clone());
    let next = Some(MemberKey { project: id(3), employee: id(1) });
    golden.request(ListMembers { after: next }, Page { items: vec![member], next });
    let assignment = AssignmentChanged {
        task_id: id(4),
        project_id: id(3),
        employee_id: id(1),
        version: 2,
        terms: vec![TaskTerm { term: second, member_term: 1 }],
        former: vec![FormerTerms { project_id: id(7), terms: vec![TaskTerm { term: first, member_term: 0 }] }],
    };
    golden.event(assignment.clone());
    let next = Some(AssignmentKey { task: id(4), employee: id(1) });
    golden.request(ListAssignments { after: next }, Page { items: vec![assignment], next });
    golden.request(ReconcileProjects {}, Reconciled { compared: 7, found: 1, repaired: 1 });
}

#[test]
fn what_earlier_versions_told_of_bindings_is_still_read() {
    let (employee, project, task) = (id::<EmployeeId>(1), id::<ProjectId>(3), id::<TaskId>(4));
    let employee_state: EmployeeState = read(json!({ "id": employee, "version": 3, "epoch": 1, "deactivatedAt": AT }));
    assert_eq!((employee_state.deactivated_at, employee_state.active), (Some(AT), None));
    let changed = json!({ "id": project, "version": 2, "payroll": {}, "archived": true, "deleted": false });
    assert_eq!(read::<ProjectChanged>(changed).open, None);
    let changed = json!({
        "id": task, "projectId": project, "version": 2, "billable": true, "status": "To Do", "priority": "Low",
        "deleted": false,
    });
    assert_eq!(read::<TaskChanged>(changed).projects, None);
    let changed = json!({
        "taskId": task, "projectId": project, "employeeId": employee, "version": 2,
        "terms": [{ "term": { "from": AT }, "memberTerm": 1 }],
    });
    let changed: AssignmentChanged = read(changed);
    assert_eq!((changed.terms.len(), changed.former), (1, Vec::new()));
}

fn read<T: DeserializeOwned>(json: serde_json::Value) -> T {
    serde_json::from_value(json).expect("it is read")
}
