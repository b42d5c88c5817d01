//! Tests of the comparison of the bindings with the services directory and projects, which own
//! them.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use bson::{Document, doc};
use contracts::{
    CreateEmployee, CreateProject, CreateTask, DeleteTask, EmployeeId, HOUR, Label, Outcome, ProjectId, Rate,
    ReconcileTimetrack, Reconciled, Request, Service, TaskId, UpdateProject, UpdateTask, stream,
};
use mongodb::Collection;
use serde_json::{Value, json};
use testkit::{Harness, Running, eventually_within};

use crate::support::{Fixture, spawn, window_of};

const BOUND: Duration = Duration::from_secs(30);

fn tally(done: Reconciled) -> (u64, u64) {
    (done.found, done.repaired)
}

fn read<R: Request>(body: Value) -> R {
    serde_json::from_value(body).unwrap()
}

async fn ask<R: Request>(harness: &Harness, body: Value) -> R::Reply {
    harness.ask(&read::<R>(body)).await.unwrap()
}

async fn start_projects(harness: &Harness) -> Running {
    let run = |deps, stop| projects::run(projects::Config::default(), deps, stop);
    harness.spawn(projects::needs(), run).await
}

/// Starts directory, projects and timetrack, and puts Ann on a project and on its task. Returns the
/// fixture and the running service projects.
async fn with_owners() -> (Fixture, Running) {
    let harness = Harness::start().await;
    let run = |deps, stop| directory::run(directory::Config::default(), deps, stop);
    harness.spawn(directory::needs(), run).await;
    let projects = start_projects(&harness).await;
    let timetrack = Some(spawn(&harness).await);
    let ann = ask::<CreateEmployee>(&harness, json!({ "name": "Ann", "email": "ann@x.org" })).await.id;
    let payroll = json!({ "*": { "billRate": 50 } });
    let project =
        ask::<CreateProject>(&harness, json!({ "name": "Website", "employees": [ann], "payroll": payroll })).await.id;
    let task =
        ask::<CreateTask>(&harness, json!({ "name": "Front", "projectId": project, "employees": [ann] })).await.id;
    harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    (Fixture { harness, timetrack, ann, project, task }, projects)
}

impl Fixture {
    async fn reconcile(&self) -> Reconciled {
        self.harness.ask(&ReconcileTimetrack {}).await.unwrap()
    }

    async fn bindings(&self) -> Collection<Document> {
        self.harness.database(Service::Timetrack).await.collection("bindings")
    }

    async fn binding(&self, key: &str) -> Option<Document> {
        self.bindings().await.find_one(doc! { "_id": key }).await.unwrap()
    }

    async fn put(&self, project: ProjectId, employees: &[EmployeeId]) {
        ask::<UpdateProject>(&self.harness, json!({ "id": project, "changes": { "employees": employees } })).await;
    }

