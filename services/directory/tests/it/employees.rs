use contracts::{
    Caller, Code, DeactivateEmployee, Email, EmployeeChanged, EmployeeChanges, GetEmployee, GetEmployeeStates, HOUR,
    Label, ListEmployees, ListRoster, Millis, Name, Permission, Permissions, ReactivateEmployee, SetPermissions,
    SystemPermissions, TimeRange, UpdateEmployee,
};
use directory::Config;
use futures::future::join_all;

use crate::fixture::{Fixture, PASSWORD, refused};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_created_waits_for_activation_and_stands_in_an_event() {
    let fixture = Fixture::start().await;
    let ann = fixture.create("Ann", "Ann@x.org").await.unwrap();
    assert!(!ann.is_active);
    assert_eq!(
        (ann.identifier.as_str(), ann.organization_id.as_str(), ann.kind.as_str()),
        ("Ann@x.org", "default-org", "personal")
    );
    assert_ne!(ann.account_id.0, ann.id.0);
    assert_eq!((ann.invited, ann.deactivated_at, ann.deactivated), (ann.created_at, None, Millis(0)));
    assert_eq!(fixture.get(ann.id).await, ann);

    let EmployeeChanged(employee_state) = &fixture.events(1).await[0];
    assert_eq!(
        (employee_state.id, employee_state.version, employee_state.epoch, employee_state.deactivated_at),
        (ann.id, 1, 0, None)
    );
    assert_eq!(fixture.invitation(ann.id, 0).await.version, 1);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_creations_of_one_address_in_any_case_one_wins() {
    let fixture = Fixture::start().await;
    let spelling = |n: usize| -> String {
        let flip = |(i, c): (usize, char)| if (n >> (i % 6)) & 1 == 1 { c.to_ascii_uppercase() } else { c };
        "ann.example@x.org".chars().enumerate().map(flip).collect()
    };
    let spellings: Vec<_> = (0..50).map(spelling).collect();
    let outcomes = join_all(spellings.iter().map(|email| fixture.create("Ann", email))).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    for outcome in lost {
        refused(outcome, Code::EmailTaken);
    }
    assert_eq!(fixture.harness.ask(&ListEmployees::default()).await.unwrap().items.len(), 1);
    assert_eq!(fixture.events::<EmployeeChanged>(1).await.len(), 1, "nothing is told of those who lost");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn employees_are_listed_as_they_were_created() {
    let fixture = Fixture::start().await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(fixture.create("Ann", &format!("ann{n}@x.org")).await.unwrap().id);
    }
    let listed = async |after| {
        let page = fixture.harness.ask(&ListEmployees { after }).await.unwrap();
        assert_eq!(page.next, None);
        page.items.into_iter().map(|e| e.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(None).await, ids);
    assert_eq!(listed(Some(ids[0])).await, ids[1..]);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_changes_what_is_given_and_nothing_else() {
    let fixture = Fixture::start().await;
    let ann = fixture.create("Ann", "ann@x.org").await.unwrap();
    fixture.create("Bob", "bob@x.org").await.unwrap();
    let update = async |changes| fixture.harness.ask(&UpdateEmployee { id: ann.id, changes, only_check: false }).await;

    refused(update(EmployeeChanges::default()).await, Code::NothingToChange);
    let taken = EmployeeChanges {
        name: Some(Name::parse("Anna").unwrap()),
        email: Some(Email::parse("BOB@x.org").unwrap()),
        ..Default::default()
    };
    refused(update(taken).await, Code::EmailTaken);
    assert_eq!(fixture.get(ann.id).await, ann, "a refused update leaves no trace");

    let title = Label::parse("Engineer").unwrap();
    let changed = update(EmployeeChanges { title: Some(Some(title.clone())), ..Default::default() }).await.unwrap();
    assert_eq!(changed, contracts::Employee { title: Some(title), ..ann.clone() });
    let nobody = UpdateEmployee {
        id: kit::new_id(),
        changes: EmployeeChanges { title: Some(None), ..Default::default() },
        only_check: false,
    };
    refused(fixture.harness.ask(&nobody).await, Code::NotFound);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivation_and_its_reactivation_each_count_once() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    let now = fixture.harness.clock.now();
    let gone = fixture.harness.ask(&DeactivateEmployee { id: ann.id }).await.unwrap();
    assert!(!gone.is_active && gone.deactivated_at.is_some_and(|at| at >= now));
    assert_eq!(Some(gone.deactivated), gone.deactivated_at);
    refused(fixture.harness.ask(&DeactivateEmployee { id: ann.id }).await, Code::AlreadyDeactivated);

    let back = fixture.harness.ask(&ReactivateEmployee { id: ann.id }).await.unwrap();
    assert_eq!(back, ann);
    refused(fixture.harness.ask(&ReactivateEmployee { id: ann.id }).await, Code::NotDeactivated);
    assert_eq!(fixture.log_in("ann@x.org", PASSWORD).await.unwrap().epoch, 1);

    let nobody = kit::new_id();
    refused(fixture.harness.ask(&DeactivateEmployee { id: nobody }).await, Code::NotFound);
    refused(fixture.harness.ask(&ReactivateEmployee { id: nobody }).await, Code::NotFound);
    let sent: Vec<_> =
        fixture.events::<EmployeeChanged>(4).await.into_iter().map(|e| (e.0.version, e.0.epoch)).collect();
    assert_eq!(sent, [(1, 0), (2, 0), (3, 1), (4, 1)]);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn standings_are_given_for_a_thousand_at_most_and_leave_out_the_unknown() {
    let fixture = Fixture::start().await;
    let ann = fixture.create("Ann", "ann@x.org").await.unwrap();
    fixture.harness.ask(&DeactivateEmployee { id: ann.id }).await.unwrap();
    let employee_states = fixture.harness.ask(&GetEmployeeStates { ids: vec![kit::new_id(), ann.id] }).await.unwrap();
    assert_eq!(employee_states.len(), 1);
    assert_eq!((employee_states[0].id, employee_states[0].version, employee_states[0].epoch), (ann.id, 2, 1));
    assert!(employee_states[0].deactivated_at.is_some());

    let many = |n: usize| GetEmployeeStates { ids: (0..n).map(|_| kit::new_id()).collect() };
    assert_eq!(fixture.harness.ask(&many(1_000)).await, Ok(Vec::new()));
    refused(fixture.harness.ask(&many(1_001)).await, Code::Invalid);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn employees_see_and_change_only_themselves() {
    let fixture = Fixture::start().await;
    let ann = fixture.create("Ann", "ann@x.org").await.unwrap();
    let bob = fixture.create("Bob", "bob@x.org").await.unwrap();
    let (bus, as_ann) = (fixture.harness.bus(), Caller::Employee(ann.id));
    let get = |id| GetEmployee { id };
    assert_eq!(bus.ask(as_ann, &get(ann.id)).await.unwrap(), ann);
    refused(bus.ask(as_ann, &get(bob.id)).await, Code::Forbidden);
    refused(bus.ask(as_ann, &get(kit::new_id())).await, Code::Forbidden);
    refused(bus.ask(as_ann, &ListEmployees::default()).await, Code::Forbidden);
    refused(bus.ask(as_ann, &DeactivateEmployee { id: ann.id }).await, Code::Forbidden);
    refused(fixture.harness.ask(&get(kit::new_id())).await, Code::NotFound);

    let permissions = Permissions {
        accessibility: Permission::Authorized,
        screen_and_system_audio_recording: Permission::Undetermined,
    };
    let entry = |permissions| SystemPermissions {
        computer: Label::parse("mac").unwrap(),
        permissions,
        created_at: Some(Millis(7)),
        updated_at: None,
    };
    let set = |id, permissions| SetPermissions { id, entry: entry(permissions) };
    bus.ask(as_ann, &set(ann.id, permissions)).await.unwrap();
    let denied = Permissions { accessibility: Permission::Denied, ..permissions };
    let shown = bus.ask(as_ann, &set(ann.id, denied)).await.unwrap().system_permissions;
    assert_eq!(shown.len(), 1);
    assert_eq!((shown[0].permissions, shown[0].created_at), (denied, Some(Millis(7))));
    assert!(shown[0].updated_at.is_some_and(|at| at >= ann.created_at));
    refused(bus.ask(as_ann, &set(bob.id, permissions)).await, Code::Forbidden);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roster_names_by_the_alphabet_who_had_an_account_in_a_range() {
    let fixture = Fixture::start().await;
    let mut ids = Vec::new();
    for (name, email) in [("zoe", "zoe@x.org"), ("Ann", "ann@x.org"), ("bob", "bob@x.org")] {
        ids.push(fixture.employ(name, email).await.id);
    }
    fixture.create("Carl, who is only invited", "carl@x.org").await.unwrap();
    fixture.harness.ask(&DeactivateEmployee { id: ids[2] }).await.unwrap();
    let left = fixture.get(ids[2]).await.deactivated;

    let roster = async |from: Millis, employees: Vec<_>, skip, limit| {
        let range = TimeRange::new(from, from + HOUR).unwrap();
        let roster = fixture.harness.ask(&ListRoster { range, employees, skip, limit }).await.unwrap();
        (roster.count, roster.people.into_iter().map(|person| person.name.to_string()).collect::<Vec<_>>())
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(roster(left - 1, vec![], 0, 50).await, (3, names(&["Ann", "bob", "zoe"])));
    assert_eq!(roster(left - 1, vec![], 1, 1).await, (3, names(&["bob"])));
    assert_eq!(roster(left, vec![], 0, 50).await, (2, names(&["Ann", "zoe"])), "whoever left before it is not on it");
    assert_eq!(roster(left - 1, vec![ids[0]], 0, 50).await, (1, names(&["zoe"])));

    // Each replica caches the roster. A change must show at once, whichever replica has made it.
    let other = fixture.harness.spawn(directory::needs(), |d, s| directory::run(Config::default(), d, s)).await;
    for (n, name) in ["Yan", "Xu", "Wim", "Val", "Ulf", "Tom"].into_iter().enumerate() {
        let changes = EmployeeChanges { name: Some(Name::parse(name).unwrap()), ..EmployeeChanges::default() };
        fixture.harness.ask(&UpdateEmployee { id: ids[0], changes, only_check: false }).await.unwrap();
        assert_eq!(roster(left, vec![], 0, 50).await, (2, names(&["Ann", name])));
        if n % 2 == 0 {
            fixture.harness.ask(&DeactivateEmployee { id: ids[0] }).await.unwrap();
            fixture.harness.clock.advance(HOUR);
            let now = fixture.harness.clock.now();
            assert_eq!(roster(now, vec![], 0, 50).await, (1, names(&["Ann"])));
            fixture.harness.ask(&ReactivateEmployee { id: ids[0] }).await.unwrap();
            assert_eq!(roster(now, vec![], 0, 50).await, (2, names(&["Ann", name])));
        }
    }
    fixture.employ("Bea", "bea@x.org").await;
    assert_eq!(roster(left, vec![], 0, 50).await, (3, names(&["Ann", "Bea", "Tom"])));
    other.stop().await;
    fixture.harness.finish().await;
}
