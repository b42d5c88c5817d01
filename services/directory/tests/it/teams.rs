//! Teams: members and managers.

use std::collections::BTreeSet;

use contracts::{
    Caller, Code, Conditional, CreateTeam, DeactivateEmployee, DeleteTeam, Employee, EmployeeId, Failure, GetReach,
    GetTeam, GetTeamMembers, IfMatch, ListEmployees, ListManagers, ListTeams, Name, ReactivateEmployee, Role, SetRole,
    Tag, Team, TeamChanged, TeamChanges, TeamId, UpdateTeam, Within,
};

use crate::office::{Office, refused};

impl Office {
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
    let office = Office::open().await;
    let (ann, bob, zoe) = (office.person("Ann").await, office.person("Bob").await, office.person("Zoe").await);
    assert_eq!(ann.team_id, None);
    let design = office.team("Design", &[zoe.id], &[ann.id]).await.unwrap();
    assert_eq!((design.managers.clone(), design.employees.clone()), (vec![zoe.id], vec![ann.id]));
    assert_eq!(office.get(ann.id).await.team_id, Some(design.id));
    assert_eq!(office.harness.ask(&GetTeam { id: design.id }).await.unwrap(), design);

    let design = office.put_into(design.id, &[bob.id]).await.unwrap();
    assert_eq!((office.get(ann.id).await.team_id, office.get(bob.id).await.team_id), (None, Some(design.id)));
    let crew = office.team("Crew", &[], &[ann.id]).await.unwrap();
    let all = office.harness.ask(&ListTeams::default()).await.unwrap();
    assert_eq!((all.items, all.next), (vec![design.clone(), crew.clone()], None));
    let after = office.harness.ask(&ListTeams { after: Some(design.id) }).await.unwrap();
    assert_eq!(after.items, std::slice::from_ref(&crew));
    let members = office.harness.ask(&GetTeamMembers { teams: vec![design.id, crew.id, kit::new_id()] }).await.unwrap();
    assert_eq!(members, [ann.id, bob.id]);

    office.harness.ask(&DeleteTeam { id: design.id }).await.unwrap();
    assert_eq!(office.get(bob.id).await.team_id, None);
    refused(office.harness.ask(&GetTeam { id: design.id }).await, Code::NotFound);
    refused(office.harness.ask(&DeleteTeam { id: design.id }).await, Code::NotFound);

