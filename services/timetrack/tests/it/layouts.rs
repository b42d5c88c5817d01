//! Tests of windows in the previous layout: they are read, listed and changed like all others, and
//! migrated while the service runs.

use std::sync::atomic::{AtomicBool, Ordering};

use bson::{Document, doc};
use contracts::{
    Caller, Code, ContentHash, CorrectWindow, GetWindow, HOUR, ListFacts, ListWindows, Millis, Outcome, Service,
    UpdateWindows, VoidWindow, Window, WindowChanges, WindowCorrection, WindowFact, WindowId, WindowState,
    content_hash,
};
use futures::TryStreamExt;
use kit::mongo::value;
use serde::{Deserialize, de::DeserializeOwned};
use testkit::{Harness, LaggingMongo};
use timetrack::{Recorded, migrate};
use uuid::Uuid;

use crate::support::{Fixture, NOON, between, spawn};

/// A window as the first version of the program read it.
#[derive(Debug, Deserialize)]
struct First {
    #[serde(rename = "_id")]
    id: WindowId,
    hash: ContentHash,
    window: Window,
}

#[derive(Debug, Deserialize)]
struct FormerRow {
    #[serde(rename = "_id")]
    key: String,
    was: Recorded,
}

impl Fixture {
    async fn read<T: DeserializeOwned + Send + Sync + Unpin>(&self, name: &str) -> Vec<T> {
        let rows = self.harness.database(Service::Timetrack).await.collection::<Document>(name).clone_with_type::<T>();
        rows.find(doc! {}).sort(doc! { "_id": 1 }).await.unwrap().try_collect().await.unwrap()
    }

    /// Rewrites every `every`-th window, and every `every`-th former state, into layout 1, as the
    /// first version of the program wrote it.
    pub async fn age(&self, every: usize) {
        let database = self.harness.database(Service::Timetrack).await;
        let [windows, history] = ["windows", "window_history"].map(|name| database.collection::<Document>(name));
        for recorded in self.read::<Recorded>("windows").await.into_iter().step_by(every) {
            let this = doc! { "_id": value(&recorded.id) };
            windows.replace_one(this, first_version(&recorded)).await.unwrap();
        }
        for former in self.read::<FormerRow>("window_history").await.into_iter().step_by(every) {
            let was = doc! { "$set": { "was": first_version(&former.was) } };
            history.update_one(doc! { "_id": former.key }, was).await.unwrap();
        }
    }

    async fn migrate(&self) -> anyhow::Result<()> {
        migrate(&self.harness.deps(Service::Timetrack).await, 100, |_| {}).await
    }

    /// All windows and all facts, as the service returns them.
    async fn all_told(&self) -> (Vec<Window>, Vec<WindowFact>) {
        (self.stored().await, self.harness.bus().ask(Caller::Service, &ListFacts { after: None }).await.unwrap().items)
    }
}

fn first_version(Recorded { revision, voided, window, .. }: &Recorded) -> Document {
    let mut document = of_first_version(window, ContentHash(Uuid::nil()));
    document.extend(doc! { "revision": *revision, "voided": *voided });
    document
}

/// The document of a window in layout 1, as the first version of the program wrote it.
pub fn of_first_version(window: &Window, hash: ContentHash) -> Document {
    let (id, hash) = (value(&window.id), value(&hash));
    doc! { "_id": id, "revision": 1_i64, "hash": hash, "voided": false, "window": value(window) }
}

