//! Tests of approvals and locks that race with windows, while workers stop, start, die and are
//! suspended. The variable `RACE_ROUNDS` sets the number of rounds.

use std::{
    collections::BTreeSet,
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use contracts::{
    Caller, Code, Conditional, CountedSum, GetWindow, HOUR, IfMatch, IngestItem, Millis, Outcome, PayPeriod, PeriodId,
    ReplayQuarantined, Service, SetLock, SetSettings, Settings, TimeRange, WindowFact, WindowId, WindowState, stream,
};
use jiff::{ToSpan, civil::date};
use testkit::{Running, eventually_within};
use timetrack::{Config, Faults, Step};

use crate::support::{Fixture, LetGo, NOON, between, spawn};

const PATIENCE: Duration = Duration::from_secs(90);
const HOURS: i64 = 24;

fn rounds() -> usize {
    env::var("RACE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5)
}

impl Fixture {
    /// Sets the calendar of pay periods to weeks.
    async fn weekly(&self) {
        let settings = Settings { pay_period: PayPeriod::Week, ..Settings::default() };
        let change = SetSettings { settings };
        self.harness.ask(&Conditional { change, if_match: IfMatch::default() }).await.unwrap();
    }

    /// A window of Ann's of one hour, which starts this many hours after `start`.
    fn of_week(&self, start: Millis, hour: i64) -> IngestItem {
        let mut window = self.window(0).window;
        (window.start, window.end) = (start + hour * HOUR, start + (hour + 1) * HOUR);
        self.item(window)
    }

    async fn state(&self, id: WindowId) -> WindowState {
        eventually_within(PATIENCE, "something is known of the window", async || {
            self.harness.ask(&GetWindow { id, seq: None, set_aside: true }).await.ok()
        })
        .await
    }
}

/// A second worker. In each round it is started if it does not run. If it runs, it is stopped in
/// rounds whose number is divisible by five.
struct OtherWorker(Option<Running>);

impl OtherWorker {
    async fn turn(&mut self, fixture: &Fixture, round: usize) {
        match self.0.take() {
            Some(running) if round.is_multiple_of(5) => running.stop().await,
            Some(running) => self.0 = Some(running),
            None => self.0 = Some(spawn(&fixture.harness).await),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_on_its_way_is_in_the_approved_sum_or_set_aside_however_workers_come_and_go() {
    let fixture = Arc::new(Fixture::with_ann().await);
    fixture.weekly().await;
    let mut other_worker = OtherWorker(None);
    for round in 0..rounds() {
        let first = date(2015, 1, 5).saturating_add((7 * round as i64).days());
        let id = PeriodId { employee: fixture.ann, first };
        let (start, end) = (fixture.period(id).await.start, fixture.period(id).await.end);
        let items: Vec<IngestItem> = (0..HOURS).map(|hour| fixture.of_week(start, hour)).collect();
        fixture.send(items[..2].to_vec()).await;
        let (sender, rest) = (fixture.clone(), items[2..].to_vec());
        let sending = tokio::spawn(async move {
            for item in rest {
                sender.queue(vec![item]).await;
                tokio::task::yield_now().await;
            }
        });
        let approving = async {
            loop {
                match fixture.approve(id, fixture.hash(id).await).await {
                    Ok(approved) => return approved,
                    Err(failure) => assert!(
                        matches!(failure.code, Code::PeriodChanged | Code::WindowsWaiting | Code::Unavailable),
                        "{failure:?}"
                    ),
                }
            }
        };
        let (approved, ()) = tokio::join!(approving, other_worker.turn(&fixture, round));
        sending.await.unwrap();
        eventually_within(PATIENCE, "the queue is empty", async || {
            (fixture.harness.stream_messages(stream::INGEST).await == 0).then_some(())
        })
        .await;
        let (mut recorded, mut aside) = (BTreeSet::new(), 0);
        for item in &items {
            match fixture.state(item.id).await {
                WindowState::Recorded(_) => drop(recorded.insert(item.id)),
                WindowState::SetAside { code: Code::PeriodLocked, .. } => aside += 1,
                // The window came during an attempt to approve the period, and that attempt was
                // then given up because the sum had changed. So the window is tried again.
                WindowState::Queued => {
                    eventually_within(PATIENCE, "it is judged again", async || {
                        (fixture.state(item.id).await != WindowState::Queued).then_some(())
                    })
                    .await;
                    match fixture.state(item.id).await {
                        WindowState::Recorded(_) => drop(recorded.insert(item.id)),
                        _ => aside += 1,
                    }
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(recorded.len() + aside, items.len());
        let stored = fixture.harness.ask(&between(start.0, end.0)).await.unwrap().items;
        let facts = stored.iter().map(|window| WindowFact::of(window, 1));
        let sum = CountedSum::of(facts, TimeRange::new(start, end).unwrap(), false);
        assert_eq!(approved.sum, Some(sum.into()), "round {round}: {} recorded, {aside} set aside", recorded.len());
    }
    drop(other_worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_recorded_before_a_lock_once_it_is_answered() {
    let fixture = Arc::new(Fixture::with_ann().await);
    let mut other_worker = OtherWorker(None);
    let beginning = 1_500_000_000_000;
    for round in 0..rounds() {
        let start = Millis(beginning + round as i64 * 30 * HOUR);
        let until = start + HOURS * HOUR;
        let items: Vec<IngestItem> = (0..HOURS).map(|hour| fixture.of_week(start, hour)).collect();
        let (sender, all) = (fixture.clone(), items.clone());
        let sending = tokio::spawn(async move {
            for item in all {
                sender.queue(vec![item]).await;
                tokio::task::yield_now().await;
            }
        });
        let locking = async {
            loop {
                let lock = SetLock { project_id: None, locked_until: until };
                match fixture.harness.ask(&lock).await {
                    Ok(_) => break,
                    Err(failure) => {
                        assert!(matches!(failure.code, Code::WindowsWaiting | Code::Unavailable), "{failure:?}");
                    }
                }
            }
            // The request for the lock is answered, so the number of windows that are recorded
            // before the lock may not change any more.
            fixture.harness.ask(&between(start.0, until.0)).await.unwrap().items.len()
        };
        let (recorded, ()) = tokio::join!(locking, other_worker.turn(&fixture, round));
        sending.await.unwrap();
        eventually_within(PATIENCE, "the queue is empty", async || {
            (fixture.harness.stream_messages(stream::INGEST).await == 0).then_some(())
        })
        .await;
        let mut aside = 0;
        for item in &items {
            aside += usize::from(!matches!(fixture.state(item.id).await, WindowState::Recorded(_)));
        }
        let stored = fixture.harness.ask(&between(start.0, until.0)).await.unwrap().items.len();
        assert_eq!((stored, stored + aside), (recorded, items.len()), "round {round}");
    }
    drop(other_worker);
}

/// Faults that suspend a worker once at a step, while `still` is true. With `wholly`, its
/// heartbeats are suspended too.
fn standing_still(at: Step, still: Arc<AtomicBool>, wholly: bool, times: Arc<AtomicUsize>) -> Faults {
    Faults::when(move |step| {
        let stands = match step {
            step if step == at => still.load(Ordering::SeqCst) && times.fetch_add(1, Ordering::SeqCst) == 0,
            Step::Living => wholly && still.load(Ordering::SeqCst) && times.load(Ordering::SeqCst) > 0,
            _ => false,
        };
        if stands {
            // Other tasks of the same thread must go on, for example the connection to NATS. So
            // only this task is blocked.
            tokio::task::block_in_place(|| {
                while still.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
        }
        false
    })
}

async fn with_one_that_stands_still(wholly: bool) -> (Fixture, Arc<AtomicBool>, Arc<AtomicUsize>) {
    with_one_that_stands_still_at(Step::Checked, wholly).await
}

async fn with_one_that_stands_still_at(step: Step, wholly: bool) -> (Fixture, Arc<AtomicBool>, Arc<AtomicUsize>) {
    let mut fixture = Fixture::with_ann().await;
    fixture.timetrack.take().unwrap().stop().await;
    let (still, times) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let faults = standing_still(step, still.clone(), wholly, times.clone());
    let run = |deps, shutdown| timetrack::run_with(faults, Config::default(), deps, shutdown);
    fixture.timetrack = Some(fixture.harness.spawn(timetrack::needs(), run).await);
    (fixture, still, times)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn an_approval_waits_for_what_a_worker_has_in_hand() {
    let (fixture, still, times) = with_one_that_stands_still(false).await;
    let _let_go = LetGo(still.clone());
    let id = fixture.october();
    fixture.send(vec![fixture.window(0)]).await;
    still.store(true, Ordering::SeqCst);
    let in_hand = fixture.window(1);
    fixture.queue(vec![in_hand.clone()]).await;
    eventually_within(PATIENCE, "it stands still", async || (times.load(Ordering::SeqCst) > 0).then_some(())).await;
    let hash = fixture.hash(id).await;
    let refused = fixture.approve(id, hash).await.unwrap_err();
    assert_eq!(refused.code, Code::WindowsWaiting);
    still.store(false, Ordering::SeqCst);
    assert!(matches!(fixture.state(in_hand.id).await, WindowState::Recorded(_)));
    assert_eq!(fixture.approve_now(id).await.sum.unwrap().time, 2 * HOUR);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn what_is_admitted_under_the_lock_of_a_project_counts_no_second_that_a_worker_has_in_hand_on_another() {
    let (fixture, still, times) = with_one_that_stands_still(false).await;
    let _let_go = LetGo(still.clone());
    let elsewhere = fixture.another_project().await;
    fixture.lock(Some(fixture.project), NOON + 10 * HOUR).await.unwrap();
    let late = fixture.worked_on((fixture.project, fixture.task), NOON, NOON + HOUR, "a");
    assert!(matches!(&fixture.send(vec![late.clone()]).await[..], [Outcome::Queued]));
    still.store(true, Ordering::SeqCst);
    let in_hand = fixture.worked_on(elsewhere, NOON + HOUR / 2, NOON + HOUR, "b");
    fixture.queue(vec![in_hand.clone()]).await;
    eventually_within(PATIENCE, "it stands still", async || (times.load(Ordering::SeqCst) > 0).then_some(())).await;
    let reservations = fixture.harness.database(Service::Timetrack).await.collection::<bson::Document>("reservations");
    let is_admitted = AtomicBool::new(false);
    let admitting = async {
        let admitted = fixture.admit(&late).await;
        is_admitted.store(true, Ordering::SeqCst);
        admitted
    };
    let letting_go = async {
        eventually_within(PATIENCE, "it is admitted, or waits", async || {
            let waits = reservations.count_documents(bson::doc! {}).await.unwrap() > 0;
            (waits || is_admitted.load(Ordering::SeqCst)).then_some(())
        })
        .await;
        still.store(false, Ordering::SeqCst);
    };
    let (admitted, ()) = tokio::join!(admitting, letting_go);
    admitted.unwrap();
    assert!(matches!(fixture.state(in_hand.id).await, WindowState::Recorded(_)));
    assert_eq!(fixture.adjusted().await, HOUR / 2, "the other half is counted there");
    assert_eq!(reservations.count_documents(bson::doc! {}).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn what_a_worker_records_that_was_taken_for_dead_is_set_aside() {
    let (fixture, still, times) = with_one_that_stands_still(true).await;
    let _let_go = LetGo(still.clone());
    fixture.send(vec![fixture.window(0)]).await;
    still.store(true, Ordering::SeqCst);
    let late = fixture.window(1);
    fixture.queue(vec![late.clone()]).await;
    eventually_within(PATIENCE, "it stands still", async || (times.load(Ordering::SeqCst) > 0).then_some(())).await;
    let until = contracts::SettlementChanged {
        id: "all".into(),
        version: 1,
        settles: Some(contracts::SettledTime {
            employee_id: None,
            project_id: None,
            start: None,
            end: Millis(i64::MAX),
        }),
    };
    let locks = fixture.harness.database(Service::Timetrack).await.collection::<bson::Document>("locks");
    let row = bson::doc! { "_id": "all", "project": null, "until": i64::MAX, "version": 1_i64, "changed_by": null, "changed_at": 0_i64 };
    locks.insert_one(row).await.unwrap();
    fixture.harness.publish(&until).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    still.store(false, Ordering::SeqCst);
    eventually_within(PATIENCE, "it is set aside", async || {
        matches!(fixture.state(late.id).await, WindowState::SetAside { code: Code::PeriodLocked, .. }).then_some(())
    })
    .await;
    assert_eq!(fixture.stored().await.len(), 1);
    assert!(matches!(&fixture.send(vec![fixture.window(0)]).await[..], [Outcome::Duplicate(_)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn what_a_period_was_approved_with_stays_whatever_else_settles_it_when_a_worker_goes_on_that_stood_still() {
    let (fixture, still, times) = with_one_that_stands_still_at(Step::Written, true).await;
    let _let_go = LetGo(still.clone());
    let id = fixture.october();
    fixture.remove_ann().await;
    let item = fixture.window(1);
    fixture.send(vec![item.clone()]).await;
    fixture.put_ann_back().await;
    still.store(true, Ordering::SeqCst);
    // The window must come from quarantine, because an approval waits until everything that is in
    // the queue is recorded.
    let replay = ReplayQuarantined { id: item.id, content: None, set_aside: true };
    let replaying = async { fixture.harness.bus().ask_within(PATIENCE, Caller::Admin, &replay).await };
    let approving = async {
        eventually_within(PATIENCE, "it stands still", async || (times.load(Ordering::SeqCst) > 0).then_some(())).await;
        let quarantined = fixture.harness.database(Service::Timetrack).await.collection::<bson::Document>("quarantine");
        let approve = async || {
            // Without this update, the search for waiting windows would try this window again. Only
            // the suspended worker may record it.
            quarantined.update_many(bson::doc! {}, bson::doc! { "$set": { "waiting": false } }).await.unwrap();
            fixture.approve(id, fixture.hash(id).await).await.ok()
        };
        let approved = eventually_within(PATIENCE, "it is approved", approve).await;
        let lock = SetLock { project_id: None, locked_until: Millis(NOON + 48 * HOUR) };
        fixture.harness.bus().ask_within(PATIENCE, Caller::Admin, &lock).await.unwrap();
        still.store(false, Ordering::SeqCst);
        approved
    };
    let (replayed, approved) = tokio::join!(replaying, approving);
    assert!(matches!(replayed, Ok(WindowState::Recorded(_))), "{replayed:?}");
    assert_eq!((approved.sum.unwrap().time, fixture.stored().await.len()), (HOUR, 1));
    assert_eq!(fixture.quarantined_codes().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_window_that_is_recorded_before_anybody_hears_that_it_is_held_is_held_no_longer() {
    let (fixture, still, times) = with_one_that_stands_still_at(Step::Inserted, false).await;
    let _let_go = LetGo(still.clone());
    fixture.remove_ann().await;
    still.store(true, Ordering::SeqCst);
    let item = fixture.window(1);
    fixture.queue(vec![item.clone()]).await;
    eventually_within(PATIENCE, "it stands still", async || (times.load(Ordering::SeqCst) > 0).then_some(())).await;
    assert_eq!(fixture.quarantined_codes().await, [Code::NotOnProject]);
    fixture.put_ann_back().await;
    assert!(matches!(&fixture.send(vec![item]).await[..], [Outcome::Stored(_)]));
    still.store(false, Ordering::SeqCst);
    eventually_within(PATIENCE, "the queue is empty", async || {
        (fixture.harness.stream_messages(stream::INGEST).await == 0).then_some(())
    })
    .await;
    assert_eq!((fixture.quarantined_codes().await, fixture.stored().await.len()), (vec![], 1));
}
