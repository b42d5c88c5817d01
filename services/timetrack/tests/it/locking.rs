//! Tests of locks: no time before the moment of a lock may be recorded or changed.

use contracts::{
    Code, CorrectWindow, Failure, HOUR, Lock, Millis, Note, Outcome, ProjectId, ReopenLock, SetLock, SettledTime,
    SettlementChanged, VoidWindow, WindowCorrection,
};
use testkit::eventually;

use crate::support::{Fixture, NOON, spawn};

impl Fixture {
    pub async fn lock(&self, project_id: Option<ProjectId>, until: i64) -> Result<Lock, Failure> {
        self.harness.ask(&SetLock { project_id, locked_until: Millis(until) }).await
    }

    pub async fn unlock(&self, project_id: Option<ProjectId>, until: Option<i64>) -> Result<Lock, Failure> {
        let reason = Note::parse("A sheet was found.").unwrap();
        self.harness.ask(&ReopenLock { project_id, locked_until: until.map(Millis), reason }).await
    }
}

fn code<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> Code {
    outcome.unwrap_err().code
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_moves_forward_only_and_what_it_held_back_is_recorded_once_it_is_off() {
    let fixture = Fixture::with_ann().await;
    let first = fixture.window(0);
    fixture.send(vec![first.clone()]).await;
    assert_eq!(fixture.lock(None, NOON + HOUR).await.unwrap().locked_until, Some(Millis(NOON + HOUR)));
    assert_eq!(fixture.lock(None, NOON + HOUR).await.unwrap().locked_until, Some(Millis(NOON + HOUR)), "asked twice");
    assert_eq!(code(fixture.lock(None, NOON).await), Code::LockMovesBack);
    let ahead = fixture.harness.clock.now().0 + 60_000;
    assert_eq!(code(fixture.lock(None, ahead).await), Code::Invalid);
    assert_eq!(code(fixture.lock(Some(kit::new_id()), NOON).await), Code::UnknownProject);

    let late = {
        let mut window = fixture.window(0).window;
        (window.start, window.end) = (Millis(NOON + HOUR / 2), Millis(NOON + 2 * HOUR));
        fixture.item(window)
    };
    let outcomes = fixture.send(vec![late, fixture.window(1)]).await;
    assert!(matches!(&outcomes[..], [Outcome::Queued, Outcome::Stored(_)]), "{outcomes:?}");
    let refused = fixture.harness.ask(&VoidWindow { id: first.id, reason: None }).await.unwrap_err();
    assert_eq!(refused.code, Code::PeriodLocked);
    assert!(refused.detail.contains("2025-10-09T09:53:20Z"), "{}", refused.detail);

    assert_eq!(code(fixture.unlock(None, Some(NOON + 2 * HOUR)).await), Code::Invalid, "that is no way back");
    assert_eq!(fixture.unlock(None, Some(NOON + HOUR / 2)).await.unwrap().locked_until, Some(Millis(NOON + HOUR / 2)));
    eventually("the late window is recorded", async || (fixture.stored().await.len() == 3).then_some(())).await;
    fixture.unlock(None, None).await.unwrap();
    fixture.harness.ask(&VoidWindow { id: first.id, reason: None }).await.unwrap();
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lock_of_a_project_settles_its_windows_and_what_would_take_time_from_them() {
    let fixture = Fixture::with_ann().await;
    let elsewhere = fixture.another_project().await;
    let other = |start: i64, end: i64| fixture.worked_on(elsewhere, start, end, "hw");
    let beside = other(NOON + 3 * HOUR, NOON + 4 * HOUR);
    fixture.send(vec![fixture.window(0), beside.clone()]).await;
    fixture.lock(Some(fixture.project), NOON + 10 * HOUR).await.unwrap();

    let outcomes = fixture.send(vec![
        fixture.window(5),
        other(NOON + HOUR, NOON + 2 * HOUR),
        other(NOON - HOUR, NOON + 1),
        fixture.window(10),
    ]);
    let outcomes = outcomes.await;
    assert!(
        matches!(&outcomes[..], [Outcome::Queued, Outcome::Stored(_), Outcome::Queued, Outcome::Stored(_)]),
        "{outcomes:?}"
    );
    let from = |start| WindowCorrection { start: Some(Millis(start)), ..Default::default() };
    let correct = async |id, changes| fixture.harness.ask(&CorrectWindow { id, changes, reason: None }).await;
    assert_eq!(code(correct(beside.id, from(NOON - 1)).await), Code::PeriodLocked);
    correct(beside.id, from(NOON + 2 * HOUR)).await.unwrap();
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_starts_later_knows_what_is_settled_and_old_news_change_nothing() {
    let mut fixture = Fixture::with_ann().await;
    fixture.lock(None, NOON + HOUR).await.unwrap();
    fixture.timetrack.take().unwrap().stop().await;
    fixture.timetrack = Some(spawn(&fixture.harness).await);
    assert!(matches!(&fixture.send(vec![fixture.window(0)]).await[..], [Outcome::Queued]));
    // The first event arrives twice. The second event has a lower version, so it must change
    // nothing.
    let time = |end| SettledTime { employee_id: None, project_id: None, start: None, end: Millis(end) };
    let news = |version, settles| SettlementChanged { id: "all".into(), version, settles };
    fixture.harness.publish_twice(&news(9, Some(time(NOON + 5 * HOUR)))).await;
    fixture.harness.publish(&news(2, None)).await;
    assert!(matches!(&fixture.send(vec![fixture.window(4)]).await[..], [Outcome::Queued]));
    assert!(matches!(&fixture.send(vec![fixture.window(5)]).await[..], [Outcome::Stored(_)]));
    fixture.harness.finish().await;
}
