use contracts::{Caller, Code, HOUR, IngestItem, ListOverlaps, Millis, Overlap, TimeRange, VoidWindow, WindowId};
use timetrack::Config;

use crate::support::{Fixture, NOON, label, spawn_with};

/// A window of Ann's with this start and end, in hours after [`NOON`], from the computer with this
/// hardware id.
fn window(fixture: &Fixture, from: i64, to: i64, hwid: &str) -> IngestItem {
    let mut window = fixture.window(0).window;
    window.id = Some(kit::new_id::<WindowId>());
    (window.start, window.end) = (Millis(NOON + from * HOUR), Millis(NOON + to * HOUR));
    (window.hwid, window.computer) = (label(hwid), label(hwid));
    fixture.item(window)
}

fn between(from: i64, to: i64) -> ListOverlaps {
    let range = TimeRange::new(Millis(NOON + from * HOUR), Millis(NOON + to * HOUR)).unwrap();
    ListOverlaps { range, employees: Vec::new(), projects: Vec::new(), after: None }
}

/// The listed overlaps: the window that takes time, the hours that it takes, and the number of
/// windows that lose time.
async fn found(fixture: &Fixture, asked: &ListOverlaps) -> Vec<(WindowId, i64, u64)> {
    let page = fixture.harness.ask(asked).await.unwrap();
    assert_eq!(page.next, None);
    page.items.iter().map(|overlap| (overlap.id, overlap.taken_time / HOUR, overlap.taken_from_count)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_swallows_the_day_of_others_is_found_with_all_that_it_takes() {
    let fixture = Fixture::with_ann().await;
    let asleep = window(&fixture, -12, 11, "laptop");
    let honest: Vec<IngestItem> = (0..8).map(|hour| window(&fixture, hour, hour + 1, "laptop")).collect();
    let elsewhere = window(&fixture, 10, 13, "workstation");
    let alone = window(&fixture, 20, 21, "laptop");
    let sent = [vec![asleep.clone(), elsewhere.clone(), alone], honest.clone()].concat();
    fixture.send(sent).await;

    let page = fixture.harness.ask(&between(-20, 30)).await.unwrap();
    let [overlap] = &page.items[..] else { panic!("one takes time: {page:?}") };
    let Overlap { id, employee_id, taken_time, taken_from_count, taken_from_other_computers, taken_from, .. } = overlap;
    assert_eq!((*id, *employee_id), (asleep.id, fixture.ann));
    assert_eq!((*taken_time, *taken_from_count, *taken_from_other_computers), (9 * HOUR, 9, HOUR));
    let from: Vec<_> = taken_from.iter().map(|lost| (lost.id, lost.taken_time)).collect();
    let mut expected: Vec<_> = honest.iter().map(|window| (window.id, HOUR)).collect();
    expected.push((elsewhere.id, HOUR));
    assert_eq!(from, expected);
    assert_eq!(taken_from[8].computer.as_str(), "workstation");
    // The taken time must equal the sum of the negative times of the windows.
    let negative: i64 = fixture.stored().await.iter().map(|window| window.negative_time).sum();
    assert_eq!(negative, *taken_time);

    // After the long window is voided, no window takes time from another.
    fixture.harness.ask(&VoidWindow { id: asleep.id, reason: None }).await.unwrap();
    assert_eq!(found(&fixture, &between(-20, 30)).await, []);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn overlaps_are_those_that_touch_the_range_of_whom_and_on_what_was_asked_and_pages_go_on() {
    let fixture = Fixture::with_ann().await;
    let pairs: Vec<[IngestItem; 2]> = (0..4)
        .map(|n| [window(&fixture, n * 10, n * 10 + 2, "a"), window(&fixture, n * 10 + 1, n * 10 + 3, "a")])
        .collect();
    fixture.send(pairs.concat()).await;
    let all: Vec<_> = pairs.iter().map(|pair| (pair[0].id, 1, 1)).collect();
    assert_eq!(found(&fixture, &between(-9, 99)).await, all);
    // An overlap is listed if the window that takes time touches the range. That the window that
    // loses time touches it is not enough.
    assert_eq!(found(&fixture, &between(11, 12)).await, all[1..2]);
    assert_eq!(found(&fixture, &between(12, 13)).await, []);
    for (employees, projects, expected) in [
        (vec![fixture.ann], vec![fixture.project], &all[..]),
        (vec![kit::new_id()], vec![], &[]),
        (vec![], vec![kit::new_id()], &[]),
    ] {
        assert_eq!(found(&fixture, &ListOverlaps { employees, projects, ..between(-9, 99) }).await, expected);
    }
    let second = fixture.harness.ask(&between(-9, 99)).await.unwrap().items[1].clone();
    let after = contracts::OverlapCursor { employee_id: second.employee_id, start: second.start, id: second.id };
    assert_eq!(found(&fixture, &ListOverlaps { after: Some(after), ..between(-9, 99) }).await, all[2..]);

    let refused = fixture.harness.bus().ask(Caller::Employee(fixture.ann), &between(-9, 99)).await.unwrap_err();
    assert_eq!(refused.code, Code::Forbidden);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_more_overlaps_than_a_page_holds_goes_on_until_each_was_given_once() {
    let fixture = Fixture::with_ann().await;
    let pairs =
        (0..120).flat_map(|n| [window(&fixture, n * 4, n * 4 + 2, "a"), window(&fixture, n * 4 + 1, n * 4 + 3, "a")]);
    let sent: Vec<IngestItem> = pairs.collect();
    let expected: Vec<WindowId> = sent.iter().step_by(2).map(|window| window.id).collect();
    fixture.send(sent).await;
    let (mut asked, mut found) = (between(0, 500), Vec::new());
    loop {
        let page = fixture.harness.ask(&asked).await.unwrap();
        found.extend(page.items.iter().map(|overlap| overlap.id));
        asked.after = page.next;
        if asked.after.is_none() {
            break;
        }
        assert!(page.items.len() < 120);
    }
    assert_eq!(found, expected);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_overlaps_are_counted_nothing_is_taken() {
    let mut fixture = Fixture::with_ann().await;
    fixture.send(vec![window(&fixture, 0, 2, "a"), window(&fixture, 1, 3, "a")]).await;
    assert_eq!(found(&fixture, &between(0, 9)).await.len(), 1);
    fixture.timetrack.take().unwrap().stop().await;
    let _counting_all = spawn_with(&fixture.harness, Config { count_overlaps: true, ..Default::default() }).await;
    assert_eq!(found(&fixture, &between(0, 9)).await, []);
    fixture.harness.finish().await;
}
