use contracts::{Code, HOUR, Millis, Outcome, ProjectChanged, Service, Term, stream};

use crate::support::{Bench, NOON};

#[tokio::test(flavor = "multi_thread")]
async fn old_news_that_comes_late_or_twice_changes_nothing() {
    let bench = Bench::with_ann().await;
    let removed = vec![Term { from: None, until: Some(Millis(NOON)) }];
    bench.harness.publish_twice(&bench.member_changed(3, removed)).await;
    bench.harness.publish_twice(&bench.member_changed(2, vec![Term { from: None, until: None }])).await;
    bench.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    let outcomes = bench.send(vec![bench.window(1)]).await;
    assert!(matches!(&outcomes[..], [Outcome::Rejected { code: Code::NotOnProject, .. }]), "{outcomes:?}");
    bench.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn archived_projects_take_no_time_until_they_are_brought_back() {
    let bench = Bench::with_ann().await;
    bench.harness.publish(&ProjectChanged { archived: true, ..bench.project_changed(2) }).await;
    bench.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    let outcomes = bench.send(vec![bench.window(0)]).await;
    assert!(matches!(&outcomes[..], [Outcome::Rejected { code: Code::ProjectArchived, .. }]), "{outcomes:?}");
    bench.harness.publish(&bench.project_changed(3)).await;
    bench.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    assert!(matches!(&bench.send(vec![bench.window(0)]).await[..], [Outcome::Stored(_)]));
    assert_eq!(bench.stored().await[0].end, Millis(NOON + HOUR));
    bench.harness.finish().await;
}
