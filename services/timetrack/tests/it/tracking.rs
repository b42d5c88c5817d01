use contracts::{Caller, Code, EmployeeId, IngestItem, ListTracking, Millis, Tracked, TrackingNow, WindowId};
use testkit::eventually;

use crate::support::{Bench, label};

const MINUTE: i64 = 60_000;

/// A window of Ann's, from and to so many minutes ago.
fn ago(bench: &Bench, now: Millis, from: i64, to: i64, computer: &str) -> IngestItem {
    let mut window = bench.window(0).window;
    window.id = Some(kit::new_id::<WindowId>());
    (window.start, window.end) = (now - from * MINUTE, now - to * MINUTE);
    window.computer = label(computer);
    bench.item(window)
}

async fn tracking(bench: &Bench, employees: Vec<EmployeeId>, skip: usize) -> TrackingNow {
    bench.harness.ask(&ListTracking { employees, skip, limit: 50 }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sent_a_window_lately_tracks_since_the_last_pause_on_what_it_says() {
    let bench = Bench::with_ann().await;
    assert_eq!(tracking(&bench, Vec::new(), 0).await, TrackingNow::default());
    let now = bench.harness.clock.now();
    let windows = [(90, 80, "old-mac"), (60, 50, "mac"), (50, 40, "mac"), (38, 20, "mac"), (12, 2, "pc")];
    bench.send(windows.map(|(from, to, computer)| ago(&bench, now, from, to, computer)).into()).await;

    let expected = Tracked {
        employee_id: bench.ann,
        project_id: bench.project,
        task_id: bench.task,
        computer: label("pc"),
        since: Some(now - 60 * MINUTE),
        until: now - 2 * MINUTE,
    };
    // The answer may be two seconds old.
    let seen =
        eventually("she tracks", async || Some(tracking(&bench, Vec::new(), 0).await).filter(|told| told.count > 0));
    assert_eq!(seen.await, TrackingNow { count: 1, people: vec![expected] });
    assert_eq!(tracking(&bench, Vec::new(), 1).await, TrackingNow { count: 1, people: Vec::new() });
    assert_eq!(tracking(&bench, vec![kit::new_id()], 0).await, TrackingNow::default());
    let asked = ListTracking { employees: Vec::new(), skip: 0, limit: 1 };
    let refused = bench.harness.bus().ask(Caller::Employee(bench.ann), &asked).await.unwrap_err();
    assert_eq!(refused.code, Code::Forbidden);
    bench.harness.finish().await;
}
