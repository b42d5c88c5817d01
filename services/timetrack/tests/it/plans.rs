//! Tests with MongoDB's profiler: no query may read a whole collection, or more than it needs.

use bson::{Document, doc};
use contracts::{DAY, Filter, HOUR, Label, ListOverlaps, ListWindows, OverlapCursor, Service, WindowCursor};
use futures::TryStreamExt;

use crate::support::{Fixture, NOON, between};

/// The number of the day that the tests query. Ann has a window of one hour on each of [`DAYS`]
/// days, which are numbered from 0.
const THIS: i64 = 40;
const DAYS: i64 = 80;

/// A query, as the profiler has recorded it: its plan, and how many index keys and documents it
/// examined.
#[derive(Debug)]
struct Answered {
    plan: String,
    keys: i32,
    documents: i32,
}

/// Timetrack's database, with a profiler that records everything from now on.
async fn profiled(fixture: &Fixture) -> mongodb::Database {
    let name = fixture.harness.database(Service::Timetrack).await.collection::<Document>("windows").namespace().db;
    let url = &fixture.harness.settings().mongo.mongo_connection_string;
    let database = kit::mongo::connect(url.expose(), None, "plans").await.unwrap().database(&name);
    database.run_command(doc! { "profile": 2 }).await.unwrap();
    database
}

/// The queries of windows that the profiler has recorded.
async fn answered(profile: &mongodb::Database) -> Vec<Answered> {
    let filter = doc! { "ns": { "$regex": r"\.windows$" }, "op": "query" };
    let found = profile.collection::<Document>("system.profile").find(filter).await.unwrap();
    let found: Vec<Document> = found.try_collect().await.unwrap();
    let one = |entry: &Document| Answered {
        plan: entry.get_str("planSummary").unwrap().to_owned(),
        keys: entry.get_i32("keysExamined").unwrap(),
        documents: entry.get_i32("docsExamined").unwrap(),
    };
    found.iter().map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_reads_its_own_days_from_an_index_whatever_it_is_filtered_by() {
    let fixture = Fixture::with_ann().await;
    fixture.send((0..DAYS).map(|day| fixture.window(day * 24)).collect()).await;
    // Half of the windows get layout 1, so both layouts are tested.
    fixture.age(2).await;
    let day = between(NOON + THIS * DAY, NOON + THIS * DAY + HOUR);
    let this = fixture.harness.ask(&day).await.unwrap().items.pop().unwrap();
    let after = Some(WindowCursor { start: this.start - 1, id: this.id });
    let shift = Label::parse(this.shift_id.as_str()).unwrap();
    let database = profiled(&fixture).await;
    for list in [
        day.clone(),
        ListWindows { filter: Filter { employees: vec![fixture.ann], ..Filter::default() }, ..day.clone() },
        ListWindows {
            filter: Filter {
                employees: (0..300).map(|_| kit::new_id()).chain([fixture.ann]).collect(),
                ..Filter::default()
            },
            ..day.clone()
        },
        ListWindows { filter: Filter { projects: vec![fixture.project], ..Filter::default() }, ..day.clone() },
        ListWindows { filter: Filter { tasks: vec![fixture.task], ..Filter::default() }, ..day.clone() },
        ListWindows {
            filter: Filter { employees: vec![fixture.ann], tasks: vec![fixture.task], ..Filter::default() },
            ..day.clone()
        },
        ListWindows { after, ..day.clone() },
        // In a long range, the filter or the limit must bound what is read.
        ListWindows { filter: Filter { shifts: vec![shift], ..Filter::default() }, ..between(0, NOON * 2) },
        ListWindows { after, limit: Some(1), ..between(0, NOON * 2) },
        ListWindows { filter: Filter { tasks: vec![kit::new_id()], ..Filter::default() }, ..between(0, NOON * 2) },
    ] {
        fixture.harness.ask(&list).await.unwrap();
    }
    database.run_command(doc! { "profile": 0 }).await.unwrap();
    let answered = answered(&database).await;
    assert!(answered.len() >= 10, "{answered:?}");
    for one in answered {
        assert!(one.plan.starts_with("IXSCAN"), "{one:?}");
        assert!(one.documents <= 3 && one.keys < 700, "{one:?}");
    }
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn overlaps_are_found_in_an_index_alone_and_only_the_windows_that_are_shown_are_read() {
    let fixture = Fixture::with_ann().await;
    let mut later = fixture.window(THIS * 24).window;
    (later.id, later.start) = (Some(kit::new_id()), later.start + HOUR / 2);
    fixture.send((0..DAYS).map(|day| fixture.window(day * 24)).chain([fixture.item(later)]).collect()).await;
    fixture.age(2).await;
    let database = profiled(&fixture).await;
    let of_that_day = overlaps_between(NOON + THIS * DAY, NOON + (THIS + 1) * DAY);
    let after = fixture.harness.ask(&of_that_day).await.unwrap().items.pop();
    let after = after.map(|found| OverlapCursor { employee_id: fixture.ann, start: found.start - 1, id: found.id });
    let employees: Vec<_> = (0..300).map(|_| kit::new_id()).chain([fixture.ann]).collect();
    for list in [
        ListOverlaps { employees: vec![fixture.ann], ..of_that_day.clone() },
        ListOverlaps { employees: employees.clone(), ..of_that_day.clone() },
        ListOverlaps { after, ..of_that_day.clone() },
        ListOverlaps { after, employees, ..of_that_day.clone() },
    ] {
        assert_eq!(fixture.harness.ask(&list).await.unwrap().items.len(), 1);
    }
    database.run_command(doc! { "profile": 0 }).await.unwrap();
    let answered = answered(&database).await;
    assert!(answered.len() >= 10, "{answered:?}");
    for one in answered {
        assert!(one.plan.starts_with("IXSCAN"), "{one:?}");
        // Only the two windows that overlap are read, by their ids. All other queries read index
        // keys alone.
        assert!(one.documents == 0 || (one.documents == 2 && one.plan.contains("_id: 1 }")), "{one:?}");
        assert!(one.keys < 700, "{one:?}");
    }
    fixture.harness.finish().await;
}

/// A request for all overlaps of windows that touch a range.
fn overlaps_between(start: i64, end: i64) -> ListOverlaps {
    ListOverlaps { range: between(start, end).range, employees: Vec::new(), projects: Vec::new(), after: None }
}
