//! Windows that arrive after their time was settled: none is lost, and none counts twice.

use std::time::Duration;

use bson::{Document, doc};
use contracts::{
    AdmitQuarantined, Caller, Code, Conditional, ContentHash, CorrectWindow, CreatePayRun, DiscardQuarantined, Failure,
    GetPeriod, HOUR, IfMatch, IngestItem, ListAdjustments, ListQuarantine, Millis, Outcome, PayPeriod, PeriodId,
    Service, SetSettings, Settings, SubmitPeriod, Term, TimeRange, VoidWindow, Window, WindowContent, WindowCorrection,
    WindowsRecorded, stream,
};
use jiff::civil::date;
use mongodb::Collection;
use testkit::{eventually, eventually_within};
use timetrack::{Config, Faults, Step};

use crate::support::{Bench, NOON, spawn_with};

/// Longer than the interval at which quarantined windows of open time are searched for.
const SWEPT: Duration = Duration::from_secs(30);
/// The first moment of November 2025, UTC.
const NOVEMBER: i64 = 1_761_955_200_000;

impl Bench {
    /// Takes Ann off the project at noon.
    async fn remove_ann(&self) {
        self.change_member(2, Term { from: None, until: Some(Millis(NOON)) }).await;
    }

    /// Puts her back, as if she had always been on the project.
    async fn put_ann_back(&self) {
        self.change_member(3, Term::ALWAYS).await;
    }

    async fn change_member(&self, version: i64, term: Term) {
        self.harness.publish(&self.member_changed(version, vec![term])).await;
        self.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    }

    pub async fn admit(&self, item: &IngestItem) -> Result<Window, Failure> {
        let content: Option<ContentHash> = Some(WindowContent::from(item).hash());
        self.harness.bus().ask_within(SWEPT, Caller::Admin, &AdmitQuarantined { id: item.id, content }).await
    }

    async fn discard(&self, item: &IngestItem) -> Result<(), Failure> {
        self.harness.ask(&DiscardQuarantined { id: item.id, content: None }).await
    }

    /// What Ann's adjustments count for, in milliseconds.
    pub async fn adjusted(&self) -> i64 {
        let range = TimeRange::new(Millis(0), Millis(NOON * 2)).unwrap();
        let asked = ListAdjustments { range, employees: vec![self.ann], after: None };
        self.harness.ask(&asked).await.unwrap().items.iter().map(|one| one.sum.time).sum()
    }

    async fn choose_zone(&self, zone: &str) {
        let settings = Settings { timezone: zone.parse().unwrap(), ..Settings::default() };
        let change = SetSettings { settings };
        self.harness.ask(&Conditional { change, if_match: IfMatch::default() }).await.unwrap();
    }

    async fn quarantine(&self) -> Collection<Document> {
        self.harness.database(Service::Timetrack).await.collection("quarantine")
    }
}

fn code<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> Code {
    outcome.unwrap_err().code
}

