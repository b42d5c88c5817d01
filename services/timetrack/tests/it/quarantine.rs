use contracts::{Code, ListQuarantine, Millis, ReplayQuarantined, Service, Term, WindowState, stream};

use crate::support::{Bench, NOON};

#[tokio::test(flavor = "multi_thread")]
async fn a_window_in_quarantine_is_recorded_once_the_admin_has_put_things_right() {
    let bench = Bench::with_ann().await;
    let removed = vec![Term { from: None, until: Some(Millis(NOON)) }];
    bench.world.publish(&bench.member_changed(2, removed)).await;
    bench.world.until_consumed(stream::EVENTS, Service::Timetrack).await;
    let item = bench.window(1);
    bench.send(vec![item.clone()]).await;

    let held = bench.world.ask(&ListQuarantine::default()).await.unwrap().items;
    assert_eq!(
        held.iter().map(|w| (w.id, w.code, w.waiting)).collect::<Vec<_>>(),
        [(item.id, Code::NotOnProject, false)]
    );
    let replay = ReplayQuarantined { id: item.id };
    assert!(matches!(bench.world.ask(&replay).await, Ok(WindowState::Rejected { .. })));

    bench.world.publish(&bench.member_changed(3, vec![Term { from: None, until: None }])).await;
    bench.world.until_consumed(stream::EVENTS, Service::Timetrack).await;
    assert!(matches!(bench.world.ask(&replay).await, Ok(WindowState::Recorded(_))));
    assert!(bench.world.ask(&ListQuarantine::default()).await.unwrap().items.is_empty());
    assert_eq!(bench.world.ask(&replay).await.unwrap_err().code, Code::NotFound);
    assert_eq!(bench.stored().await.len(), 1);
    bench.world.finish().await;
}
