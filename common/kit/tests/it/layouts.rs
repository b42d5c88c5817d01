use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use bson::{Document, doc};
use contracts::Service;
use futures::{TryStreamExt, future::join_all};
use kit::{Database, Error, Layout, Layouts, Migrating, Needs, Shutdown, Step};
use mongodb::Collection;
use testkit::Harness;
use tokio::sync::Notify;

/// The step to layout 2 removes the field `twice`, which in layout 1 is twice the field `count`.
const STEPS: &[Step] = &[said_once];
const THINGS: [Layout; 1] = [Layout::of("things", STEPS)];
/// The same collection as a program that knows only layout 1 defines it.
const THINGS_BEFORE: [Layout; 1] = [Layout::of("things", &[])];

fn said_once(mut thing: Document) -> Document {
    thing.remove("twice");
    thing
}

fn thing(id: i32, count: i32) -> Document {
    doc! { "_id": id, "count": count, "twice": 2 * count }
}

/// Creates a database with `many` documents of layout 1. Returns the database and the collection of
/// these documents.
async fn things(harness: &Harness, many: i32) -> (Database, Collection<Document>) {
    let needs = Needs::of(Service::Directory).outbox();
    harness.provision(&needs.collections([("things", Vec::new()), Layouts::shape()])).await;
    let db = harness.database(Service::Directory).await;
    let things = db.collection::<Document>("things");
    if many > 0 {
        things.insert_many((0..many).map(|id| thing(id, 0))).await.unwrap();
    }
    (db, things)
}

async fn all(things: &Collection<Document>) -> Vec<Document> {
    things.find(doc! {}).sort(doc! { "_id": 1 }).await.unwrap().try_collect().await.unwrap()
}

async fn left(layouts: &Layouts) -> u64 {
    layouts.look().await.unwrap()[0].left
}

/// Runs a migration to its end. Returns the progress that it reported.
async fn migrate(layouts: &Layouts) -> Vec<Migrating> {
    let told = Mutex::new(Vec::new());
    layouts.migrate(100, |at| told.lock().unwrap().push(at)).await.unwrap();
    told.into_inner().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_is_stopped_goes_on_where_it_was_and_ends_with_a_round_that_finds_nothing() {
    let harness = Harness::start().await;
    let (db, things) = things(&harness, 1_000).await;
    let layouts = Layouts::open(&db, &THINGS);
    assert_eq!(left(&layouts).await, 1_000);
    let reached = Notify::new();
    let tell = |at: Migrating| {
        if at.seen == 400 {
            reached.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = reached.notified() => {}
        done = layouts.migrate(100, tell) => panic!("it came to its end: {done:?}"),
    }
    assert_eq!(left(&layouts).await, 600);
    let is_old = doc! { "twice": { "$exists": true } };
    let still = things.count_documents(is_old.clone()).await.unwrap();
    assert!((400..=600).contains(&still), "{still}");

    let told = migrate(&Layouts::open(&db, &THINGS)).await;
    let at = |seen, changed| Migrating { collection: "things", seen, of: 1_000, changed };
    assert!(told[0].seen == 600 && told[0].changed >= 400, "{told:?}");
    assert_eq!(told[2..], [at(1_000, 1_000), at(0, 0), at(200, 0), at(400, 0), at(600, 0), at(800, 0), at(1_000, 0)]);
    assert_eq!((left(&layouts).await, things.count_documents(is_old).await.unwrap()), (0, 0));
    let once = all(&things).await;
    assert_eq!(once[7], doc! { "_id": 7, "count": 0, "layout": 2 });
    // A further migration changes nothing.
    assert!(migrate(&layouts).await.iter().all(|at| at.changed == 0));
    assert_eq!(all(&things).await, once);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_is_lost_that_is_made_beside_a_migration_and_nothing_comes_back_that_is_deleted() {
    let harness = Harness::start().await;
    let (db, things) = things(&harness, 60).await;
    let is_over = AtomicBool::new(false);
    let mut counted = 0;
    // A third of the changes updates a field, a third replaces the document in layout 1, and a
    // third replaces it in layout 2.
    let changes = async {
        for n in 0..600 {
            let this = doc! { "_id": n % 40 };
            let was = things.find_one(this.clone()).await.unwrap().unwrap();
            let count = was.get_i32("count").unwrap();
            let as_read = doc! { "_id": n % 40, "count": count };
            let changed = match n % 3 {
                0 => things.update_one(this, doc! { "$inc": { "count": 1 } }).await.unwrap(),
                1 => things.replace_one(as_read, thing(n % 40, count + 1)).await.unwrap(),
                _ => {
                    let new = doc! { "_id": n % 40, "count": count + 1, "layout": 2 };
                    things.replace_one(as_read, new).await.unwrap()
                }
            };
            counted += changed.matched_count as i32;
            if n % 30 == 0 {
                things.delete_one(doc! { "_id": 40 + n / 30 }).await.unwrap();
            }
        }
        is_over.store(true, Ordering::Relaxed);
    };
    let (migrated, layouts) = (AtomicBool::new(false), [(); 2].map(|()| Layouts::open(&db, &THINGS)));
    // Two migrations run at the same time, again and again until the changes are done.
    let migrations = join_all(layouts.iter().map(async |layouts| {
        while !is_over.load(Ordering::Relaxed) {
            migrate(layouts).await;
            migrated.store(true, Ordering::Relaxed);
        }
    }));
    tokio::join!(changes, migrations);
    assert!(counted == 600 && migrated.load(Ordering::Relaxed));
    migrate(&layouts[0]).await;
    let all = all(&things).await;
    assert_eq!(all.iter().map(|thing| thing.get_i32("count").unwrap()).sum::<i32>(), 600);
    assert_eq!(all.len(), 40, "what was deleted stays so");
    assert!(all.iter().all(|thing| thing.len() == 3 && matches!(thing.get_i32("layout"), Ok(2))), "{all:?}");
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_layout_is_written_once_somebody_has_said_so_and_from_the_start_where_nothing_is() {
    let harness = Harness::start().await;
    let (db, things) = things(&harness, 3).await;
    let (one, other) = (Layouts::open(&db, &THINGS), Layouts::open(&db, &THINGS));
    let begin = async |layouts: &Layouts, all_read_it| {
        layouts.begin(move || async move { Ok(all_read_it) }, &Shutdown::new()).await
    };
    assert!(begin(&one, true).await.unwrap() && begin(&other, true).await.unwrap());
    assert_eq!((one.written(&THINGS[0]), other.written(&THINGS[0])), (1, 1));
    one.raise().await.unwrap();
    assert_eq!((one.written(&THINGS[0]), other.written(&THINGS[0])), (2, 1));
    assert_eq!(other.look().await.unwrap()[0].written, 2);
    assert_eq!(other.written(&THINGS[0]), 2);
    // A program that knows only layout 1 refuses to start now.
    let refused = begin(&Layouts::open(&db, &THINGS_BEFORE), true).await.map_err(|error: Error| error.to_string());
    assert_eq!(refused.unwrap_err(), "things is written in layout 2, and this program reads 1 to 1: run a newer one");

    db.collection::<Document>("layouts").delete_many(doc! {}).await.unwrap();
    things.delete_many(doc! {}).await.unwrap();
    let new = Layouts::open(&db, &THINGS);
    begin(&new, false).await.unwrap();
    assert_eq!(new.written(&THINGS[0]), 1, "beside one that cannot read the newest");
    begin(&new, true).await.unwrap();
    assert_eq!((new.written(&THINGS[0]), left(&new).await), (2, 0));
    harness.finish().await;
}
