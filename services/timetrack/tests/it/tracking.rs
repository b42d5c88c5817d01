use contracts::{Caller, Code, EmployeeId, IngestItem, ListTracking, Millis, Tracked, TrackingNow, WindowId};
use testkit::eventually;

use crate::support::{Fixture, label};

const MINUTE: i64 = 60_000;

/// A window of Ann's, which started `from` minutes before `now` and ended `to` minutes before it.
fn ago(fixture: &Fixture, now: Millis, from: i64, to: i64, computer: &str) -> IngestItem {
    let mut window = fixture.window(0).window;
    window.id = Some(kit::new_id::<WindowId>());
    (window.start, window.end) = (now - from * MINUTE, now - to * MINUTE);
    window.computer = label(computer);
    fixture.item(window)
}

async fn tracking(fixture: &Fixture, employees: Vec<EmployeeId>, skip: usize) -> TrackingNow {
    fixture.harness.ask(&ListTracking { employees, skip, limit: 50 }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sent_a_window_lately_tracks_since_the_last_pause_on_what_it_says() {
    let fixture = Fixture::with_ann().await;
    assert_eq!(tracking(&fixture, Vec::new(), 0).await, TrackingNow::default());
    let now = fixture.harness.clock.now();
    let windows = [(90, 80, "old-mac"), (60, 50, "mac"), (50, 40, "mac"), (38, 20, "mac"), (12, 2, "pc")];
    fixture.send(windows.map(|(from, to, computer)| ago(&fixture, now, from, to, computer)).into()).await;

    let expected = Tracked {
        employee_id: fixture.ann,
        project_id: fixture.project,
        task_id: fixture.task,
        computer: label("pc"),
        since: Some(now - 60 * MINUTE),
        until: now - 2 * MINUTE,
    };
    // The reply is cached for two seconds, so it may be older than the windows.
    let seen =
        eventually("she tracks", async || Some(tracking(&fixture, Vec::new(), 0).await).filter(|told| told.count > 0));
    assert_eq!(seen.await, TrackingNow { count: 1, people: vec![expected] });
    assert_eq!(tracking(&fixture, Vec::new(), 1).await, TrackingNow { count: 1, people: Vec::new() });
    assert_eq!(tracking(&fixture, vec![kit::new_id()], 0).await, TrackingNow::default());
    let asked = ListTracking { employees: Vec::new(), skip: 0, limit: 1 };
    let refused = fixture.harness.bus().ask(Caller::Employee(fixture.ann), &asked).await.unwrap_err();
    assert_eq!(refused.code, Code::Forbidden);
    fixture.harness.finish().await;
}
