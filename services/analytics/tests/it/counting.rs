use analytics::Config;
use contracts::{Cents, DAY, HOUR, ProjectTime, Rate, Rates, SECOND};
use testkit::Harness;

use crate::fixture::*;

#[tokio::test(flavor = "multi_thread")]
async fn where_windows_overlap_every_second_counts_once_and_for_the_earlier_start() {
    let (harness, _analytics) = start().await;
    let early = window(2, MIDNIGHT, MIDNIGHT + 2 * HOUR);
    let late = contracts::WindowFact { project_id: project(2), ..window(1, MIDNIGHT + HOUR, MIDNIGHT + 3 * HOUR) };
    harness.publish(&recorded(&[late, early])).await;
    assert_eq!(times(&harness, &week()).await, [(project(1), 2 * HOUR), (project(2), HOUR)]);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn overlapping_windows_all_count_where_that_is_set() {
    let harness = Harness::start().await;
    let _analytics = spawn_with(&harness, Config { count_overlaps: true }).await;
    let windows = [window(1, MIDNIGHT - HOUR, MIDNIGHT + HOUR), window(2, MIDNIGHT - HOUR, MIDNIGHT + 2 * HOUR)];
    harness.publish_twice(&recorded(&windows)).await;
    assert_eq!(times(&harness, &week()).await, [(project(1), 5 * HOUR)]);
    assert_eq!(times(&harness, &all_of(MIDNIGHT - 1, MIDNIGHT + 1)).await, [(project(1), 4)]);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_across_midnight_takes_nothing_twice_from_one_that_started_before_it() {
    let (harness, _analytics) = start().await;
    let whole_day = window(1, MIDNIGHT - 20 * HOUR, MIDNIGHT + 4 * HOUR);
    let inside =
        contracts::WindowFact { project_id: project(2), ..window(2, MIDNIGHT + 3 * HOUR, MIDNIGHT + 6 * HOUR) };
    harness.publish(&recorded(&[whole_day])).await;
    harness.publish(&recorded(&[inside])).await;
    assert_eq!(times(&harness, &week()).await, [(project(1), 24 * HOUR), (project(2), 2 * HOUR)]);
    let next_day = all_of(MIDNIGHT, MIDNIGHT + DAY);
    assert_eq!(times(&harness, &next_day).await, [(project(1), 4 * HOUR), (project(2), 2 * HOUR)]);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_clips_to_the_millisecond_and_adjoining_ranges_add_up() {
    let (harness, _analytics) = start().await;
    let (start, end) = (MIDNIGHT - 30 * HOUR + 7, MIDNIGHT + 40 * HOUR + 13);
    let windows: Vec<_> =
        (0..70).map(|n| window(n as u128, start + n * HOUR, (start + n * HOUR + HOUR - 1).min(end))).collect();
    harness.publish(&recorded(&windows)).await;
    for (from, to) in [
        (MIDNIGHT + 5 * HOUR + 1, MIDNIGHT + 5 * HOUR + 2),
        (MIDNIGHT - 1, MIDNIGHT + 1),
        (MIDNIGHT + 333, MIDNIGHT + DAY - 333),
        (MIDNIGHT, MIDNIGHT + DAY),
        (MIDNIGHT - 11 * HOUR + 333, MIDNIGHT + 30 * HOUR + 1),
    ] {
        let asked = all_of(from, to);
        assert_eq!(harness.ask(&asked).await.unwrap(), brute(&windows, &asked), "{from} to {to}");
    }
    let whole = times(&harness, &week()).await[0].1;
    let cut = MIDNIGHT + 17 * HOUR + 777;
    let week = week().range;
    let before = times(&harness, &all_of(week.start().0, cut)).await[0].1;
    let after = times(&harness, &all_of(cut, week.end().0)).await[0].1;
    assert_eq!(before + after, whole);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_exact_and_rounded_once_at_the_end() {
    let (harness, _analytics) = start().await;
    // A third of an hour gives 33.33666… at 100.01, and 0.00333… at 0.01. If each window were
    // rounded, the income of three windows would be a cent too high, and their cost a cent too low.
    let rates =
        Rates { bill_rate: Rate::try_from(100.01).ok(), pay_rate: Rate::try_from(0.01).ok(), ..Rates::default() };
    let third = 1_200 * SECOND;
    let windows: Vec<_> = (0..3)
        .map(|n| contracts::WindowFact { rates, ..window(n as u128, MIDNIGHT + n * DAY, MIDNIGHT + n * DAY + third) })
        .collect();
    harness.publish(&recorded(&windows)).await;
    let expected = ProjectTime { id: project(1), time: HOUR, costs: Cents(1), income: Cents(10_001) };
    assert_eq!(harness.ask(&week()).await.unwrap(), [expected]);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_highest_rates_add_up_exactly_over_days_and_windows() {
    let (harness, _analytics) = start().await;
    let most = Rate::try_from(100_000_000.0).unwrap();
    let least = Rate::try_from(0.0001).unwrap();
    let windows: Vec<_> = (0..6)
        .map(|n| {
            let rate = if n % 2 == 0 { most } else { least };
            let rates = Rates { bill_rate: Some(rate), pay_rate: Some(rate), ..Rates::default() };
            let start = MIDNIGHT - 60 * HOUR + n * 24 * HOUR;
            contracts::WindowFact { rates, ..window(n as u128, start, start + 24 * HOUR) }
        })
        .collect();
    harness.publish(&recorded(&windows)).await;
    assert_eq!(harness.ask(&week()).await.unwrap(), brute(&windows, &week()));
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn overtime_counts_with_its_rate_and_what_is_not_billable_earns_nothing() {
    let (harness, _analytics) = start().await;
    let rates = Rates { overtime_bill_rate: Rate::try_from(90.0).ok(), ..window(0, 0, 1).rates };
    let overtime = contracts::WindowFact { overtime: true, rates, ..window(1, MIDNIGHT, MIDNIGHT + HOUR) };
    let unbilled = contracts::WindowFact {
        billable: false,
        project_id: project(2),
        ..window(2, MIDNIGHT + 2 * HOUR, MIDNIGHT + 3 * HOUR)
    };
    harness.publish(&recorded(&[overtime, unbilled])).await;
    let sum = |number, income| ProjectTime { id: project(number), time: HOUR, costs: currency(30), income };
    assert_eq!(harness.ask(&week()).await.unwrap(), [sum(1, currency(90)), sum(2, currency(0))]);
    harness.finish().await;
}
