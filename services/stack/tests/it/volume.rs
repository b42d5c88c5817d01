//! Tests of many windows at once, most of them while something fails. Each test compares the
//! answers with what was recorded.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream::stream::Config;
use bson::{Document, doc};
use contracts::{Service, WindowId, stream};
use serde_json::{Value, json};
use testkit::{Harness, eventually_within, start_mongo};

use crate::support::{Person, System};

/// The start of the first window, in milliseconds since 1970. A million minutes later is still in
/// the past.
const TEN: i64 = 1_260_000_000_000;
const MINUTE: i64 = 60_000;
/// The time limit for each wait. It is longer than any redelivery takes on a slow machine.
const BOUND: Duration = Duration::from_secs(120);

/// The status with which each window was answered; 0 means no answer.
type Answers = HashMap<WindowId, u16>;

/// An employee, and the ids of a project and a task that the employee is on.
#[derive(Clone)]
struct Assignee {
    person: Person,
    project: Value,
    task: Value,
}

impl Assignee {
    async fn create(system: &System) -> Self {
        let person = system.new_employee("Ann", "ann@example.org").await;
        let project = json!({ "name": "Website", "employees": [person.id] });
        let project = system.admin("POST", "/api/v1/project", project).await.expect(201)["id"].clone();
        let task = json!({ "name": "Draw it", "projectId": project, "employees": [person.id] });
        let task = system.admin("POST", "/api/v1/task", task).await.expect(201)["id"].clone();
        Self { person, project, task }
    }

    fn window(&self, id: WindowId, minute: i64) -> Value {
        let start = TEN + minute * MINUTE;
        json!({
            "id": id, "start": start, "end": start + MINUTE, "timezoneOffset": 0, "projectId": self.project,
            "taskId": self.task, "computer": "pc", "user": "ann", "os": "linux", "osVersion": "6", "hwid": "hw",
        })
    }
}

/// A load of windows on several connections until it is stopped. Each window is sent once.
struct Load {
    stop: Arc<AtomicBool>,
    senders: Vec<tokio::task::JoinHandle<Answers>>,
}

impl Load {
    fn start(system: &System, assignee: &Assignee, connections: i64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let senders = (0..connections).map(|connection| {
            let (stop, assignee) = (stop.clone(), assignee.clone());
            let (http, url) = (system.http.clone(), format!("{}/api/v1/time-entries", system.base));
            tokio::spawn(async move {
                let mut answers = Answers::new();
                let mut minute = connection;
                while !stop.load(Ordering::SeqCst) {
                    let id: WindowId = kit::new_id();
                    let request =
                        http.post(&url).bearer_auth(&assignee.person.token).json(&assignee.window(id, minute));
                    let answer = request.timeout(Duration::from_secs(8)).send().await;
                    answers.insert(id, answer.map_or(0, |answer| answer.status().as_u16()));
                    minute += connections;
                }
                answers
            })
        });
        Self { senders: senders.collect(), stop }
    }

    async fn end(self) -> Answers {
        self.stop.store(true, Ordering::SeqCst);
        let mut answers = Answers::new();
        for sender in self.senders {
            answers.extend(sender.await.unwrap());
        }
        answers
    }
}

/// Waits until INGEST is empty, and then checks every window by its answer. After 200 or 201 it is
/// stored. After 202 it is either stored or quarantined. After a refusal it is not stored. Without
/// an answer, or after 503 or 504, it may be stored. Finally checks that analytics counts what is
/// stored, and returns the number of answers by status.
async fn settle_and_count(system: &System, answers: &Answers) -> HashMap<u16, usize> {
    eventually_within(BOUND, "the queue is empty", async || {
        (system.harness.stream_messages(stream::INGEST).await == 0).then_some(())
    })
    .await;
    let db = system.harness.database(Service::Timetrack).await;
    let windows = db.collection::<Document>("windows").distinct("_id", doc! {}).await.unwrap();
    let held = db.collection::<Document>("quarantine").distinct("window_id", doc! {}).await.unwrap();
    let dead = system.harness.stream_messages(stream::DEAD).await;
    assert_eq!(dead, 0, "nothing here is poison");
    let ids = |found: Vec<bson::Bson>| found.iter().map(ToString::to_string).collect::<HashSet<_>>();
    let (stored, held) = (ids(windows), ids(held));
    let mut counts = HashMap::new();
    for (id, status) in answers {
        *counts.entry(*status).or_default() += 1;
        let key = kit::mongo::value(id).to_string();
        let (is_stored, is_held) = (stored.contains(&key), held.contains(&key));
        match status {
            200 | 201 => assert!(is_stored, "{id} was answered {status} and is not stored"),
            202 => assert!(is_stored ^ is_held, "{id} was answered 202: stored {is_stored}, held {is_held}"),
            400 | 409 | 422 | 429 => assert!(!is_stored, "{id} was answered {status} and is stored"),
            0 | 503 | 504 => {}
            other => panic!("{id} was answered {other}"),
        }
    }
    // Analytics must count exactly what is stored. Each window is one minute long, and windows do
    // not overlap.
    let path = format!("/api/v1/analytics/project-time?start={TEN}&end={}", TEN + 3_000_000 * MINUTE);
    eventually_within(BOUND, "analytics count what is stored", async || {
        let times = system.admin("GET", &path, Value::Null).await;
        let time = times.body.as_array()?.iter().map(|time| time["time"].as_i64().unwrap()).sum::<i64>();
        (time == stored.len() as i64 * MINUTE).then_some(())
    })
    .await;
    counts
}