    async fn assign(&self, task: TaskId, employees: &[EmployeeId]) {
        ask::<UpdateTask>(&self.harness, json!({ "id": task, "changes": { "employees": employees } })).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bindings_are_put_right_where_they_were_broken_and_left_alone_where_they_were_not() {
    let (fixture, _projects) = with_owners().await;
    // The calls below also make changes that have no event of their own: an assignment ends with
    // its membership, the version of the task rises then, and a task is deleted with its project.
    let gone = ask::<CreateProject>(&fixture.harness, json!({ "name": "Gone", "employees": [fixture.ann] })).await.id;
    ask::<CreateTask>(&fixture.harness, json!({ "name": "Too", "projectId": gone, "employees": [fixture.ann] })).await;
    fixture.harness.ask(&contracts::DeleteProject { id: gone }).await.unwrap();
    fixture.put(fixture.project, &[]).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    let done = fixture.reconcile().await;
    assert_eq!(tally(done), (0, 0));
    // The compared entries are Ann, the project, the task, two members and two assignments.
    assert_eq!(done.compared, 7);
    fixture.put(fixture.project, &[fixture.ann]).await;
    fixture.assign(fixture.task, &[fixture.ann]).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    assert_eq!(tally(fixture.reconcile().await), (0, 0));

    let bindings = fixture.bindings().await;
    let sound: Vec<Document> = futures::TryStreamExt::try_collect(bindings.find(doc! {}).await.unwrap()).await.unwrap();
    let keys = [
        format!("e:{}", fixture.ann),
        format!("p:{}", fixture.project),
        format!("t:{}", fixture.task),
        format!("m:{}:{}", fixture.project, fixture.ann),
        format!("a:{}:{}", fixture.task, fixture.ann),
    ];
    for (n, key) in keys.iter().enumerate() {
        bindings.delete_one(doc! { "_id": key }).await.unwrap();
        assert_eq!(tally(fixture.reconcile().await), (1, 1), "{key}");
        assert_eq!(
            fixture.binding(key).await,
            sound.iter().find(|row| row.get_str("_id").unwrap() == key).cloned(),
            "{n}"
        );
    }
    // All documents get version 0. After the repair, one document gets another content with the
    // same version.
    bindings.update_many(doc! {}, doc! { "$set": { "version": 0_i64 } }).await.unwrap();
    let versions =
        ["Employee", "Project", "Task", "Member", "Assignment"].map(|kind| format!("binding.{kind}.version"));
    for field in versions {
        bindings.update_many(doc! { &field: { "$exists": true } }, doc! { "$set": { &field: 0_i64 } }).await.unwrap();
    }
    let (found, repaired) = tally(fixture.reconcile().await);
    assert!(found == repaired && found >= 5, "{found} {repaired}");
    bindings.update_one(doc! { "_id": &keys[1] }, doc! { "$set": { "binding.Project.archived": true } }).await.unwrap();
    assert_eq!(tally(fixture.reconcile().await), (1, 1));
    assert_eq!(tally(fixture.reconcile().await), (0, 0));

    // This document is a project that the service projects does not have.
    let mut copied = fixture.binding(&keys[1]).await.unwrap();
    let other = kit::new_id::<ProjectId>();
    copied.insert("_id", format!("p:{other}"));
    copied
        .get_document_mut("binding")
        .unwrap()
        .get_document_mut("Project")
        .unwrap()
        .insert("id", kit::mongo::value(&other));
    bindings.insert_one(copied).await.unwrap();
    assert_eq!(tally(fixture.reconcile().await), (1, 1));
    let ended = fixture.binding(&format!("p:{other}")).await.unwrap();
    assert!(ended.get_document("binding").unwrap().get_document("Project").unwrap().get_bool("deleted").unwrap());
    assert_eq!(tally(fixture.reconcile().await), (0, 0));
    let timetrack = fixture.timetrack.as_ref().unwrap();
    timetrack.until_says("t3_reconcile_repaired_total{copy=\"employees\"} 2").await;
    timetrack.until_says("t3_events_gaps_total 0").await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_workers_remember_is_forgotten_when_the_copy_is_put_right() {
    let (fixture, _projects) = with_owners().await;
    let second = spawn(&fixture.harness).await;
    let key = format!("p:{}", fixture.project);
    let bindings = fixture.bindings().await;
    let rate = "binding.Project.payroll.*.billRate";
    let wrong = doc! { "$set": { rate: kit::mongo::value(&Rate::try_from(99.0).unwrap()) } };
    bindings.update_one(doc! { "_id": &key }, wrong).await.unwrap();
    // The document is removed while every second window is sent, until eight of these windows in a
    // row are priced from the cache. By then, both workers almost surely have it cached.
    let row = fixture.binding(&key).await.unwrap();
    let mut hour = 0;
    let mut in_a_row = 0;
    eventually_within(BOUND, "it is remembered", async || {
        fixture.send(vec![fixture.window(hour)]).await;
        bindings.delete_one(doc! { "_id": &key }).await.unwrap();
        let outcome = fixture.send(vec![fixture.window(hour + 1)]).await.pop().unwrap();
        bindings.insert_one(&row).await.unwrap();
        hour += 2;
        let is_remembered =
            matches!(&outcome, Outcome::Stored(_)) && window_of(&outcome).bill_rate == Rate::try_from(99.0).ok();
        in_a_row = if is_remembered { in_a_row + 1 } else { 0 };
        (in_a_row == 8).then_some(())
    })
    .await;

    assert_eq!(tally(fixture.reconcile().await), (1, 1));
    for _ in 0..8 {
        let outcome = fixture.send(vec![fixture.window(hour)]).await.pop().unwrap();
        assert_eq!(window_of(&outcome).bill_rate, Rate::try_from(50.0).ok());
        hour += 1;
    }
    second.stop().await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_while_everything_changes() {
    let (fixture, _projects) = with_owners().await;
    let second = spawn(&fixture.harness).await;
    let bob = ask::<CreateEmployee>(&fixture.harness, json!({ "name": "Bob", "email": "bob@x.org" })).await.id;
    let (is_over, turns) = (AtomicBool::new(false), AtomicUsize::new(0));
    let turn_projects = async || {
        while !is_over.load(Ordering::Relaxed) {
            let body = json!({ "name": "Brief", "employees": [fixture.ann, bob] });
            let project = ask::<CreateProject>(&fixture.harness, body).await.id;
            let body = json!({ "name": "Task", "projectId": project, "employees": [fixture.ann, bob] });
            let task = ask::<CreateTask>(&fixture.harness, body.clone()).await.id;
            ask::<CreateTask>(&fixture.harness, body).await;
            fixture.put(project, &[bob]).await;
            fixture.put(project, &[fixture.ann, bob]).await;
            fixture.assign(task, &[fixture.ann]).await;
            fixture.harness.ask(&DeleteTask { id: task }).await.unwrap();
            if turns.fetch_add(1, Ordering::Relaxed) % 2 == 0 {
                fixture.harness.ask(&contracts::DeleteProject { id: project }).await.unwrap();
            }
        }
    };
    let turn_people = async || {
        let mut people = 0;
        while !is_over.load(Ordering::Relaxed) || people < 2 {
            let body = json!({ "name": "Carl", "email": format!("carl-{people}@x.org") });
            let carl = ask::<CreateEmployee>(&fixture.harness, body).await.id;
            fixture.put(fixture.project, &[fixture.ann, carl]).await;
            fixture.assign(fixture.task, &[fixture.ann, carl]).await;
            fixture.harness.ask(&contracts::DeactivateEmployee { id: carl }).await.unwrap();
            people += 1;
        }
    };
    let compare = async || {
        let mut rounds = 0;
        while rounds < 40 || turns.load(Ordering::Relaxed) < 12 {
            assert_eq!(tally(fixture.reconcile().await), (0, 0));
            rounds += 1;
        }
        is_over.store(true, Ordering::Relaxed);
    };
    tokio::join!(turn_projects(), turn_projects(), turn_projects(), turn_people(), compare());
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    assert_eq!(tally(fixture.reconcile().await), (0, 0));
    second.stop().await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn timetrack_that_was_away_when_events_forgot_who_is_on_what_takes_no_window_until_it_knows() {
    let (mut fixture, projects) = with_owners().await;
    fixture.timetrack.take().unwrap().stop().await;
    // Bob is new, and so are his project and its task. Ann's task is deleted.
    let bob = ask::<CreateEmployee>(&fixture.harness, json!({ "name": "Bob", "email": "bob@x.org" })).await.id;
    let body = json!({ "name": "App", "employees": [bob] });
    let app = ask::<CreateProject>(&fixture.harness, body).await.id;
    let body = json!({ "name": "Login", "projectId": app, "employees": [bob] });
    let login = ask::<CreateTask>(&fixture.harness, body).await.id;
    fixture.harness.ask(&DeleteTask { id: fixture.task }).await.unwrap();
    fixture.harness.forget_events().await;
    projects.stop().await;
    let old = Fixture { harness: fixture.harness, timetrack: None, ann: bob, project: app, task: login };
    let queued = old.window(0);
    old.queue(vec![queued.clone()]).await;

    let (timetrack, ()) = tokio::join!(spawn(&old.harness), async {
        // Timetrack has missed events, and the service projects does not run, so the copy cannot be
        // compared. Until it is compared, no window may be recorded.
        eventually_within(BOUND, "it answers, and takes nothing", async || {
            old.harness.ask(&crate::support::between(0, 1)).await.ok().map(drop)
        })
        .await;
        tokio::time::timeout(Duration::from_secs(3), async {
            loop {
                assert!(old.stored().await.is_empty());
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap_err();
        start_projects(&old.harness).await;
    });
    eventually_within(BOUND, "it is recorded", async || (old.stored().await.len() == 1).then_some(())).await;
    assert_eq!(old.stored().await[0].id, queued.id);
    let quarantine: Collection<Document> = old.harness.database(Service::Timetrack).await.collection("quarantine");
    assert_eq!(quarantine.count_documents(doc! {}).await.unwrap(), 0);
    timetrack.until_says("t3_events_missed 0").await;
    timetrack.until_says("t3_events_gaps_total 1").await;
    let ended = old.binding(&format!("t:{}", fixture.task)).await.unwrap();
    assert!(ended.get_document("binding").unwrap().get_document("Task").unwrap().get_bool("deleted").unwrap());
    assert_eq!(tally(old.reconcile().await), (0, 0));
    old.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_comparisons_at_once_end_in_one_right_copy() {
    let (fixture, _projects) = with_owners().await;
    let second = spawn(&fixture.harness).await;
    for _ in 0..5 {
        fixture.bindings().await.delete_many(doc! {}).await.unwrap();
        let (a, b, c) = tokio::join!(fixture.reconcile(), fixture.reconcile(), fixture.reconcile());
        assert!((5..=10).contains(&(a.repaired + b.repaired + c.repaired)), "{a:?} {b:?} {c:?}");
        assert_eq!(tally(fixture.reconcile().await), (0, 0));
    }
    let outcome = fixture.send(vec![fixture.window(-HOUR / HOUR)]).await.pop().unwrap();
    assert!(matches!(outcome, Outcome::Stored(_)), "{outcome:?}");
    assert_eq!(window_of(&outcome).task_status, Label::parse("To Do").unwrap());
    second.stop().await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn timetrack_that_misses_events_while_it_runs_refuses_nobody_until_it_knows() {
    let (fixture, projects) = with_owners().await;
    let bob = ask::<CreateEmployee>(&fixture.harness, json!({ "name": "Bob", "email": "bob@x.org" })).await.id;
    fixture.put(fixture.project, &[fixture.ann, bob]).await;
    fixture.assign(fixture.task, &[fixture.ann, bob]).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    // Timetrack gets the state of a service that has never received an event about Bob: his
    // bindings are removed, EVENTS has dropped the events, and the service projects, which owns the
    // bindings, does not run.
    projects.stop().await;
    fixture.harness.forget_events().await;
    let of_bob = doc! { "_id": { "$regex": bob.to_string() } };
    assert!(fixture.bindings().await.delete_many(of_bob).await.unwrap().deleted_count > 0);
    let marks: Collection<Document> = fixture.harness.database(Service::Timetrack).await.collection("event_marks");
    marks.update_many(doc! {}, doc! { "$set": { "place": 0_i64 } }).await.unwrap();
    fixture.timetrack.as_ref().unwrap().until_says("t3_events_missed 1").await;

    let as_bob = Fixture { ann: bob, timetrack: fixture.timetrack, ..fixture };
    let outcome = as_bob.send(vec![as_bob.window(0)]).await.pop().unwrap();
    assert!(matches!(outcome, Outcome::Queued), "{outcome:?}");
    start_projects(&as_bob.harness).await;
    eventually_within(BOUND, "it is recorded", async || (as_bob.stored().await.len() == 1).then_some(())).await;
    as_bob.harness.finish().await;
}
