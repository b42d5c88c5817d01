use contracts::{Caller, Code, Filter, HOUR, ListFacts, ListWindows, VoidWindow, WindowFact, WindowId};
use timetrack::Config;

use crate::support::{Fixture, NOON, between, spawn_with};

#[tokio::test(flavor = "multi_thread")]
async fn a_list_holds_what_touches_the_range_by_start_and_goes_on_where_a_page_ended() {
    let fixture = Fixture::with_ann().await;
    fixture.send((0..5).map(|hour| fixture.window(hour)).collect()).await;
    let starts = async |list: &ListWindows| -> Vec<i64> {
        let page = fixture.harness.ask(list).await.unwrap();
        page.items.iter().map(|w| (w.start.0 - NOON) / HOUR).collect()
    };
    assert_eq!(starts(&between(NOON + HOUR, NOON + 3 * HOUR)).await, [1, 2]);
    assert_eq!(starts(&between(NOON + HOUR - 1, NOON + 3 * HOUR + 1)).await, [0, 1, 2, 3]);
    let all = between(0, NOON * 2);
    let third = fixture.harness.ask(&all).await.unwrap().items[2].clone();
    let after = Some(contracts::WindowCursor { start: third.start, id: third.id });
    assert_eq!(starts(&ListWindows { after, ..all.clone() }).await, [3, 4]);
    for (limit, ends_with) in [(2, Some(1)), (4, Some(3)), (5, None), (6, None)] {
        let page = fixture.harness.ask(&ListWindows { limit: Some(limit), ..all.clone() }).await.unwrap();
        assert_eq!(page.next.map(|next| (next.start.0 - NOON) / HOUR), ends_with, "{limit}");
        assert_eq!(page.items.len(), limit.min(5));
    }
    let filter = Filter { employees: vec![kit::new_id()], ..Filter::default() };
    assert_eq!(starts(&ListWindows { filter, ..all.clone() }).await, [0; 0]);
    let filter = Filter { employees: vec![fixture.ann], tasks: vec![fixture.task], ..Filter::default() };
    assert_eq!(starts(&ListWindows { filter, ..all }).await.len(), 5);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_that_counts_for_an_earlier_window_is_negative_time() {
    let mut fixture = Fixture::with_ann().await;
    let mut overlapping = fixture.window(0).window;
    overlapping.id = Some(kit::new_id::<WindowId>());
    overlapping.start = overlapping.start + HOUR / 2;
    overlapping.end = overlapping.end + HOUR / 2;
    fixture.send(vec![fixture.item(overlapping), fixture.window(0)]).await;
    // The list has only the later window. To compute its negative time, the service must also read
    // the window before it.
    let late = fixture.harness.ask(&between(NOON + HOUR, NOON + 2 * HOUR)).await.unwrap().items;
    assert_eq!(late.iter().map(|w| w.negative_time).collect::<Vec<_>>(), [HOUR / 2]);
    let all = fixture.stored().await;
    assert_eq!(all.iter().map(|w| w.negative_time).collect::<Vec<_>>(), [0, HOUR / 2]);
    // While overlaps count, no window loses time.
    fixture.timetrack.take().unwrap().stop().await;
    let _counting_all = spawn_with(&fixture.harness, Config { count_overlaps: true, ..Config::default() }).await;
    let all = fixture.stored().await;
    assert_eq!(all.iter().map(|w| w.negative_time).collect::<Vec<_>>(), [0, 0]);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_are_given_what_every_window_counts_for_in_the_order_of_ids() {
    let fixture = Fixture::with_ann().await;
    fixture.send((0..3).map(|hour| fixture.window(hour)).collect()).await;
    let mut expected: Vec<_> = fixture.stored().await.iter().map(|window| WindowFact::of(window, 1)).collect();
    expected.sort_by_key(|fact| fact.id);
    fixture.harness.ask(&VoidWindow { id: expected[1].id, reason: None }).await.unwrap();
    expected[1] = WindowFact { revision: 2, voided: true, ..expected[1].clone() };

    let as_service = async |after| fixture.harness.bus().ask(Caller::Service, &ListFacts { after }).await.unwrap();
    assert_eq!(as_service(None).await.items, expected);
    assert_eq!(as_service(Some(expected[0].id)).await.items, expected[1..]);
    let refused = fixture.harness.ask(&ListFacts { after: None }).await.unwrap_err();
    assert_eq!(refused.code, Code::Forbidden);
    fixture.harness.finish().await;
}
