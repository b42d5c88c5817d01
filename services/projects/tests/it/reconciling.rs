//! Tests of the comparison of copies with their owners' data: projects has copies of directory's
//! data, and directory has copies of projects' data. Wrong copies are repaired, right copies are
//! not changed, and copies that missed purged events are repaired.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bson::{Document, doc};
use contracts::{
    CreateApiKey, DeactivateEmployee, EmployeeId, GetEmployee, ReactivateEmployee, ReconcileDirectory,
    ReconcileProjects, Reconciled, Revocation, RevokeApiKey, Service, stream,
};
use mongodb::Collection;
use testkit::{Running, eventually, eventually_within};

use crate::fixture::Fixture;

const BOUND: std::time::Duration = std::time::Duration::from_secs(30);

fn tally(done: Reconciled) -> (u64, u64) {
    (done.found, done.repaired)
}

impl Fixture {
    async fn reconcile_directory(&self) -> Reconciled {
        self.ask(&ReconcileDirectory {}).await.unwrap()
    }

    async fn reconcile_projects(&self) -> Reconciled {
        self.ask(&ReconcileProjects {}).await.unwrap()
    }

    async fn rows(&self, service: Service, name: &str) -> Collection<Document> {
        self.harness.database(service).await.collection(name)
    }

    async fn until_all_consumed(&self) {
        for service in [Service::Projects, Service::Directory] {
            self.harness.until_consumed(stream::EVENTS, service).await;
        }
    }