    let events: Vec<TeamChanged> = office.events(4).await;
    let of_design: Vec<_> = events.iter().filter(|event| event.team.id == design.id).collect();
    let versions: Vec<_> = of_design.iter().map(|event| (event.version, event.deleted)).collect();
    assert_eq!(versions, [(1, false), (2, false), (3, true)]);
    assert_eq!(of_design[2].team.employees, [bob.id]);
    let actions = office.harness.audited_actions(7).await;
    assert_eq!(actions[3..], ["team.created", "team.updated", "team.created", "team.deleted"]);
    office.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_in_a_team_or_manage_it_is_refused_with_the_name_of_the_field() {
    let office = Office::open().await;
    let (ann, gone) = (office.person("Ann").await.id, office.person("Gone").await.id);
    office.harness.ask(&DeactivateEmployee { id: gone }).await.unwrap();
    let fields = |failure: Failure| failure.errors.into_iter().map(|error| error.field).collect::<Vec<_>>();
    let cases = [
        (office.team("A", &[], &[ann, kit::new_id()]).await, Code::UnknownEmployee, "employees"),
        (office.team("A", &[kit::new_id()], &[ann]).await, Code::UnknownEmployee, "managers"),
        (office.team("A", &[], &[ann, gone]).await, Code::EmployeeDeactivated, "employees"),
        (office.team("A", &[gone], &[ann]).await, Code::EmployeeDeactivated, "managers"),
        (office.team("A", &[], &[ann, ann]).await, Code::Invalid, "employees"),
    ];
    for (outcome, code, field) in cases {
        assert_eq!(fields(refused(outcome, code)), [field]);
    }
    assert_eq!(office.get(ann).await.team_id, None, "nothing of a refused team is kept");
    let design = office.team("Design", &[], &[ann]).await.unwrap();
    assert_eq!(fields(refused(office.team("DESIGN", &[], &[]).await, Code::NameTaken)), ["name"]);
    assert_eq!(fields(refused(office.team("Crew", &[], &[ann]).await, Code::InOtherTeam)), ["employees"]);
    let nothing = UpdateTeam { id: design.id, changes: TeamChanges::default() };
    refused(office.harness.ask(&nothing).await, Code::NothingToChange);
    office.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_deactivated_stays_in_their_team_until_somebody_takes_them_out() {
    let office = Office::open().await;
    let (ann, bob) = (office.person("Ann").await.id, office.person("Bob").await.id);
    let team = office.team("Design", &[], &[ann, bob]).await.unwrap();
    let gone = office.harness.ask(&DeactivateEmployee { id: ann }).await.unwrap();
    assert_eq!(gone.team_id, Some(team.id));
    // Present members may stay although they are deactivated.
    let team = office.put_into(team.id, &[ann, bob]).await.unwrap();
    assert_eq!(team.employees, [ann, bob]);
    office.put_into(team.id, &[bob]).await.unwrap();
    refused(office.put_into(team.id, &[ann, bob]).await, Code::EmployeeDeactivated);
    office.harness.ask(&ReactivateEmployee { id: ann }).await.unwrap();
    assert_eq!(office.put_into(team.id, &[ann, bob]).await.unwrap().employees, [ann, bob]);
    office.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_give_one_person_to_two_teams_at_once_never_both_succeed() {
    let office = Office::open().await;
    let ann = office.person("Ann").await.id;
    let (one, two) = (office.team("One", &[], &[]).await.unwrap().id, office.team("Two", &[], &[]).await.unwrap().id);
    for _ in 0..20 {
        let hers = [ann];
        let (first, second) = tokio::join!(office.put_into(one, &hers), office.put_into(two, &hers));
        let won = match (first, second) {
            (Ok(_), Err(failure)) | (Err(failure), Ok(_)) => {
                assert_eq!(failure.code, Code::InOtherTeam);
                office.get(ann).await.team_id.unwrap()
            }
            both => panic!("{both:?}"),
        };
        let lists = [one, two].map(|id| GetTeam { id });
        for list in lists {
            let team = office.harness.ask(&list).await.unwrap();
            assert_eq!(team.employees, if team.id == won { vec![ann] } else { Vec::new() });
        }
        office.put_into(won, &[]).await.unwrap();
    }
    office.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_have_read_the_same_team_the_second_is_refused() {
    let office = Office::open().await;
    let (ann, bob) = (office.person("Ann").await.id, office.person("Bob").await.id);
    let team = office.team("Design", &[], &[]).await.unwrap();
    let seen = || IfMatch(Some(vec![team.tag()]));
    let put = |employees: Vec<EmployeeId>| {
        let changes = TeamChanges { employees: Some(employees), ..Default::default() };
        Conditional { change: UpdateTeam { id: team.id, changes }, if_match: seen() }
    };
    let (first, second) = (put(vec![ann]), put(vec![bob]));
    let (first, second) = tokio::join!(office.harness.ask(&first), office.harness.ask(&second));
    let refusals: Vec<_> = [first, second].into_iter().filter_map(Result::err).map(|failure| failure.code).collect();
    assert_eq!(refusals, [Code::PreconditionFailed]);
    let delete = |if_match| Conditional { change: DeleteTeam { id: team.id }, if_match };
    refused(office.harness.ask(&delete(seen())).await, Code::PreconditionFailed);
    let now: Tag = office.harness.ask(&GetTeam { id: team.id }).await.unwrap().tag();
    office.harness.ask(&delete(IfMatch(Some(vec![now])))).await.unwrap();
    office.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_s_reach_is_who_is_in_the_teams_that_they_manage_now() {
    let office = Office::open().await;
    let (ann, bob, zoe) = (office.person("Ann").await.id, office.person("Bob").await.id, office.person("Zoe").await.id);
    let reach = async || {
        let managed = office.harness.ask(&GetReach { manager: zoe }).await.unwrap();
        (BTreeSet::from_iter(managed.teams), managed.employees)
    };
    assert_eq!(reach().await, (BTreeSet::new(), Vec::new()));
    let one = office.team("One", &[zoe], &[ann]).await.unwrap().id;
    let two = office.team("Two", &[zoe], &[bob, zoe]).await.unwrap().id;
    office.team("Three", &[ann], &[]).await.unwrap();
    assert_eq!(reach().await, (BTreeSet::from([one, two]), vec![ann, bob, zoe]));
    let changes = TeamChanges { managers: Some(Vec::new()), ..Default::default() };
    office.harness.ask(&UpdateTeam { id: two, changes }).await.unwrap();
    assert_eq!(reach().await, (BTreeSet::from([one]), vec![ann]));

    let within = |employees| contracts::Bounded {
        asked: ListEmployees { after: None },
        within: Some(Within { employees, manager: None }),
    };
    let listed = office.harness.ask(&within(vec![bob, kit::new_id()])).await.unwrap();
    assert_eq!(listed.items.iter().map(|employee| employee.id).collect::<Vec<_>>(), [bob]);
    assert_eq!(office.harness.ask(&within(Vec::new())).await.unwrap().items, []);
    office.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_manages_a_team_and_may_decide_is_listed_once_for_services_and_for_nobody_else() {
    let office = Office::open().await;
    let mut people = Vec::new();
    for (name, role) in [
        ("Zoe", Role::Manager),
        ("Olga", Role::Owner),
        ("Ann", Role::Employee),
        ("Sam", Role::Auditor),
        ("Gone", Role::Manager),
        ("Idle", Role::Manager),
    ] {
        let id = office.person(name).await.id;
        if role != Role::Employee {
            office.harness.ask(&SetRole { id, role }).await.unwrap();
        }
        people.push(id);
    }
    let [zoe, olga, ann, sam, gone, _] = people[..] else { panic!("six people") };
    office.team("One", &[zoe, ann, gone], &[]).await.unwrap();
    office.team("Two", &[zoe, olga, sam], &[ann]).await.unwrap();
    office.harness.ask(&DeactivateEmployee { id: gone }).await.unwrap();
    let listed = async |after| {
        let page = office.harness.bus().ask(Caller::Service, &ListManagers { after }).await.unwrap();
        (page.items, page.next)
    };
    let mut expected = vec![zoe, olga];
    expected.sort_unstable();
    assert_eq!(listed(None).await, (expected.clone(), None));
    assert_eq!(listed(Some(expected[0])).await, (vec![expected[1]], None));
    refused(office.harness.ask(&ListManagers::default()).await, Code::Forbidden);
    office.harness.finish().await;
}
