//! Tests of the lanes: what employees worked on in a range, with adjacent windows on the same task
//! joined.

use contracts::{
    Caller, Code, EmployeeId, HOUR, LANES_MOST, Lane, ListLanes, Millis, Page, Stretch, TimeRange, VoidWindow,
};

use crate::support::{Fixture, NOON, spawn_with};

/// A moment in milliseconds since 1970, given in hours after [`NOON`].
const fn at(hours: i64) -> i64 {
    NOON + hours * HOUR
}

fn asked(employees: Vec<EmployeeId>, from: i64, until: i64) -> ListLanes {
    ListLanes { range: TimeRange::new(Millis(at(from)), Millis(at(until))).unwrap(), employees, after: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_are_joined_by_task_clipped_to_the_range_and_overlaps_count_for_the_earlier_one() {
    let mut fixture = Fixture::with_ann().await;
    let other = fixture.another_project().await;
    let own = (fixture.project, fixture.task);
    let voided = fixture.hours(at(9), at(10), "mac");
    let windows = vec![
        // This window starts before the range, and reaches into it.
        fixture.hours(at(-3), at(1), "mac"),
        fixture.hours(at(1), at(2), "mac"),
        fixture.worked_on(other, at(2), at(4), "mac"),
        // The first hour of this window overlaps the window before it, and the window ends after
        // the range.
        fixture.hours(at(3), at(7), "pc"),
        voided.clone(),
    ];
    fixture.send(windows).await;
    fixture.harness.ask(&VoidWindow { id: voided.id, reason: None }).await.unwrap();

    let stretch = |(project_id, task_id), start: i64, end: i64| {
        let (start, end) = (Millis(at(start)), Millis(at(end)));
        Stretch { project_id, task_id, start, end, time: end - start }
    };
    let day = asked(vec![kit::new_id(), fixture.ann], 0, 6);
    let expected =
        |stretches, lost| Page { items: vec![Lane { employee_id: fixture.ann, stretches, lost }], next: None };
    let counted = vec![stretch(own, 0, 2), stretch(other, 2, 4), stretch(own, 4, 6)];
    assert_eq!(fixture.harness.ask(&day).await.unwrap(), expected(counted, vec![(Millis(at(3)), Millis(at(4)))]));
    // An employee has no lane in a range with no window but a voided one. A page that begins after
    // Ann must not have her lane.
    assert_eq!(fixture.harness.ask(&asked(vec![fixture.ann], 9, 10)).await.unwrap().items, []);
    let after = ListLanes { after: Some(fixture.ann), ..day.clone() };
    assert_eq!(
        fixture.harness.ask(&after).await.unwrap().items.iter().filter(|lane| lane.employee_id == fixture.ann).count(),
        0
    );

    fixture.timetrack.take().unwrap().stop().await;
    let _counting =
        spawn_with(&fixture.harness, timetrack::Config { count_overlaps: true, ..Default::default() }).await;
    let whole = vec![stretch(own, 0, 2), stretch(other, 2, 4), stretch(own, 3, 6)];
    let lanes = fixture.harness.ask(&day).await.unwrap().items;
    assert_eq!(lanes, [Lane { employee_id: fixture.ann, stretches: whole, lost: Vec::new() }]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_sees_their_own_lane_only_and_too_many_at_once_are_refused() {
    let fixture = Fixture::with_ann().await;
    let ask = async |caller, employees: Vec<EmployeeId>| {
        fixture.harness.bus().ask(caller, &asked(employees, 0, 1)).await.map_err(|failure| failure.code)
    };
    let (ann, bob) = (fixture.ann, kit::new_id());
    assert!(ask(Caller::Employee(ann), vec![ann]).await.is_ok());
    assert_eq!(ask(Caller::Employee(ann), vec![ann, bob]).await.unwrap_err(), Code::Forbidden);
    assert_eq!(ask(Caller::Admin, Vec::new()).await.unwrap_err(), Code::Invalid);
    let many = (0..=LANES_MOST).map(|_| kit::new_id()).collect();
    assert_eq!(ask(Caller::Admin, many).await.unwrap_err(), Code::Invalid);
}