#[tokio::test(flavor = "multi_thread")]
async fn after_another_zone_was_chosen_every_hour_can_be_approved_and_paid() {
    let bench = Bench::with_ann().await;
    let hours = [-HOUR, 0, 3 * HOUR].map(|from| bench.hours(NOVEMBER + from, NOVEMBER + from + HOUR, "hw"));
    let end_of_november = NOVEMBER + 30 * 24 * HOUR;
    // An hour in the evening of the 30th in New York, which was the 1st of December in Berlin.
    let evening = bench.hours(end_of_november, end_of_november + HOUR, "hw");
    bench.send([&hours[..], &[evening]].concat()).await;
    let october = bench.approve_now(bench.october()).await;
    bench.harness.ask(&CreatePayRun { start: october.start, end: october.end }).await.unwrap();

    bench.choose_zone("Europe/Berlin").await;
    let november = PeriodId { first: date(2025, 11, 1), ..bench.october() };
    let approved = bench.approve_now(november).await;
    assert_eq!((approved.start, approved.sum.unwrap().time), (october.end, 2 * HOUR), "it adjoins what is settled");

    bench.choose_zone("America/New_York").await;
    let rest = bench.harness.ask(&GetPeriod { id: PeriodId { first: date(2025, 11, 30), ..november } }).await.unwrap();
    assert_eq!((rest.start, rest.sum.unwrap().time), (approved.end, HOUR), "what is left of November");
    let december = bench.period(PeriodId { first: date(2025, 12, 1), ..november }).await;
    assert_eq!(rest.end, december.start);
    bench.approve_now(rest.id).await;
    let pay = CreatePayRun { start: approved.start, end: rest.end };
    let run = bench.harness.ask(&pay).await.unwrap().run;
    assert_eq!((run.period_count, run.time), (2, 3 * HOUR));
    bench.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_admitted_takes_no_time_of_a_project_that_is_locked() {
    let bench = Bench::with_ann().await;
    let elsewhere = bench.another_project().await;
    let counts = bench.worked_on(elsewhere, NOVEMBER + HOUR / 2, NOVEMBER + 2 * HOUR, "hw");
    bench.send(vec![counts]).await;
    bench.approve_now(bench.october()).await;
    bench.lock(Some(elsewhere.0), NOVEMBER + 24 * HOUR).await.unwrap();
    let late = bench.hours(NOVEMBER - HOUR, NOVEMBER + HOUR, "hw");
    assert!(matches!(&bench.send(vec![late.clone()]).await[..], [Outcome::Queued]));
    assert_eq!(code(bench.admit(&late).await), Code::PeriodLocked);
    assert_eq!(bench.stored().await.len(), 1, "nothing is half done");
    assert_eq!(bench.adjusted().await, 0);
    bench.unlock(Some(elsewhere.0), None).await.unwrap();
    bench.admit(&late).await.unwrap();
    assert_eq!((bench.stored().await.len(), bench.adjusted().await), (2, HOUR));
    bench.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_window_under_the_id_of_an_adjustment_is_admitted_beside_it() {
    let bench = Bench::with_ann().await;
    bench.approve_an_hour().await;
    let first = bench.hours(NOON + 2 * HOUR, NOON + 3 * HOUR, "a");
    let second = IngestItem { id: first.id, ..bench.hours(NOON + 4 * HOUR, NOON + 6 * HOUR, "a") };
    bench.send(vec![first.clone()]).await;
    bench.admit(&first).await.unwrap();
    bench.send(vec![second.clone()]).await;
    let admitted = bench.admit(&second).await.unwrap();
    assert_ne!(admitted.id, first.id);
    assert_eq!((admitted.start, admitted.end), (second.window.start, second.window.end));
    assert_eq!(bench.admit(&second).await.unwrap(), admitted, "asked again");
    assert_eq!(bench.adjusted().await, 3 * HOUR);
    assert_eq!(bench.held_codes().await, []);
    bench.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_although_its_time_is_open_is_let_in_by_itself() {
    let bench = Bench::with_ann().await;
    let id = bench.approve_an_hour().await.id;
    let late = [bench.window(3), bench.window(24 * 60)];
    bench.send(vec![late[0].clone()]).await;
    // As after a batch that quarantines the window when the reopening has already searched for such windows, or after
    // a crash during the reopening.
    let quarantine = bench.quarantine().await;
    let row = quarantine.find_one_and_delete(doc! {}).await.unwrap().unwrap();
    bench.reopen(id).await.unwrap();
    quarantine.insert_one(row).await.unwrap();
    eventually_within(SWEPT, "it is recorded", async || (bench.stored().await.len() == 2).then_some(())).await;
    assert_eq!(bench.held_codes().await, []);
    bench.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_that_are_settled_keep_none_from_being_let_in() {
    let bench = Bench::with_ann().await;
    let id = bench.approve_an_hour().await.id;
    let late = bench.window(3);
    bench.send(vec![late.clone()]).await;
    let quarantine = bench.quarantine().await;
    let row = quarantine.find_one(doc! {}).await.unwrap().unwrap();
    // Many older windows of a time that stays settled.
    bench.lock(None, NOON - 24 * HOUR).await.unwrap();
    let others = (0..700).map(|n| {
        let item = bench.hours(NOON - 48 * HOUR + n, NOON - 47 * HOUR + n, "hw");
        let (content, mut other) = (WindowContent::from(&item).hash(), row.clone());
        other.insert("_id", format!("{}_{}_{content}", item.employee_id, item.id));
        other.insert("window_id", kit::mongo::value(&item.id));
        other.insert("item", kit::mongo::value(&item));
        other.insert("since", n);
        other
    });
    quarantine.delete_many(doc! {}).await.unwrap();
    quarantine.insert_many(others).await.unwrap();
    bench.reopen(id).await.unwrap();
    quarantine.insert_one(row).await.unwrap();
    eventually_within(2 * SWEPT, "it is recorded", async || (bench.stored().await.len() == 2).then_some(())).await;
    // The reopening let all windows of the month be tried again; these are still settled.
    eventually_within(2 * SWEPT, "the others are set aside again", async || {
        let aside = doc! { "code": "period_locked", "waiting": false };
        (quarantine.count_documents(aside).await.unwrap() == 700).then_some(())
    })
    .await;
    bench.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_is_admitted_recorded_and_told_at_once_or_not_at_all() {
    let mut bench = Bench::with_ann().await;
    bench.remove_ann().await;
    let item = bench.window(1);
    bench.send(vec![item.clone()]).await;
    bench.timetrack.take().unwrap().stop().await;
    let faults = Faults::when(|step| step == Step::Deciding);
    let run = |deps, shutdown| timetrack::run_with(faults, Config::default(), deps, shutdown);
    let mortal = bench.harness.spawn(timetrack::needs(), run).await;
    assert!(bench.admit(&item).await.is_err(), "it dies in between");
    mortal.stop().await;
    bench.timetrack = Some(crate::support::spawn(&bench.harness).await);
    assert_eq!(bench.stored().await, []);
    assert_eq!(bench.held_codes().await, [Code::NotOnProject], "it is still to be decided");
    let told = bench.events_told::<WindowsRecorded>().await.len();
    bench.admit(&item).await.unwrap();
    bench.admit(&item).await.unwrap();
    assert_eq!(bench.events_told::<WindowsRecorded>().await.len(), told + 1);
    assert_eq!(bench.harness.audited_actions(1).await, ["quarantine.admitted"]);
    bench.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_is_not_discarded() {
    let bench = Bench::with_ann().await;
    bench.remove_ann().await;
    let item = bench.window(1);
    bench.send(vec![item.clone()]).await;
    let quarantine = bench.quarantine().await;
    let row = quarantine.find_one(doc! {}).await.unwrap().unwrap();
    bench.put_ann_back().await;
    assert!(matches!(&bench.send(vec![item.clone()]).await[..], [Outcome::Stored(_)]));
    // As if another worker had quarantined the window at the same moment.
    quarantine.insert_one(row).await.unwrap();
    assert_eq!(code(bench.discard(&item).await), Code::Conflict);
    let decided =
        bench.harness.ask(&ListQuarantine { decided: true, ..ListQuarantine::default() }).await.unwrap().items;
    assert!(decided.iter().all(|one| one.recorded_as.is_some()), "{decided:?}");
    bench.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discarded_window_is_not_recorded_when_its_time_is_open_and_it_is_sent_again() {
    let bench = Bench::with_ann().await;
    let id = bench.approve_an_hour().await.id;
    let late = bench.window(3);
    bench.send(vec![late.clone()]).await;
    bench.discard(&late).await.unwrap();
    bench.reopen(id).await.unwrap();
    for _ in 0..3 {
        let outcomes = bench.send(vec![late.clone(), bench.window(4)]).await;
        assert!(matches!(&outcomes[0], Outcome::Rejected { .. }), "{outcomes:?}");
        assert!(matches!(&outcomes[1], Outcome::Stored(_) | Outcome::Duplicate(_)), "{outcomes:?}");
    }
    // This also holds for a worker that starts now.
    let _another = crate::support::spawn(&bench.harness).await;
    for _ in 0..6 {
        assert!(matches!(&bench.send(vec![late.clone()]).await[..], [Outcome::Rejected { .. }]));
    }
    assert_eq!(bench.stored().await.len(), 2);
    // An admin may still admit it: then it is recorded, because its time is open.
    bench.admit(&late).await.unwrap();
    assert_eq!((bench.stored().await.len(), bench.adjusted().await), (3, 0));
    assert!(matches!(&bench.send(vec![late.clone()]).await[..], [Outcome::Duplicate(_)]));
    bench.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_overlaps_count_an_admitted_window_counts_once_also_when_it_is_sent_again() {
    let mut bench = Bench::with_ann().await;
    bench.timetrack.take().unwrap().stop().await;
    let config = Config { count_overlaps: true, ..Config::default() };
    bench.timetrack = Some(spawn_with(&bench.harness, config).await);
    let id = bench.approve_an_hour().await.id;
    let late = bench.hours(NOON, NOON + HOUR, "another");
    let across = bench.hours(NOVEMBER - HOUR, NOVEMBER + HOUR, "another");
    bench.send(vec![late.clone(), across.clone()]).await;
    for item in [&late, &across] {
        bench.admit(item).await.unwrap();
    }
    assert_eq!((bench.adjusted().await, bench.stored().await.len()), (2 * HOUR, 2));
    bench.reopen(id).await.unwrap();
    let _another = spawn_with(&bench.harness, config_of_overlaps()).await;
    for _ in 0..6 {
        bench.send(vec![late.clone(), across.clone()]).await;
    }
    assert_eq!(bench.stored().await.len(), 2);
    assert_eq!(bench.period(id).await.sum.unwrap().time, HOUR);
    // Another window of the same time counts too, because overlaps count here.
    let other = bench.hours(NOON, NOON + HOUR, "a third");
    assert!(matches!(&bench.send(vec![other]).await[..], [Outcome::Stored(_)]));
    bench.harness.finish().await;
}

fn config_of_overlaps() -> Config {
    Config { count_overlaps: true, ..Config::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_window_that_counted_for_nothing_keeps_no_other_from_counting() {
    let bench = Bench::with_ann().await;
    let (wrong, id) = (bench.window(0), bench.approve_an_hour().await.id);
    let [first, second] = ["a", "b"].map(|hwid| bench.hours(NOON, NOON + HOUR, hwid));
    bench.send(vec![first.clone()]).await;
    bench.admit(&first).await.unwrap();
    assert_eq!(bench.adjusted().await, 0, "it is counted already");
    bench.reopen(id).await.unwrap();
    bench.harness.ask(&VoidWindow { id: wrong.id, reason: None }).await.unwrap();
    bench.approve_now(id).await;
    bench.send(vec![second.clone()]).await;
    bench.admit(&second).await.unwrap();
    assert_eq!(bench.adjusted().await, HOUR);
    bench.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_hears_what_can_be_done() {
    let bench = Bench::with_ann().await;
    let (window, approved) = (bench.window(0), bench.approve_an_hour().await);
    let correct = async || {
        let changes = WindowCorrection { end: Some(Millis(NOON + HOUR / 2)), ..Default::default() };
        bench.harness.ask(&CorrectWindow { id: window.id, changes, reason: None }).await.unwrap_err()
    };
    let refused = correct().await;
    assert!(refused.detail.contains("can open it again"), "{}", refused.detail);
    bench.harness.ask(&CreatePayRun { start: approved.start, end: approved.end }).await.unwrap();
    let refused = correct().await;
    assert_eq!(refused.code, Code::PeriodLocked);
    assert!(refused.detail.contains("paid") && !refused.detail.contains("open it again"), "{}", refused.detail);
    // The period is being approved at this moment.
    let periods: Collection<Document> = bench.harness.database(Service::Timetrack).await.collection("periods");
    let attempt = kit::mongo::value(&kit::new_id::<contracts::EventId>());
    let closing = doc! { "attempt": attempt, "until": bench.harness.clock.now().0 + 30_000 };
    let left = doc! { "$set": { "status": "open", "closing": closing }, "$unset": { "sum": 1, "pay_run": 1 } };
    periods.update_one(doc! {}, left).await.unwrap();
    assert_eq!(correct().await.code, Code::Unavailable, "a moment later it may go");
    bench.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_that_another_calendar_cuts_says_which_other_one_is_in_the_way() {
    let bench = Bench::with_ann().await;
    let id = bench.october();
    bench.send(vec![bench.window(0)]).await;
    bench.harness.bus().ask(Caller::Employee(bench.ann), &SubmitPeriod { id }).await.unwrap();
    let weeks = Settings { pay_period: PayPeriod::Week, anchor: date(2025, 10, 6), ..Settings::default() };
    let change = SetSettings { settings: weeks };
    bench.harness.ask(&Conditional { change, if_match: IfMatch::default() }).await.unwrap();
    let week = PeriodId { first: date(2025, 10, 6), ..id };
    bench.approve_now(week).await;
    let hash = bench.hash(id).await;
    let refused = bench.approve(id, hash).await.unwrap_err();
    assert_eq!(refused.code, Code::PeriodOverlaps);
    assert!(refused.detail.contains(&week.to_string()), "{}", refused.detail);
    bench.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_cannot_be_tried_again_keeps_no_other_from_it() {
    let bench = Bench::with_ann().await;
    bench.remove_ann().await;
    let (broken, sound) = (bench.window(1), bench.window(2));
    bench.send(vec![broken.clone(), sound.clone()]).await;
    let windows: Collection<Document> = bench.harness.database(Service::Timetrack).await.collection("windows");
    let unreadable = doc! { "_id": kit::mongo::value(&broken.id), "window": { "employeeId": kit::mongo::value(&bench.ann), "of": "tomorrow" } };
    windows.insert_one(unreadable).await.unwrap();
    bench.put_ann_back().await;
    bench.quarantine().await.update_many(doc! {}, doc! { "$set": { "waiting": true } }).await.unwrap();
    eventually("the other one is recorded", async || {
        let found = windows.find_one(doc! { "_id": kit::mongo::value(&sound.id) }).await.unwrap();
        found.map(drop)
    })
    .await;
    assert_eq!(bench.quarantine().await.count_documents(doc! { "waiting": true }).await.unwrap(), 1);
}
