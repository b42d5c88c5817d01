//! Tests of windows from computers with a wrong clock: none of them may be lost.

use contracts::{
    AdmitQuarantined, Code, GetWindow, HOUR, IngestItem, ListQuarantine, Millis, Outcome, Service, Term, WINDOW_AHEAD,
    WindowState, stream,
};
use testkit::{eventually, eventually_within};
use timetrack::{Config, EarliestWindow, Limits};

use crate::support::{Fixture, between, spawn, spawn_with};

const MINUTE: i64 = 60_000;

impl Fixture {
    /// A window of Ann's that is one hour long and ends this many milliseconds after the present
    /// time.
    fn ahead(&self, millis: i64) -> IngestItem {
        self.from(self.harness.clock.now() + millis - HOUR)
    }

    fn from(&self, start: Millis) -> IngestItem {
        let mut window = self.window(0).window;
        (window.start, window.end) = (start, start + HOUR);
        self.item(window)
    }

    async fn told(&self, item: &IngestItem) -> WindowState {
        self.harness.ask(&GetWindow { id: item.id, seq: None, set_aside: true }).await.unwrap()
    }

    async fn until_recorded(&self, item: &IngestItem) {
        eventually("it is recorded by itself", async || {
            matches!(self.told(item).await, WindowState::Recorded(_)).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_ends_ahead_of_the_clock_is_set_aside_and_recorded_by_itself() {
    let mut fixture = Fixture::with_ann().await;
    let (ahead, nearly) = (fixture.ahead(HOUR), fixture.ahead(4 * MINUTE));
    let outcomes = fixture.send(vec![ahead.clone(), nearly]).await;
    assert!(matches!(&outcomes[..], [Outcome::Queued, Outcome::Stored(_)]), "{outcomes:?}");
    let WindowState::SetAside { code: Code::ClockAhead, detail } = fixture.told(&ahead).await else { panic!() };
    assert!(detail.contains("recorded by itself at 20"), "{detail}");
    let old = GetWindow { id: ahead.id, seq: None, set_aside: false };
    assert_eq!(fixture.harness.ask(&old).await, Ok(WindowState::Queued), "who knows no set-aside windows is told less");
    let quarantined = fixture.harness.ask(&ListQuarantine::default()).await.unwrap().items;
    let due = ahead.window.end - WINDOW_AHEAD;
    assert_eq!((quarantined[0].code, quarantined[0].waiting, quarantined[0].due), (Code::ClockAhead, true, Some(due)));

    // The window must stay quarantined until it is due, also over a restart of the worker.
    fixture.harness.clock.advance(20 * MINUTE);
    fixture.timetrack.take().unwrap().stop().await;
    fixture.timetrack = Some(spawn(&fixture.harness).await);
    assert!(matches!(&fixture.send(vec![ahead.clone()]).await[..], [Outcome::Queued]), "the same again");
    assert_eq!(fixture.harness.ask(&ListQuarantine::default()).await.unwrap().items.len(), 1);
    fixture.harness.clock.advance(40 * MINUTE);
    fixture.until_recorded(&ahead).await;
    // The window is recorded before it is removed from quarantine, so the test must wait for the
    // removal too.
    eventually("nothing is held", async || {
        fixture.harness.ask(&ListQuarantine::default()).await.unwrap().items.is_empty().then_some(())
    })
    .await;
    assert!(matches!(&fixture.send(vec![ahead]).await[..], [Outcome::Duplicate(_)]));
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_windows_that_are_ahead_neither_starve_early_ones_nor_each_other() {
    let (fixture, in_hand) = Fixture::behind().await;
    let many = 450;
    let ahead: Vec<_> = (0..many).map(|n| fixture.ahead(HOUR + n * 1_000)).collect();
    assert!(fixture.send(ahead.clone()).await.iter().all(|outcome| matches!(outcome, Outcome::Queued)));
    let early = fixture.window(0);
    assert!(matches!(&fixture.send(vec![early.clone()]).await[..], [Outcome::Queued]));
    fixture.introduce().await;
    in_hand.let_go().await;
    fixture.until_recorded(&early).await;
    fixture.harness.clock.advance(2 * HOUR);
    eventually_within(std::time::Duration::from_secs(60), "all are recorded", async || {
        let quarantined = fixture.harness.ask(&ListQuarantine::default()).await.unwrap().items;
        quarantined.is_empty().then_some(())
    })
    .await;
    let range = between(ahead[0].window.start.0 - HOUR, ahead[0].window.end.0 + many * 1_000);
    assert_eq!(fixture.harness.ask(&range).await.unwrap().items.len() as i64, many);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_whose_time_comes_is_judged_by_what_held_then() {
    let fixture = Fixture::with_ann().await;
    let ahead = fixture.ahead(HOUR);
    fixture.send(vec![ahead.clone()]).await;
    let removed = vec![Term { from: None, until: Some(ahead.window.start) }];
    fixture.harness.publish(&fixture.member_changed(2, removed)).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    fixture.harness.clock.advance(2 * HOUR);
    eventually("it is rejected", async || {
        matches!(fixture.told(&ahead).await, WindowState::Rejected { code: Code::NotOnProject, .. }).then_some(())
    })
    .await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_from_before_there_were_any_is_set_aside_until_an_admin_admits_it() {
    let fixture = Fixture::with_ann().await;
    let earliest = EarliestWindow::default().0;
    let (dead_battery, just_before, first) =
        (fixture.from(Millis(HOUR)), fixture.from(earliest - 1), fixture.from(earliest));
    let outcomes = fixture.send(vec![dead_battery.clone(), just_before, first]).await;
    assert!(matches!(&outcomes[..], [Outcome::Queued, Outcome::Queued, Outcome::Stored(_)]), "{outcomes:?}");
    let WindowState::SetAside { code: Code::ClockBehind, detail } = fixture.told(&dead_battery).await else { panic!() };
    assert!(detail.contains("An admin can admit or discard it") || detail.contains("an admin can admit"), "{detail}");
    fixture.harness.clock.advance(24 * HOUR);
    let admitted = fixture.harness.ask(&AdmitQuarantined { id: dead_battery.id, content: None }).await.unwrap();
    assert_eq!(admitted.start, Millis(HOUR));
    assert_eq!(fixture.harness.ask(&ListQuarantine::default()).await.unwrap().items.len(), 1);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_sheets_are_imported_with_an_earlier_bound() {
    let mut fixture = Fixture::with_ann().await;
    fixture.timetrack.take().unwrap().stop().await;
    let earliest_window = "1990-01-01".parse().unwrap();
    let config = Config { limits: Limits { earliest_window }, ..Config::default() };
    fixture.timetrack = Some(spawn_with(&fixture.harness, config).await);
    let outcomes = fixture.send(vec![fixture.from(earliest_window.0), fixture.from(earliest_window.0 - 1)]).await;
    assert!(matches!(&outcomes[..], [Outcome::Stored(_), Outcome::Queued]), "{outcomes:?}");
    fixture.harness.finish().await;
}
