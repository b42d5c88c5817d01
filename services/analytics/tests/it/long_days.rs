use analytics::Config;
use contracts::{Caller, Code, DAY, HOUR, ListLongDays, LongDay, TimeCursor, WindowFact};
use testkit::Harness;

use crate::fixture::*;

fn longer_than(hours: i64, zone: &str) -> ListLongDays {
    ListLongDays {
        range: range(MIDNIGHT - 3 * DAY, MIDNIGHT + 400 * DAY),
        longer_than: hours * HOUR,
        timezone: zone.parse().expect("a zone"),
        employees: Vec::new(),
        after: None,
    }
}

async fn all(harness: &Harness, asked: &ListLongDays) -> Vec<LongDay> {
    let (mut asked, mut days) = (asked.clone(), Vec::new());
    loop {
        let page = harness.ask(&asked).await.expect("a page");
        days.extend(page.items);
        asked.after = page.next;
        if asked.after.is_none() {
            return days;
        }
    }
}

/// Ann has a window of 23 hours from a laptop that was asleep, one of 8 hours inside it, and a
/// voided one of 24 hours two days later; Bob has a window of 10 hours.
fn history() -> Vec<WindowFact> {
    vec![
        window(1, MIDNIGHT, MIDNIGHT + 23 * HOUR),
        window(2, MIDNIGHT + 9 * HOUR, MIDNIGHT + 17 * HOUR),
        WindowFact { employee_id: BOB, ..window(3, MIDNIGHT + 7 * HOUR, MIDNIGHT + 17 * HOUR) },
        WindowFact { voided: true, ..window(4, MIDNIGHT + 2 * DAY, MIDNIGHT + 3 * DAY) },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_on_which_more_counts_than_was_named_is_found_with_the_window_to_blame() {
    let (harness, _analytics) = start().await;
    harness.publish(&recorded(&history())).await;
    let [day] = all(&harness, &longer_than(16, "UTC")).await[..] else { panic!("one day is long") };
    assert_eq!((day.day.to_string(), day.employee_id), ("2025-10-08".to_owned(), ANN));
    assert_eq!((day.time, day.window_time, day.window_count), (23 * HOUR, 31 * HOUR, 2));
    assert_eq!(day.longest.map(|window| window.id), Some(window_id(1)));
    // A day that is exactly as long as the limit is not listed.
    assert_eq!(all(&harness, &longer_than(23, "UTC")).await, []);
    let whose = |days: Vec<LongDay>| days.iter().map(|day| day.employee_id).collect::<Vec<_>>();
    assert_eq!(whose(all(&harness, &longer_than(9, "UTC")).await), [ANN, BOB]);
    assert_eq!(whose(all(&harness, &ListLongDays { employees: vec![BOB], ..longer_than(9, "UTC") }).await), [BOB]);
    // Apia is 13 hours ahead of UTC, so its midnight is in the middle of Ann's long window.
    let halves = all(&harness, &longer_than(9, "Pacific/Apia")).await;
    let of_ann = halves.iter().filter(|day| day.employee_id == ANN).map(|day| (day.day.to_string(), day.time / HOUR));
    assert_eq!(of_ann.collect::<Vec<_>>(), [("2025-10-08".into(), 11), ("2025-10-09".into(), 12)]);

    let refused = harness.bus().ask(Caller::Employee(ANN), &longer_than(16, "UTC")).await.unwrap_err();
    assert_eq!(refused.code, Code::Forbidden);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn long_days_go_on_where_a_page_ended_and_each_is_given_once() {
    let (harness, _analytics) = start().await;
    let days = 230;
    let windows: Vec<_> =
        (0..days).map(|n| window(n as u128, MIDNIGHT + n * DAY, MIDNIGHT + n * DAY + 17 * HOUR)).collect();
    harness.publish(&recorded(&windows)).await;
    let first = harness.ask(&longer_than(16, "Europe/Berlin")).await.unwrap();
    assert_eq!(first.items.len(), 200);
    let found = all(&harness, &longer_than(16, "Europe/Berlin")).await;
    let longest: Vec<_> = found.iter().filter_map(|day| Some(day.longest?.id)).collect();
    assert_eq!(longest, windows.iter().map(|window| window.id).collect::<Vec<_>>());
    let asked = longer_than(16, "Europe/Berlin");
    let after: TimeCursor = asked.place(&found[4]);
    assert_eq!(all(&harness, &ListLongDays { after: Some(after), ..asked }).await, found[5..]);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_overlaps_are_counted_long_days_are_long_all_the_same() {
    let harness = Harness::start().await;
    let _analytics = spawn_with(&harness, Config { count_overlaps: true }).await;
    harness.publish(&recorded(&history())).await;
    let days = all(&harness, &longer_than(16, "UTC")).await;
    assert_eq!(days.iter().map(|day| (day.time, day.window_time)).collect::<Vec<_>>(), [(31 * HOUR, 31 * HOUR)]);
    harness.finish().await;
}
