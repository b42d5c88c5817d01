use contracts::{Code, HOUR, Millis, Outcome, ProjectChanged, Service, Term, stream};

use crate::support::{Fixture, NOON};

#[tokio::test(flavor = "multi_thread")]
async fn old_news_that_comes_late_or_twice_changes_nothing() {
    let fixture = Fixture::with_ann().await;
    let removed = vec![Term { from: None, until: Some(Millis(NOON)) }];
    fixture.harness.publish_twice(&fixture.member_changed(3, removed)).await;
    fixture.harness.publish_twice(&fixture.member_changed(2, vec![Term { from: None, until: None }])).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    let outcomes = fixture.send(vec![fixture.window(1)]).await;
    assert!(matches!(&outcomes[..], [Outcome::Rejected { code: Code::NotOnProject, .. }]), "{outcomes:?}");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn archived_projects_take_no_time_until_they_are_brought_back() {
    let fixture = Fixture::with_ann().await;
    fixture.harness.publish(&ProjectChanged { archived: true, ..fixture.project_changed(2) }).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    let outcomes = fixture.send(vec![fixture.window(0)]).await;
    assert!(matches!(&outcomes[..], [Outcome::Rejected { code: Code::ProjectArchived, .. }]), "{outcomes:?}");
    fixture.harness.publish(&fixture.project_changed(3)).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    assert!(matches!(&fixture.send(vec![fixture.window(0)]).await[..], [Outcome::Stored(_)]));
    assert_eq!(fixture.stored().await[0].end, Millis(NOON + HOUR));
    fixture.harness.finish().await;
}
