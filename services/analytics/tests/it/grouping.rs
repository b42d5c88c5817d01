use contracts::{Caller, Cents, Code, DAY, Filter, GetTime, Grouping, HOUR, Page, TimeCursor, TimeRow, WindowFact};
use testkit::Harness;

use crate::fixture::*;

fn by(groupings: &[Grouping]) -> GetTime {
    GetTime {
        range: week().range,
        group_by: groupings.iter().copied().collect(),
        timezone: "Asia/Kolkata".parse().expect("a zone"),
        filter: Filter::default(),
        after: None,
    }
}

async fn ask(harness: &Harness, asked: &GetTime) -> Page<TimeRow, TimeCursor> {
    harness.ask(asked).await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_across_a_local_midnight_is_split_there() {
    let (harness, _analytics) = start().await;
    // In UTC the window is from 18:00 to 20:00 on the 7th; in Kolkata, from 23:30 on the 7th to
    // 01:30 on the 8th.
    let start = MIDNIGHT - 6 * HOUR;
    harness.publish(&recorded(&[window(1, start, start + 2 * HOUR)])).await;
    let page = ask(&harness, &by(&[Grouping::Day])).await;
    let rows: Vec<_> = page.items.iter().map(|row| (row.day.unwrap().to_string(), row.time, row.income)).collect();
    assert_eq!(
        rows,
        [("2025-10-07".to_owned(), HOUR / 2, Cents(3_000)), ("2025-10-08".to_owned(), 3 * HOUR / 2, Cents(9_000))]
    );
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shift_counts_what_its_windows_count_beside_those_of_others() {
    let (harness, _analytics) = start().await;
    let late = contracts::Label::parse("late").unwrap();
    let covered = WindowFact { shift_id: late.clone(), ..window(2, MIDNIGHT + HOUR, MIDNIGHT + 3 * HOUR) };
    harness.publish(&recorded(&[window(1, MIDNIGHT, MIDNIGHT + 2 * HOUR), covered])).await;
    let filter = Filter { shifts: vec![late], ..Filter::default() };
    let page = ask(&harness, &GetTime { filter: filter.clone(), ..by(&[]) }).await;
    assert_eq!(page.items.iter().map(|row| row.time).collect::<Vec<_>>(), [HOUR]);
    let asked = contracts::GetProjectTime { filter, ..week() };
    assert_eq!(times(&harness, &asked).await, [(project(1), HOUR)]);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_rows_than_a_reply_carries_come_page_by_page() {
    let (harness, _analytics) = start().await;
    // 1,200 employees on six days, which makes 7,200 rows.
    let windows: Vec<WindowFact> = (0..7_200)
        .map(|n: i64| {
            let start = MIDNIGHT + n / 1_200 * DAY;
            let employee_id = uuid::Uuid::from_u128(1_000 + n as u128 % 1_200).into();
            WindowFact { employee_id, ..window(n as u128, start, start + HOUR + n) }
        })
        .collect();
    for windows in windows.chunks(contracts::WINDOWS_AN_EVENT) {
        harness.publish(&recorded(windows)).await;
    }
    let mut asked = by(&[Grouping::Day, Grouping::Employee, Grouping::Task]);
    asked.range = range(MIDNIGHT - DAY, MIDNIGHT + 9 * DAY);
    let until = std::time::Duration::from_secs(60);
    testkit::eventually_within(until, "everything is counted", async || harness.ask(&asked).await.ok()).await;
    let (mut found, mut pages) = (Vec::new(), 0);
    loop {
        let page = ask(&harness, &asked).await;
        found.extend(page.items.iter().map(|row| (row.day.unwrap(), row.employee.unwrap(), row.time)));
        pages += 1;
        match page.next {
            Some(next) => asked.after = Some(next),
            None => break,
        }
    }
    assert_eq!(pages, 3);
    assert!(found.is_sorted());
    let times: Vec<i64> = found.iter().map(|(.., time)| *time).collect();
    assert_eq!(times, windows.iter().map(|window| window.end - window.start).collect::<Vec<_>>());
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn employees_see_their_own_time_and_nobody_elses() {
    let (harness, _analytics) = start().await;
    let of = |employees: &[contracts::EmployeeId]| GetTime {
        filter: Filter { employees: employees.to_vec(), ..Filter::default() },
        ..by(&[Grouping::Week])
    };
    let as_ann = async |asked| harness.bus().ask(Caller::Employee(ANN), &asked).await;
    assert!(as_ann(of(&[ANN])).await.is_ok());
    for refused in [of(&[]), of(&[BOB]), of(&[ANN, BOB])] {
        assert_eq!(as_ann(refused).await.unwrap_err().code, Code::Forbidden);
    }
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_question_costs_what_there_is_to_count_and_is_refused_where_that_is_too_much() {
    let (harness, _analytics) = start().await;
    let mut asked = by(&[Grouping::Day]);
    asked.range = range(i64::MIN, i64::MAX);
    assert_eq!(ask(&harness, &asked).await.items, []);
    let first = 200 * DAY;
    let old = [window(1, first, first + 1), window(2, MIDNIGHT, MIDNIGHT + 2)];
    harness.publish(&recorded(&old)).await;
    let times = |page: Page<TimeRow, TimeCursor>| page.items.into_iter().map(|row| row.time).collect::<Vec<_>>();
    for shifts in [Vec::new(), vec![old[0].shift_id.clone()]] {
        let asked = GetTime { filter: Filter { shifts, ..Filter::default() }, ..asked.clone() };
        assert_eq!(times(ask(&harness, &asked).await), [1, 2], "{asked:?}");
    }
    // Now almost two hundred years lie between the first window and the last.
    harness.publish(&recorded(&[window(3, 73_000 * DAY, 73_000 * DAY + 3)])).await;
    let refused = harness.ask(&asked).await.unwrap_err();
    assert_eq!((refused.code, refused.errors[0].field.as_str()), (Code::Invalid, "groupBy"));
    assert!(refused.detail.contains("group by a longer one"), "{}", refused.detail);
    asked.group_by = [Grouping::Week].into();
    assert_eq!(times(ask(&harness, &asked).await), [1, 2, 3]);
    harness.finish().await;
}
