//! Windows of computers whose clock runs wrong: none of them is lost.

use contracts::{
    AdmitQuarantined, Code, GetWindow, HOUR, IngestItem, ListQuarantine, Millis, Outcome, Service, Term, WINDOW_AHEAD,
    WindowState, stream,
};
use testkit::{eventually, eventually_within};
use timetrack::{Config, EarliestWindow, Limits};

use crate::support::{Bench, between, spawn, spawn_with};

const MINUTE: i64 = 60_000;

impl Bench {
    /// An hour of Ann's that ends so many milliseconds ahead of the clock.
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
    let mut bench = Bench::with_ann().await;
    let (ahead, nearly) = (bench.ahead(HOUR), bench.ahead(4 * MINUTE));
    let outcomes = bench.send(vec![ahead.clone(), nearly]).await;
    assert!(matches!(&outcomes[..], [Outcome::Queued, Outcome::Stored(_)]), "{outcomes:?}");
    let WindowState::SetAside { code: Code::ClockAhead, detail } = bench.told(&ahead).await else { panic!() };
    assert!(detail.contains("recorded by itself at 20"), "{detail}");
    let old = GetWindow { id: ahead.id, seq: None, set_aside: false };
    assert_eq!(bench.harness.ask(&old).await, Ok(WindowState::Queued), "who knows no set-aside windows is told less");
    let held = bench.harness.ask(&ListQuarantine::default()).await.unwrap().items;
    let due = ahead.window.end - WINDOW_AHEAD;
    assert_eq!((held[0].code, held[0].waiting, held[0].due), (Code::ClockAhead, true, Some(due)));

    // Longer than an early window is tried, and over a restart.
    bench.harness.clock.advance(20 * MINUTE);
    bench.timetrack.take().unwrap().stop().await;
    bench.timetrack = Some(spawn(&bench.harness).await);
    assert!(matches!(&bench.send(vec![ahead.clone()]).await[..], [Outcome::Queued]), "the same again");
    assert_eq!(bench.harness.ask(&ListQuarantine::default()).await.unwrap().items.len(), 1);
    bench.harness.clock.advance(40 * MINUTE);
    bench.until_recorded(&ahead).await;
    // It is recorded first, and let go of after that.
    eventually("nothing is held", async || {
        bench.harness.ask(&ListQuarantine::default()).await.unwrap().items.is_empty().then_some(())
    })
    .await;
    assert!(matches!(&bench.send(vec![ahead]).await[..], [Outcome::Duplicate(_)]));
    bench.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_windows_that_are_ahead_neither_starve_early_ones_nor_each_other() {
    let (bench, in_hand) = Bench::behind().await;
    let many = 450;
    let ahead: Vec<_> = (0..many).map(|n| bench.ahead(HOUR + n * 1_000)).collect();
    assert!(bench.send(ahead.clone()).await.iter().all(|outcome| matches!(outcome, Outcome::Queued)));
    let early = bench.window(0);
    assert!(matches!(&bench.send(vec![early.clone()]).await[..], [Outcome::Queued]));
    bench.introduce().await;
    in_hand.let_go().await;
    bench.until_recorded(&early).await;
    bench.harness.clock.advance(2 * HOUR);
    eventually_within(std::time::Duration::from_secs(60), "all are recorded", async || {
        let held = bench.harness.ask(&ListQuarantine::default()).await.unwrap().items;
        held.is_empty().then_some(())
    })
    .await;
    let range = between(ahead[0].window.start.0 - HOUR, ahead[0].window.end.0 + many * 1_000);
    assert_eq!(bench.harness.ask(&range).await.unwrap().items.len() as i64, many);
    bench.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_whose_time_comes_is_judged_by_what_held_then() {
    let bench = Bench::with_ann().await;
    let ahead = bench.ahead(HOUR);
    bench.send(vec![ahead.clone()]).await;
    let removed = vec![Term { from: None, until: Some(ahead.window.start) }];
    bench.harness.publish(&bench.member_changed(2, removed)).await;
    bench.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    bench.harness.clock.advance(2 * HOUR);
    eventually("it is rejected", async || {
        matches!(bench.told(&ahead).await, WindowState::Rejected { code: Code::NotOnProject, .. }).then_some(())
    })
    .await;
    bench.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_from_before_there_were_any_is_set_aside_until_an_admin_admits_it() {
    let bench = Bench::with_ann().await;
    let earliest = EarliestWindow::default().0;
    let (dead_battery, just_before, first) = (bench.from(Millis(HOUR)), bench.from(earliest - 1), bench.from(earliest));
    let outcomes = bench.send(vec![dead_battery.clone(), just_before, first]).await;
    assert!(matches!(&outcomes[..], [Outcome::Queued, Outcome::Queued, Outcome::Stored(_)]), "{outcomes:?}");
    let WindowState::SetAside { code: Code::ClockBehind, detail } = bench.told(&dead_battery).await else { panic!() };
    assert!(detail.contains("An admin can admit or discard it") || detail.contains("an admin can admit"), "{detail}");
    bench.harness.clock.advance(24 * HOUR);
    let admitted = bench.harness.ask(&AdmitQuarantined { id: dead_battery.id, content: None }).await.unwrap();
    assert_eq!(admitted.start, Millis(HOUR));
    assert_eq!(bench.harness.ask(&ListQuarantine::default()).await.unwrap().items.len(), 1);
    bench.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_sheets_are_imported_with_an_earlier_bound() {
    let mut bench = Bench::with_ann().await;
    bench.timetrack.take().unwrap().stop().await;
    let earliest_window = "1990-01-01".parse().unwrap();
    let config = Config { limits: Limits { earliest_window }, ..Config::default() };
    bench.timetrack = Some(spawn_with(&bench.harness, config).await);
    let outcomes = bench.send(vec![bench.from(earliest_window.0), bench.from(earliest_window.0 - 1)]).await;
    assert!(matches!(&outcomes[..], [Outcome::Stored(_), Outcome::Queued]), "{outcomes:?}");
    bench.harness.finish().await;
}