    async fn until_members(&self, project: contracts::ProjectId, members: &[EmployeeId]) {
        eventually_within(BOUND, "the members are these", async || {
            (self.members(project).await == members).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn how_employees_stand_is_put_right_where_it_was_broken_and_left_alone_where_it_was_not() {
    let (fixture, projects) = Fixture::start_both().await;
    let (ann, bob) = (fixture.employee().await, fixture.employee().await);
    fixture.project(&[ann, bob]).await;
    fixture.until_all_consumed().await;
    let done = fixture.reconcile_projects().await;
    assert_eq!(done, Reconciled { compared: 2, found: 0, repaired: 0 });

    let refs = fixture.rows(Service::Projects, "employee_refs").await;
    // The copy has the right version and wrong content.
    refs.update_one(doc! {}, doc! { "$set": { "epoch": 7_i64 } }).await.unwrap();
    assert_eq!(tally(fixture.reconcile_projects().await), (1, 1));
    refs.update_many(doc! {}, doc! { "$set": { "version": 0_i64 } }).await.unwrap();
    assert_eq!(tally(fixture.reconcile_projects().await), (2, 2));
    refs.delete_one(doc! {}).await.unwrap();
    assert_eq!(tally(fixture.reconcile_projects().await), (1, 1));
    assert_eq!(tally(fixture.reconcile_projects().await), (0, 0));
    projects.until_says("t3_reconcile_found_total{copy=\"employees\"} 4").await;
    projects.until_says("t3_reconcile_repaired_total{copy=\"employees\"} 4").await;
    projects.until_says("t3_reconcile_rounds_total{outcome=\"done\"} 5").await;
    projects.until_says("t3_events_gaps_total 0").await;
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_projects_are_put_right_where_they_were_broken_and_left_alone_where_they_were_not() {
    let fixture = Fixture::start().await;
    let (ann, bob) = (fixture.employee().await, fixture.employee().await);
    let (one, other) = (fixture.project(&[ann, bob]).await, fixture.project(&[ann]).await);
    fixture.put(other.id, &[]).await.unwrap();
    fixture.until_all_consumed().await;
    assert_eq!(tally(fixture.reconcile_directory().await), (0, 0));

    let edges = fixture.rows(Service::Directory, "memberships").await;
    let employees = fixture.rows(Service::Directory, "employees").await;
    let none: [&str; 0] = [];
    employees.update_many(doc! {}, doc! { "$set": { "projects": none.as_slice() } }).await.unwrap();
    assert_eq!(tally(fixture.reconcile_directory().await), (2, 2));
    assert_eq!(
        (fixture.until_on(ann, 1).await.projects, fixture.until_on(bob, 1).await.projects),
        (vec![one.id], vec![one.id])
    );

    edges.delete_many(doc! {}).await.unwrap();
    employees.update_many(doc! {}, doc! { "$set": { "projects": none.as_slice() } }).await.unwrap();
    assert_eq!(tally(fixture.reconcile_directory().await), (3, 3));
    assert_eq!(
        (fixture.until_on(ann, 1).await.projects, fixture.until_on(bob, 1).await.projects),
        (vec![one.id], vec![one.id])
    );

    // Directory gets an edge that projects does not have.
    let mut edge = edges.find_one(doc! { "isOn": true }).await.unwrap().unwrap();
    let nobody = kit::new_id::<EmployeeId>();
    edge.insert("_id", format!("{}_{nobody}", one.id));
    edge.insert("employee", kit::mongo::value(&nobody));
    edges.insert_one(edge).await.unwrap();
    assert_eq!(tally(fixture.reconcile_directory().await), (1, 1));
    assert_eq!(tally(fixture.reconcile_directory().await), (0, 0));
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bucket_that_gateways_watch_is_filled_with_what_it_lacks() {
    let fixture = Fixture::start().await;
    let ann = fixture.employee().await;
    fixture.ask(&DeactivateEmployee { id: ann }).await.unwrap();
    let key = serde_json::json!({ "name": "Planner", "scopes": ["r:projects"] });
    let key = fixture.ask(&serde_json::from_value::<CreateApiKey>(key).unwrap()).await.unwrap().about.id;
    fixture.ask(&RevokeApiKey { id: key }).await.unwrap();
    fixture.until_all_consumed().await;
    assert_eq!(tally(fixture.reconcile_directory().await), (0, 0));

    let bucket = fixture.harness.bus().jetstream.get_key_value(stream::REVOCATIONS).await.unwrap();
    bucket.purge(Revocation::key(ann)).await.unwrap();
    bucket.purge(contracts::ApiKeyChanged::entry_key(key)).await.unwrap();
    assert_eq!(tally(fixture.reconcile_directory().await), (2, 2));
    let entry = bucket.get(Revocation::key(ann)).await.unwrap().unwrap();
    assert_eq!(serde_json::from_slice::<Revocation>(&entry).unwrap().epoch, 1);
    assert_eq!(tally(fixture.reconcile_directory().await), (0, 0));
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_while_everything_changes() {
    let fixture = Fixture::start_replicated().await;
    fixture.start_directory().await;
    let mut employees = Vec::new();
    for _ in 0..6 {
        employees.push(fixture.employee().await);
    }
    let mut projects = Vec::new();
    for _ in 0..4 {
        projects.push(fixture.project(&[]).await.id);
    }
    let (is_over, moves, comings) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let move_people = async |nth: usize| {
        let mut turn = nth;
        while !is_over.load(Ordering::Relaxed) {
            turn += 1;
            let (one, two) = (employees[turn % 5], employees[(turn / 2) % 5]);
            let mut listed = vec![one, two];
            listed.dedup();
            listed.truncate(turn % 3);
            let _ = fixture.put(projects[nth], &listed).await;
            moves.fetch_add(1, Ordering::Relaxed);
        }
    };
    let come_and_go = async || {
        while !is_over.load(Ordering::Relaxed) {
            // `move_people` changes the memberships of `employees[4]` at the same time, but not
            // those of `employees[5]`.
            for ann in [employees[5], employees[4]] {
                let _ = fixture.ask(&DeactivateEmployee { id: ann }).await;
                let _ = fixture.ask(&ReactivateEmployee { id: ann }).await;
            }
            let _ = fixture.employee().await;
            comings.fetch_add(1, Ordering::Relaxed);
        }
    };
    let compare = async || {
        let mut rounds = 0;
        while rounds < 20 || moves.load(Ordering::Relaxed) < 60 || comings.load(Ordering::Relaxed) < 3 {
            assert_eq!(tally(fixture.reconcile_directory().await), (0, 0));
            assert_eq!(tally(fixture.reconcile_projects().await), (0, 0));
            rounds += 1;
        }
        is_over.store(true, Ordering::Relaxed);
    };
    tokio::join!(move_people(0), move_people(1), move_people(2), move_people(3), come_and_go(), compare());
    fixture.until_all_consumed().await;
    assert_eq!(tally(fixture.reconcile_directory().await), (0, 0));
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_that_was_away_when_events_forgot_a_deactivation_takes_the_employee_off_all_the_same() {
    let (fixture, away) = Fixture::start_both().await;
    let ann = fixture.employee().await;
    let project = fixture.project(&[ann]).await;
    fixture.until_all_consumed().await;
    away.stop().await;
    fixture.ask(&DeactivateEmployee { id: ann }).await.unwrap();
    fixture.harness.forget_events().await;

    let projects = fixture.start_projects().await;
    fixture.until_members(project.id, &[]).await;
    fixture.until_on(ann, 0).await;
    projects.until_says("t3_events_gaps_total 1").await;
    projects.until_says("t3_events_missed 0").await;
    assert!(projects.get("/readyz").await.contains("200 OK"));
    // A second replica finds that no event is missing any more.
    let other = fixture.start_projects().await;
    other.until_says("t3_events_missed 0").await;
    other.until_says("t3_events_gaps_total 0").await;
    assert_eq!(tally(fixture.reconcile_projects().await), (0, 0));
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn directory_that_was_away_when_events_forgot_who_is_on_what_is_not_ready_until_it_knows() {
    let (fixture, projects) = Fixture::start_both().await;
    let ann = fixture.employee().await;
    let project = fixture.project(&[ann]).await;
    fixture.until_all_consumed().await;
    fixture.directory.shutdown.stop();
    eventually("directory has stopped", async || fixture.directory.ended.is_finished().then_some(())).await;
    fixture.put(project.id, &[]).await.unwrap();
    fixture.harness.forget_events().await;
    projects.stop().await;

    let directory = fixture.start_directory().await;
    directory.until_says("t3_events_missed 1").await;
    directory.until_says("t3_ready 0").await;
    let missing = directory.get("/readyz").await;
    assert!(missing.contains("503") && missing.contains("made up for missed events"), "{missing}");
    assert!(!directory.get("/metrics").await.contains("missed events"), "it is no dependency");
    assert_eq!(fixture.ask(&GetEmployee { id: ann }).await.unwrap().projects, [project.id]);

    fixture.start_projects().await;
    fixture.until_on(ann, 0).await;
    directory.until_says("t3_events_missed 0").await;
    directory.until_says("t3_events_gaps_total 1").await;
    directory.until_says("t3_ready 1").await;
    fixture.finish().await;
}

/// Waits until the mark of this service (the stored position up to which it has seen the stream
/// EVENTS) has reached the end of the stream.
async fn marked(fixture: &Fixture, service: Service) {
    let mut events = fixture.harness.bus().jetstream.get_stream(stream::EVENTS).await.unwrap();
    let last = events.info().await.unwrap().state.last_sequence as i64;
    let marks = fixture.rows(service, "event_marks").await;
    eventually_within(BOUND, "a mark", async || {
        marks.find_one(doc! { "place": { "$gte": last } }).await.unwrap().map(drop)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_purged_after_it_was_seen_is_no_gap() {
    let (fixture, projects) = Fixture::start_both().await;
    let ann = fixture.employee().await;
    fixture.project(&[ann]).await;
    fixture.until_all_consumed().await;
    marked(&fixture, Service::Projects).await;
    marked(&fixture, Service::Directory).await;
    fixture.harness.forget_events().await;
    // A new event moves the mark once more, and then another process starts.
    fixture.employee().await;
    marked(&fixture, Service::Projects).await;
    let other = fixture.start_projects().await;
    let all: [&Running; 3] = [&projects, &other, &fixture.directory];
    for running in all {
        running.until_says("t3_events_missed 0").await;
        let metrics = running.get("/metrics").await;
        for outcome in ["done", "failed"] {
            let none = format!("outcome=\"{outcome}\"}} 0\n");
            assert!(metrics.contains(&none), "no copy had to be compared: {metrics}");
        }
    }
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_comparisons_at_once_repair_once() {
    let fixture = Fixture::start_replicated().await;
    let ann = fixture.employee().await;
    let project = fixture.project(&[ann]).await;
    fixture.until_all_consumed().await;
    for _ in 0..5 {
        fixture.rows(Service::Directory, "memberships").await.delete_many(doc! {}).await.unwrap();
        fixture.rows(Service::Projects, "employee_refs").await.delete_many(doc! {}).await.unwrap();
        let (a, b, c, d) = tokio::join!(
            fixture.reconcile_directory(),
            fixture.reconcile_directory(),
            fixture.reconcile_projects(),
            fixture.reconcile_projects(),
        );
        assert_eq!(a.repaired + b.repaired, 1, "{a:?} {b:?}");
        assert!((1..=2).contains(&(c.repaired + d.repaired)), "{c:?} {d:?}");
        assert_eq!(fixture.until_on(ann, 1).await.projects, [project.id]);
        assert_eq!(tally(fixture.reconcile_directory().await), (0, 0));
        assert_eq!(tally(fixture.reconcile_projects().await), (0, 0));
    }
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_somebody_began_who_died_is_finished() {
    let (fixture, away) = Fixture::start_both().await;
    let ann = fixture.employee().await;
    let project = fixture.project(&[ann]).await;
    fixture.until_all_consumed().await;
    away.stop().await;
    fixture.ask(&DeactivateEmployee { id: ann }).await.unwrap();
    fixture.harness.forget_events().await;
    // Writes the deactivation into the copy of Ann's state that the service `projects` has, but
    // does not end her membership: a process that dies in between leaves this.
    let owned = fixture.rows(Service::Directory, "employees").await.find_one(doc! {}).await.unwrap().unwrap();
    let [version, epoch, at] = ["version", "epoch", "deactivatedAt"].map(|field| owned.get(field).unwrap());
    let learned = doc! { "version": version, "epoch": epoch, "deactivated_at": at, "active": bson::Bson::Null };
    let refs = fixture.rows(Service::Projects, "employee_refs").await;
    refs.update_one(doc! {}, doc! { "$set": learned }).await.unwrap();
    let projects = fixture.start_projects().await;
    fixture.until_members(project.id, &[]).await;
    projects.until_says("t3_events_missed 0").await;
    fixture.finish().await;
}