/// Sends windows until one is answered with this status, and returns all answers.
async fn until_answered(system: &System, assignee: &Assignee, status: u16, first_minute: i64) -> Answers {
    let mut answers = Answers::new();
    let mut minute = first_minute;
    eventually_within(BOUND, &format!("a window is answered {status}"), async || {
        let id: WindowId = kit::new_id();
        minute += 1;
        let window = assignee.window(id, minute);
        let answer = system.employee(&assignee.person.token, "POST", "/api/v1/time-entries", window).await;
        answers.insert(id, answer.status);
        (answer.status == status).then_some(())
    })
    .await;
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn while_mongodb_is_away_windows_are_taken_as_202_and_recorded_when_it_is_back() {
    let folder = testkit::folder();
    let mut mongo = start_mongo(folder.path()).await;
    let system = System::start_in(Harness::start_on(&mongo.connection_string()).await).await;
    let assignee = Assignee::create(&system).await;
    let load = Load::start(&system, &assignee, 8);
    let mut answers = until_answered(&system, &assignee, 201, 1_000_000).await;
    mongo.kill().await;
    answers.extend(until_answered(&system, &assignee, 202, 1_100_000).await);
    mongo.start_again().await.unwrap();
    answers.extend(until_answered(&system, &assignee, 201, 1_200_000).await);
    answers.extend(load.end().await);
    let counts = settle_and_count(&system, &answers).await;
    assert!(counts[&201] > 0 && counts[&202] > 0, "{counts:?}");
    assert!(counts.keys().all(|status| [200, 201, 202].contains(status)), "{counts:?}");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nats_that_starts_again_under_load_loses_nothing_that_was_accepted() {
    let mut system = System::start().await;
    let assignee = Assignee::create(&system).await;
    let load = Load::start(&system, &assignee, 8);
    let mut answers = until_answered(&system, &assignee, 201, 1_000_000).await;
    system.harness.nats.kill().await;
    system.harness.nats.start_again().await.unwrap();
    answers.extend(until_answered(&system, &assignee, 201, 1_100_000).await);
    answers.extend(load.end().await);
    let counts = settle_and_count(&system, &answers).await;
    assert!(counts[&201] > 0, "{counts:?}");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_is_429_and_recovers_by_itself() {
    let mut system = System::start().await;
    let assignee = Assignee::create(&system).await;
    system.running(Service::Timetrack).stop().await;
    let jetstream = &system.harness.bus().jetstream;
    let mut queue = jetstream.get_stream(stream::INGEST).await.unwrap();
    let config = queue.info().await.unwrap().config.clone();
    jetstream.update_stream(Config { max_bytes: 20_000, ..config.clone() }).await.unwrap();
    let load = Load::start(&system, &assignee, 8);
    let mut answers = until_answered(&system, &assignee, 429, 1_000_000).await;
    answers.extend(load.end().await);
    system.start_service(Service::Timetrack).await;
    answers.extend(until_answered(&system, &assignee, 201, 1_100_000).await);
    let counts = settle_and_count(&system, &answers).await;
    assert!(counts[&202] > 0 && counts[&429] > 0 && counts[&201] > 0, "{counts:?}");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_identical_posts_at_once_over_two_gateways_are_one_window() {
    let system = System::start().await;
    let second = system.second_gateway().await;
    let assignee = Assignee::create(&system).await;
    let window = assignee.window(kit::new_id(), 0);
    let posts = (0..50).map(|n| {
        let base = if n % 2 == 0 { &system.base } else { &second };
        let request = system.http.post(format!("{base}/api/v1/time-entries"));
        let request = request.bearer_auth(&assignee.person.token).json(&window);
        tokio::spawn(async move { request.send().await.unwrap().status().as_u16() })
    });
    let mut created = 0;
    for post in posts.collect::<Vec<_>>() {
        match post.await.unwrap() {
            201 => created += 1,
            200 => {}
            other => panic!("{other}"),
        }
    }
    assert_eq!(created, 1);
    let path = format!("/api/v1/analytics/window?start={TEN}&end={}", TEN + MINUTE);
    assert_eq!(system.admin("GET", &path, Value::Null).await.expect(200).as_array().unwrap().len(), 1);
    system.finish().await;
}