fn until(id: WindowId, end: i64) -> CorrectWindow {
    let changes = WindowCorrection { end: Some(Millis(end)), ..WindowCorrection::default() };
    CorrectWindow { id, changes, reason: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_of_an_earlier_layout_are_told_as_before_and_a_migration_makes_of_them_what_is_written_now() {
    let fixture = Fixture::with_ann().await;
    let items: Vec<_> = (0..8).map(|n| fixture.window(2 * n)).collect();
    fixture.send(items.clone()).await;
    fixture.harness.ask(&until(items[1].id, NOON + 2 * HOUR + 1)).await.unwrap();
    fixture.harness.ask(&VoidWindow { id: items[2].id, reason: None }).await.unwrap();
    let (told, stored) = (fixture.all_told().await, fixture.read::<Document>("windows").await);
    let former = fixture.read::<Document>("window_history").await;
    assert!(stored.iter().all(|stored| matches!(stored.get_i32("layout"), Ok(2)) && !stored.contains_key("hash")));
    let sent_again = async || {
        let outcomes = fixture.send(items.clone()).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Duplicate(_))), "{outcomes:?}");
        let mut other = items[1].clone();
        other.window.end = other.window.end - 1;
        other.hash = content_hash(&other.window);
        assert!(matches!(&fixture.send(vec![other]).await[..], [Outcome::Conflict]));
    };
    sent_again().await;

    fixture.age(1).await;
    assert_ne!(fixture.read::<Document>("windows").await, stored);
    assert_eq!(fixture.all_told().await, told);
    sent_again().await;
    let one = GetWindow { id: items[0].id, seq: None, set_aside: true };
    assert!(matches!(fixture.harness.ask(&one).await, Ok(WindowState::Recorded(_))));

    fixture.migrate().await.unwrap();
    assert_eq!(fixture.read::<Document>("windows").await, stored);
    assert_eq!(fixture.read::<Document>("window_history").await, former);
    assert_eq!(fixture.all_told().await, told);
    sent_again().await;
    fixture.timetrack.as_ref().unwrap().until_says("t3_migration_left_documents{collection=\"windows\"} 0").await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_changed_beside_a_migration_is_changed_afterwards() {
    let fixture = Fixture::with_ann().await;
    let items: Vec<_> = (0..300).map(|n| fixture.window(2 * n)).collect();
    fixture.send(items.clone()).await;
    fixture.age(1).await;
    let is_over = AtomicBool::new(false);
    let changes = async {
        for (n, item) in items.iter().enumerate().step_by(3) {
            let begins = NOON + 2 * n as i64 * HOUR;
            match n % 9 {
                0 => drop(fixture.harness.ask(&until(item.id, begins + HOUR / 2)).await.unwrap()),
                3 => fixture.harness.ask(&VoidWindow { id: item.id, reason: None }).await.unwrap(),
                _ => {
                    let changes = WindowChanges { paid: Some(true), ..WindowChanges::default() };
                    let begin = Some(between(begins, begins + 1).range);
                    let update = UpdateWindows { employees: vec![fixture.ann], begin, changes, ..Default::default() };
                    assert_eq!(fixture.harness.ask(&update).await.unwrap().modified, 1);
                }
            }
            // Some windows are rewritten into layout 1 again and again. So the migration always has
            // a document to rewrite while changes run.
            if n % 30 == 0 {
                fixture.age(7).await;
            }
        }
        is_over.store(true, Ordering::Relaxed);
    };
    let migrations = async {
        while !is_over.load(Ordering::Relaxed) {
            fixture.migrate().await.unwrap();
        }
    };
    tokio::join!(changes, migrations);
    fixture.migrate().await.unwrap();
    let recorded = fixture.read::<Recorded>("windows").await;
    for (n, item) in items.iter().enumerate() {
        let found = recorded.iter().find(|recorded| recorded.id == item.id).unwrap();
        let said = (found.revision, found.voided, found.window.paid, found.window.end - found.window.start);
        let expected = match n % 9 {
            0 => (2, false, false, HOUR / 2),
            3 => (2, true, false, HOUR),
            6 => (2, false, true, HOUR),
            _ => (1, false, false, HOUR),
        };
        assert_eq!(said, expected, "{n}");
    }
    let windows = fixture.read::<Document>("windows").await;
    assert!(windows.iter().all(|window| matches!(window.get_i32("layout"), Ok(2))));
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_an_earlier_version_everything_is_written_as_it_reads_it_until_a_migration() {
    let mut fixture = Fixture::with_ann().await;
    fixture.timetrack.take().unwrap().stop().await;
    let database = fixture.harness.database(Service::Timetrack).await;
    let [layouts, workers] = ["layouts", "workers"].map(|name| database.collection::<Document>(name));
    layouts.delete_many(doc! {}).await.unwrap();
    // The document of a worker of an earlier version, which is alive, reports no layout, and has
    // applied every event so far.
    let seen = bson::DateTime::from_millis(NOON * 2);
    let earlier = doc! { "_id": value(&kit::new_id::<contracts::EventId>()), "seen": seen, "heard": i64::MAX };
    workers.insert_one(&earlier).await.unwrap();
    fixture.timetrack = Some(spawn(&fixture.harness).await);
    let (first, second) = (fixture.window(0), fixture.window(2));
    fixture.send(vec![first.clone(), second.clone()]).await;
    fixture.harness.ask(&until(first.id, NOON + HOUR / 2)).await.unwrap();
    let read: Vec<First> = fixture.read("windows").await;
    assert_eq!(read.len(), 2);
    for row in read {
        assert_eq!(row.window.id, row.id);
        assert!([first.hash, second.hash].contains(&row.hash), "by which alone it knows what is sent again");
    }
    let refused = fixture.migrate().await.unwrap_err().to_string();
    assert!(refused.contains("a timetrack of an earlier version still runs"), "{refused}");

    // Without the earlier worker, the migration succeeds, and the running worker then writes layout
    // 2.
    workers.delete_one(earlier).await.unwrap();
    fixture.migrate().await.unwrap();
    fixture.send(vec![fixture.window(4)]).await;
    fixture.harness.ask(&until(second.id, NOON + 5 * HOUR / 2)).await.unwrap();
    let windows = fixture.read::<Document>("windows").await;
    assert_eq!(windows.iter().filter(|window| matches!(window.get_i32("layout"), Ok(2))).count(), 3);
    assert_eq!(fixture.stored().await.len(), 3);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_of_a_layout_that_is_not_known_is_refused_and_left_as_it_is() {
    let fixture = Fixture::with_ann().await;
    let item = fixture.window(0);
    fixture.send(vec![item.clone()]).await;
    let windows = fixture.harness.database(Service::Timetrack).await.collection::<Document>("windows");
    windows.update_one(doc! {}, doc! { "$set": { "layout": 3, "window.mood": "good" } }).await.unwrap();
    let stored = fixture.read::<Document>("windows").await;
    let failed = |code| assert_eq!(code, Code::Internal);
    failed(fixture.harness.ask(&until(item.id, NOON + 1)).await.unwrap_err().code);
    failed(fixture.harness.ask(&VoidWindow { id: item.id, reason: None }).await.unwrap_err().code);
    let list: ListWindows = between(0, NOON * 2);
    failed(fixture.harness.ask(&list).await.unwrap_err().code);
    let error = fixture.migrate().await.unwrap_err();
    assert!(format!("{error:#}").contains("of layout 3, and this program reads 1 to 2"), "{error:#}");
    assert_eq!(fixture.read::<Document>("windows").await, stored);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_waits_until_mongodb_says_which_layouts_all_read() {
    let mongo = LaggingMongo::start().await;
    let harness = Harness::start_on(&mongo.connection_string()).await;
    // The driver retries a read once. So the read is refused twice: the service must retry too.
    mongo.refuse(&harness, (Service::Timetrack, "workers"), "find", 2).await;
    spawn(&harness).await.stop().await;
    harness.finish().await;
}
