//! Tests of teams, their members and their managers.

use std::collections::BTreeSet;

use contracts::{
    Caller, Code, Conditional, CreateTeam, DeactivateEmployee, DeleteTeam, Employee, EmployeeId, Failure, GetReach,
    GetTeam, GetTeamMembers, IfMatch, ListEmployees, ListManagers, ListTeams, Name, ReactivateEmployee, Role, SetRole,
    Tag, Team, TeamChanged, TeamChanges, TeamId, UpdateTeam, Within,
};

use crate::fixture::{Fixture, refused};

impl Fixture {
    async fn person(&self, name: &str) -> Employee {
        self.create(name, &format!("{}@x.org", name.to_lowercase())).await.unwrap()
    }

    async fn team(&self, name: &str, managers: &[EmployeeId], employees: &[EmployeeId]) -> Result<Team, Failure> {
        let (managers, employees) = (Some(managers.to_vec()), Some(employees.to_vec()));
        self.harness.ask(&CreateTeam { name: Name::parse(name).unwrap(), managers, employees }).await
    }

    async fn put_into(&self, id: TeamId, employees: &[EmployeeId]) -> Result<Team, Failure> {
        let changes = TeamChanges { employees: Some(employees.to_vec()), ..Default::default() };
        self.harness.ask(&UpdateTeam { id, changes }).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_is_created_changed_and_deleted_and_each_employee_says_where_they_are() {
    let fixture = Fixture::start().await;
    let (ann, bob, zoe) = (fixture.person("Ann").await, fixture.person("Bob").await, fixture.person("Zoe").await);
    assert_eq!(ann.team_id, None);
    let design = fixture.team("Design", &[zoe.id], &[ann.id]).await.unwrap();
    assert_eq!((design.managers.clone(), design.employees.clone()), (vec![zoe.id], vec![ann.id]));
    assert_eq!(fixture.get(ann.id).await.team_id, Some(design.id));
    assert_eq!(fixture.harness.ask(&GetTeam { id: design.id }).await.unwrap(), design);

    let design = fixture.put_into(design.id, &[bob.id]).await.unwrap();
    assert_eq!((fixture.get(ann.id).await.team_id, fixture.get(bob.id).await.team_id), (None, Some(design.id)));
    let sales = fixture.team("Sales", &[], &[ann.id]).await.unwrap();
    let all = fixture.harness.ask(&ListTeams::default()).await.unwrap();
    assert_eq!((all.items, all.next), (vec![design.clone(), sales.clone()], None));
    let after = fixture.harness.ask(&ListTeams { after: Some(design.id) }).await.unwrap();
    assert_eq!(after.items, std::slice::from_ref(&sales));
    let members =
        fixture.harness.ask(&GetTeamMembers { teams: vec![design.id, sales.id, kit::new_id()] }).await.unwrap();
    assert_eq!(members, [ann.id, bob.id]);

    fixture.harness.ask(&DeleteTeam { id: design.id }).await.unwrap();
    assert_eq!(fixture.get(bob.id).await.team_id, None);
    refused(fixture.harness.ask(&GetTeam { id: design.id }).await, Code::NotFound);
    refused(fixture.harness.ask(&DeleteTeam { id: design.id }).await, Code::NotFound);

    let events: Vec<TeamChanged> = fixture.events(4).await;
    let of_design: Vec<_> = events.iter().filter(|event| event.team.id == design.id).collect();
    let versions: Vec<_> = of_design.iter().map(|event| (event.version, event.deleted)).collect();
    assert_eq!(versions, [(1, false), (2, false), (3, true)]);
    assert_eq!(of_design[2].team.employees, [bob.id]);
    let actions = fixture.harness.audited_actions(7).await;
    assert_eq!(actions[3..], ["team.created", "team.updated", "team.created", "team.deleted"]);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_in_a_team_or_manage_it_is_refused_with_the_name_of_the_field() {
    let fixture = Fixture::start().await;
    let (ann, gone) = (fixture.person("Ann").await.id, fixture.person("Gone").await.id);
    fixture.harness.ask(&DeactivateEmployee { id: gone }).await.unwrap();
    let fields = |failure: Failure| failure.errors.into_iter().map(|error| error.field).collect::<Vec<_>>();
    let cases = [
        (fixture.team("A", &[], &[ann, kit::new_id()]).await, Code::UnknownEmployee, "employees"),
        (fixture.team("A", &[kit::new_id()], &[ann]).await, Code::UnknownEmployee, "managers"),
        (fixture.team("A", &[], &[ann, gone]).await, Code::EmployeeDeactivated, "employees"),
        (fixture.team("A", &[gone], &[ann]).await, Code::EmployeeDeactivated, "managers"),
        (fixture.team("A", &[], &[ann, ann]).await, Code::Invalid, "employees"),
    ];
    for (outcome, code, field) in cases {
        assert_eq!(fields(refused(outcome, code)), [field]);
    }
    assert_eq!(fixture.get(ann).await.team_id, None, "nothing of a refused team is kept");
    let design = fixture.team("Design", &[], &[ann]).await.unwrap();
    assert_eq!(fields(refused(fixture.team("DESIGN", &[], &[]).await, Code::NameTaken)), ["name"]);
    assert_eq!(fields(refused(fixture.team("Sales", &[], &[ann]).await, Code::InOtherTeam)), ["employees"]);
    let nothing = UpdateTeam { id: design.id, changes: TeamChanges::default() };
    refused(fixture.harness.ask(&nothing).await, Code::NothingToChange);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_deactivated_stays_in_their_team_until_somebody_takes_them_out() {
    let fixture = Fixture::start().await;
    let (ann, bob) = (fixture.person("Ann").await.id, fixture.person("Bob").await.id);
    let team = fixture.team("Design", &[], &[ann, bob]).await.unwrap();
    let gone = fixture.harness.ask(&DeactivateEmployee { id: ann }).await.unwrap();
    assert_eq!(gone.team_id, Some(team.id));
    // Members may stay although they are deactivated.
    let team = fixture.put_into(team.id, &[ann, bob]).await.unwrap();
    assert_eq!(team.employees, [ann, bob]);
    fixture.put_into(team.id, &[bob]).await.unwrap();
    refused(fixture.put_into(team.id, &[ann, bob]).await, Code::EmployeeDeactivated);
    fixture.harness.ask(&ReactivateEmployee { id: ann }).await.unwrap();
    assert_eq!(fixture.put_into(team.id, &[ann, bob]).await.unwrap().employees, [ann, bob]);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_give_one_person_to_two_teams_at_once_never_both_succeed() {
    let fixture = Fixture::start().await;
    let ann = fixture.person("Ann").await.id;
    let (one, two) = (fixture.team("One", &[], &[]).await.unwrap().id, fixture.team("Two", &[], &[]).await.unwrap().id);
    for _ in 0..20 {
        let hers = [ann];
        let (first, second) = tokio::join!(fixture.put_into(one, &hers), fixture.put_into(two, &hers));
        let won = match (first, second) {
            (Ok(_), Err(failure)) | (Err(failure), Ok(_)) => {
                assert_eq!(failure.code, Code::InOtherTeam);
                fixture.get(ann).await.team_id.unwrap()
            }
            both => panic!("{both:?}"),
        };
        let lists = [one, two].map(|id| GetTeam { id });
        for list in lists {
            let team = fixture.harness.ask(&list).await.unwrap();
            assert_eq!(team.employees, if team.id == won { vec![ann] } else { Vec::new() });
        }
        fixture.put_into(won, &[]).await.unwrap();
    }
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_have_read_the_same_team_the_second_is_refused() {
    let fixture = Fixture::start().await;
    let (ann, bob) = (fixture.person("Ann").await.id, fixture.person("Bob").await.id);
    let team = fixture.team("Design", &[], &[]).await.unwrap();
    let seen = || IfMatch(Some(vec![team.tag()]));
    let put = |employees: Vec<EmployeeId>| {
        let changes = TeamChanges { employees: Some(employees), ..Default::default() };
        Conditional { change: UpdateTeam { id: team.id, changes }, if_match: seen() }
    };
    let (first, second) = (put(vec![ann]), put(vec![bob]));
    let (first, second) = tokio::join!(fixture.harness.ask(&first), fixture.harness.ask(&second));
    let refusals: Vec<_> = [first, second].into_iter().filter_map(Result::err).map(|failure| failure.code).collect();
    assert_eq!(refusals, [Code::PreconditionFailed]);
    let delete = |if_match| Conditional { change: DeleteTeam { id: team.id }, if_match };
    refused(fixture.harness.ask(&delete(seen())).await, Code::PreconditionFailed);
    let now: Tag = fixture.harness.ask(&GetTeam { id: team.id }).await.unwrap().tag();
    fixture.harness.ask(&delete(IfMatch(Some(vec![now])))).await.unwrap();
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_s_reach_is_who_is_in_the_teams_that_they_manage_now() {
    let fixture = Fixture::start().await;
    let (ann, bob, zoe) =
        (fixture.person("Ann").await.id, fixture.person("Bob").await.id, fixture.person("Zoe").await.id);
    let reach = async || {
        let managed = fixture.harness.ask(&GetReach { manager: zoe }).await.unwrap();
        (BTreeSet::from_iter(managed.teams), managed.employees)
    };
    assert_eq!(reach().await, (BTreeSet::new(), Vec::new()));
    let one = fixture.team("One", &[zoe], &[ann]).await.unwrap().id;
    let two = fixture.team("Two", &[zoe], &[bob, zoe]).await.unwrap().id;
    fixture.team("Three", &[ann], &[]).await.unwrap();
    assert_eq!(reach().await, (BTreeSet::from([one, two]), vec![ann, bob, zoe]));
    let changes = TeamChanges { managers: Some(Vec::new()), ..Default::default() };
    fixture.harness.ask(&UpdateTeam { id: two, changes }).await.unwrap();
    assert_eq!(reach().await, (BTreeSet::from([one]), vec![ann]));

    let within = |employees| contracts::Bounded {
        asked: ListEmployees { after: None },
        within: Some(Within { employees, manager: None }),
    };
    let listed = fixture.harness.ask(&within(vec![bob, kit::new_id()])).await.unwrap();
    assert_eq!(listed.items.iter().map(|employee| employee.id).collect::<Vec<_>>(), [bob]);
    assert_eq!(fixture.harness.ask(&within(Vec::new())).await.unwrap().items, []);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_manages_a_team_and_may_decide_is_listed_once_for_services_and_for_nobody_else() {
    let fixture = Fixture::start().await;
    let mut people = Vec::new();
    for (name, role) in [
        ("Zoe", Role::Manager),
        ("Olga", Role::Owner),
        ("Ann", Role::Employee),
        ("Sam", Role::Auditor),
        ("Gone", Role::Manager),
        ("Idle", Role::Manager),
    ] {
        let id = fixture.person(name).await.id;
        if role != Role::Employee {
            fixture.harness.ask(&SetRole { id, role }).await.unwrap();
        }
        people.push(id);
    }
    let [zoe, olga, ann, sam, gone, _] = people[..] else { panic!("six people") };
    fixture.team("One", &[zoe, ann, gone], &[]).await.unwrap();
    fixture.team("Two", &[zoe, olga, sam], &[ann]).await.unwrap();
    fixture.harness.ask(&DeactivateEmployee { id: gone }).await.unwrap();
    let listed = async |after| {
        let page = fixture.harness.bus().ask(Caller::Service, &ListManagers { after }).await.unwrap();
        (page.items, page.next)
    };
    let mut expected = vec![zoe, olga];
    expected.sort_unstable();
    assert_eq!(listed(None).await, (expected.clone(), None));
    assert_eq!(listed(Some(expected[0])).await, (vec![expected[1]], None));
    refused(fixture.harness.ask(&ListManagers::default()).await, Code::Forbidden);
    fixture.harness.finish().await;
}
