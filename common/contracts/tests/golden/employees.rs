//! Golden files of messages about employees, teams and names.

use contracts::*;

use crate::{
    examples::{delivery, email, employee, employee_state, id, name, on_condition, permissions, range},
    files::Golden,
};

pub(crate) fn employees(golden: &mut Golden) {
    golden.request(CreateEmployee { name: name("Ann Example"), email: email() }, employee());
    golden.request(GetEmployee { id: id(1) }, employee());
    golden.request(ListEmployees { after: Some(id(1)) }, Page { items: vec![employee()], next: Some(id(1)) });
    let changes = EmployeeChanges { name: Some(name("Ann")), email: Some(email()), title: Some(None) };
    golden.request(on_condition(UpdateEmployee { id: id(1), changes, only_check: true }), employee());
    golden.request(on_condition(DeactivateEmployee { id: id(1) }), employee());
    golden.request(ReactivateEmployee { id: id(1) }, employee());
    let invited = Employee { is_active: false, invitation: Some(delivery(DeliveryState::Queued)), ..employee() };
    golden.request(InviteEmployee { id: id(1) }, invited);
    golden.request(on_condition(SetPermissions { id: id(1), entry: permissions() }), employee());
    golden.request(GetEmployeeStates { ids: vec![id(1)] }, vec![employee_state()]);
    golden.event(EmployeeChanged(employee_state()));
    let next = Some(id(1));
    golden.request(ListEmployeeStates { after: next }, Page { items: vec![employee_state()], next });
    golden.request(ReconcileDirectory {}, Reconciled { compared: 7, found: 1, repaired: 1 });
    golden.event(InvitationRequested { invitation_id: id(6), employee_id: id(1), version: 1 });
    let delivery = delivery(DeliveryState::Retrying);
    golden.event(DeliveryChanged { invitation_id: id(6), employee_id: id(1), version: 2, delivery });
}

pub(crate) fn teams(golden: &mut Golden) {
    let team = || Team { id: id(11), name: name("Design"), managers: vec![id(12)], employees: vec![id(1)] };
    let (managers, employees) = (Some(vec![id(12)]), Some(vec![id(1)]));
    let create = CreateTeam { name: name("Design"), managers: managers.clone(), employees: employees.clone() };
    golden.request(create, team());
    golden.request(GetTeam { id: id(11) }, team());
    golden.request(ListTeams { after: Some(id(11)) }, Page { items: vec![team()], next: Some(id(11)) });
    let changes = TeamChanges { name: Some(name("Design")), managers, employees };
    golden.request(on_condition(UpdateTeam { id: id(11), changes }), team());
    golden.request(on_condition(DeleteTeam { id: id(11) }), ());
    golden.request(GetTeamMembers { teams: vec![id(11)] }, vec![id(1)]);
    golden.request(ListManagers { after: Some(id(1)) }, Page { items: vec![id(2)], next: Some(id(2)) });
    let managed = ManagedTeams { teams: vec![id(11)], employees: vec![id(1)], projects: vec![id(3)] };
    golden.request(GetReach { manager: id(12) }, managed);
    golden.event(TeamChanged { team: team(), version: 2, deleted: true });
    let within = Within { employees: vec![id(1)], manager: Some(id(12)) };
    golden.check("within", &Bounded { asked: GetEmployee { id: id(1) }, within: Some(within) });
}

pub(crate) fn names(golden: &mut Golden) {
    let roster = ListRoster { range: range(), employees: vec![id(1)], skip: 50, limit: 50 };
    let people = vec![RosterEntry { id: id(1), name: name("Ann Example") }];
    golden.request(roster, Roster { count: 51, people });
    golden.request(CountUndelivered { employees: vec![id(1)] }, 2);
    golden.request(GetEmployeeNames { ids: vec![id(1)] }, [(id(1), name("Ann Example"))].into());
    golden.request(GetKeyNames { ids: vec![id(9)] }, [(id(9), name("Nightly export"))].into());
    golden.request(
        GetWorkNames { projects: vec![id(3)], tasks: vec![id(4)] },
        WorkNames { projects: [(id(3), name("Website"))].into(), tasks: [(id(4), name("Front page"))].into() },
    );
}
