//! Tests of windows that arrive after their time was settled: none may be lost, and none may count
//! twice.

use std::time::Duration;

use bson::{Document, doc};
use contracts::{
    AdmitQuarantined, Caller, Code, Conditional, ContentHash, CorrectWindow, CreatePayRun, DiscardQuarantined, Failure,
    GetPeriod, HOUR, IfMatch, IngestItem, ListAdjustments, ListQuarantine, Millis, Outcome, PayPeriod, PeriodId,
    Service, SetSettings, Settings, SubmitPeriod, TimeRange, VoidWindow, Window, WindowContent, WindowCorrection,
    WindowsRecorded,
};
use jiff::civil::date;
use mongodb::Collection;
use testkit::{eventually, eventually_within};
use timetrack::{Config, Faults, Step};

use crate::support::{Fixture, NOON, spawn_with};

/// A time limit that is longer than the interval between two searches for quarantined windows that
/// need no admin.
const SWEPT: Duration = Duration::from_secs(30);
/// The start of November 2025 in UTC, in milliseconds since 1970.
const NOVEMBER: i64 = 1_761_955_200_000;

impl Fixture {
    pub async fn admit(&self, item: &IngestItem) -> Result<Window, Failure> {
        let content: Option<ContentHash> = Some(WindowContent::from(item).hash());
        self.harness.bus().ask_within(SWEPT, Caller::Admin, &AdmitQuarantined { id: item.id, content }).await
    }

    async fn discard(&self, item: &IngestItem) -> Result<(), Failure> {
        self.harness.ask(&DiscardQuarantined { id: item.id, content: None }).await
    }

    /// The time that Ann's adjustments add, in milliseconds.
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

    /// Approves October with one hour, and then sends another window of October, which is
    /// quarantined. Returns the period and that window.
    async fn send_late(&self) -> (PeriodId, IngestItem) {
        let (id, late) = (self.approve_an_hour().await.id, self.window(3));
        self.send(vec![late.clone()]).await;
        (id, late)
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
    let fixture = Fixture::with_ann().await;
    let hours = [-HOUR, 0, 3 * HOUR].map(|from| fixture.hours(NOVEMBER + from, NOVEMBER + from + HOUR, "hw"));
    let end_of_november = NOVEMBER + 30 * 24 * HOUR;
    // This hour is in the evening of 30 November in New York, and on 1 December in Berlin.
    let evening = fixture.hours(end_of_november, end_of_november + HOUR, "hw");
    fixture.send([&hours[..], &[evening]].concat()).await;
    let october = fixture.approve_now(fixture.october()).await;
    fixture.harness.ask(&CreatePayRun { start: october.start, end: october.end }).await.unwrap();

    fixture.choose_zone("Europe/Berlin").await;
    let november = PeriodId { first: date(2025, 11, 1), ..fixture.october() };
    let approved = fixture.approve_now(november).await;
    assert_eq!((approved.start, approved.sum.unwrap().time), (october.end, 2 * HOUR), "it adjoins what is settled");

    fixture.choose_zone("America/New_York").await;
    let rest =
        fixture.harness.ask(&GetPeriod { id: PeriodId { first: date(2025, 11, 30), ..november } }).await.unwrap();
    assert_eq!((rest.start, rest.sum.unwrap().time), (approved.end, HOUR), "what is left of November");
    let december = fixture.period(PeriodId { first: date(2025, 12, 1), ..november }).await;
    assert_eq!(rest.end, december.start);
    fixture.approve_now(rest.id).await;
    let pay = CreatePayRun { start: approved.start, end: rest.end };
    let run = fixture.harness.ask(&pay).await.unwrap().run;
    assert_eq!((run.period_count, run.time), (2, 3 * HOUR));
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_admitted_takes_no_time_of_a_project_that_is_locked() {
    let fixture = Fixture::with_ann().await;
    let elsewhere = fixture.another_project().await;
    let counts = fixture.worked_on(elsewhere, NOVEMBER + HOUR / 2, NOVEMBER + 2 * HOUR, "hw");
    fixture.send(vec![counts]).await;
    fixture.approve_now(fixture.october()).await;
    fixture.lock(Some(elsewhere.0), NOVEMBER + 24 * HOUR).await.unwrap();
    let late = fixture.hours(NOVEMBER - HOUR, NOVEMBER + HOUR, "hw");
    assert!(matches!(&fixture.send(vec![late.clone()]).await[..], [Outcome::Queued]));
    assert_eq!(code(fixture.admit(&late).await), Code::PeriodLocked);
    assert_eq!(fixture.stored().await.len(), 1, "nothing is half done");
    assert_eq!(fixture.adjusted().await, 0);
    fixture.unlock(Some(elsewhere.0), None).await.unwrap();
    fixture.admit(&late).await.unwrap();
    assert_eq!((fixture.stored().await.len(), fixture.adjusted().await), (2, HOUR));
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_window_under_the_id_of_an_adjustment_is_admitted_beside_it() {
    let fixture = Fixture::with_ann().await;
    fixture.approve_an_hour().await;
    let first = fixture.hours(NOON + 2 * HOUR, NOON + 3 * HOUR, "a");
    let second = IngestItem { id: first.id, ..fixture.hours(NOON + 4 * HOUR, NOON + 6 * HOUR, "a") };
    fixture.send(vec![first.clone()]).await;
    fixture.admit(&first).await.unwrap();
    fixture.send(vec![second.clone()]).await;
    let admitted = fixture.admit(&second).await.unwrap();
    assert_ne!(admitted.id, first.id);
    assert_eq!((admitted.start, admitted.end), (second.window.start, second.window.end));
    assert_eq!(fixture.admit(&second).await.unwrap(), admitted, "asked again");
    assert_eq!(fixture.adjusted().await, 3 * HOUR);
    assert_eq!(fixture.quarantined_codes().await, []);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_although_its_time_is_open_is_let_in_by_itself() {
    let fixture = Fixture::with_ann().await;
    let (id, _) = fixture.send_late().await;
    // The document is removed before the reopening and inserted after it. So the reopening does not
    // find it, as if a batch had quarantined the window a moment later, or the process had crashed
    // during the reopening.
    let quarantine = fixture.quarantine().await;
    let row = quarantine.find_one_and_delete(doc! {}).await.unwrap().unwrap();
    fixture.reopen(id).await.unwrap();
    quarantine.insert_one(row).await.unwrap();
    eventually_within(SWEPT, "it is recorded", async || (fixture.stored().await.len() == 2).then_some(())).await;
    eventually_within(SWEPT, "it is held no longer", async || {
        fixture.quarantined_codes().await.is_empty().then_some(())
    })
    .await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_that_are_settled_keep_none_from_being_let_in() {
    let fixture = Fixture::with_ann().await;
    let (id, _) = fixture.send_late().await;
    let quarantine = fixture.quarantine().await;
    let row = quarantine.find_one(doc! {}).await.unwrap().unwrap();
    // 700 older windows of a time that stays settled.
    fixture.lock(None, NOON - 24 * HOUR).await.unwrap();
    let others = (0..700).map(|n| {
        let item = fixture.hours(NOON - 48 * HOUR + n, NOON - 47 * HOUR + n, "hw");
        let (content, mut other) = (WindowContent::from(&item).hash(), row.clone());
        other.insert("_id", format!("{}_{}_{content}", item.employee_id, item.id));
        other.insert("window_id", kit::mongo::value(&item.id));
        other.insert("item", kit::mongo::value(&item));
        other.insert("since", n);
        other
    });
    quarantine.delete_many(doc! {}).await.unwrap();
    quarantine.insert_many(others).await.unwrap();
    fixture.reopen(id).await.unwrap();
    quarantine.insert_one(row).await.unwrap();
    eventually_within(2 * SWEPT, "it is recorded", async || (fixture.stored().await.len() == 2).then_some(())).await;
    // The reopening marked all quarantined windows of the month to be tried again. The time of
    // these 700 is still settled.
    eventually_within(2 * SWEPT, "the others are set aside again", async || {
        let aside = doc! { "code": "period_locked", "waiting": false };
        (quarantine.count_documents(aside).await.unwrap() == 700).then_some(())
    })
    .await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_is_admitted_recorded_and_told_at_once_or_not_at_all() {
    let mut fixture = Fixture::with_ann().await;
    fixture.remove_ann().await;
    let item = fixture.window(1);
    fixture.send(vec![item.clone()]).await;
    fixture.timetrack.take().unwrap().stop().await;
    let faults = Faults::when(|step| step == Step::Deciding);
    let run = |deps, shutdown| timetrack::run_with(faults, Config::default(), deps, shutdown);
    let mortal = fixture.harness.spawn(timetrack::needs(), run).await;
    assert!(fixture.admit(&item).await.is_err(), "it dies in between");
    mortal.stop().await;
    fixture.timetrack = Some(crate::support::spawn(&fixture.harness).await);
    assert_eq!(fixture.stored().await, []);
    assert_eq!(fixture.quarantined_codes().await, [Code::NotOnProject], "it is still to be decided");
    let told = fixture.events_told::<WindowsRecorded>().await.len();
    fixture.admit(&item).await.unwrap();
    fixture.admit(&item).await.unwrap();
    assert_eq!(fixture.events_told::<WindowsRecorded>().await.len(), told + 1);
    assert_eq!(fixture.harness.audited_actions(1).await, ["quarantine.admitted"]);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_is_not_discarded() {
    let fixture = Fixture::with_ann().await;
    fixture.remove_ann().await;
    let item = fixture.window(1);
    fixture.send(vec![item.clone()]).await;
    let quarantine = fixture.quarantine().await;
    let row = quarantine.find_one(doc! {}).await.unwrap().unwrap();
    fixture.put_ann_back().await;
    assert!(matches!(&fixture.send(vec![item.clone()]).await[..], [Outcome::Stored(_)]));
    // The document is inserted again, as if another worker had quarantined the window at the same
    // moment.
    quarantine.insert_one(row).await.unwrap();
    assert_eq!(code(fixture.discard(&item).await), Code::Conflict);
    let decided =
        fixture.harness.ask(&ListQuarantine { decided: true, ..ListQuarantine::default() }).await.unwrap().items;
    assert!(decided.iter().all(|one| one.recorded_as.is_some()), "{decided:?}");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discarded_window_is_not_recorded_when_its_time_is_open_and_it_is_sent_again() {
    let fixture = Fixture::with_ann().await;
    let (id, late) = fixture.send_late().await;
    fixture.discard(&late).await.unwrap();
    fixture.reopen(id).await.unwrap();
    for _ in 0..3 {
        let outcomes = fixture.send(vec![late.clone(), fixture.window(4)]).await;
        assert!(matches!(&outcomes[0], Outcome::Rejected { .. }), "{outcomes:?}");
        assert!(matches!(&outcomes[1], Outcome::Stored(_) | Outcome::Duplicate(_)), "{outcomes:?}");
    }
    // A worker that starts now must also know that the window was discarded.
    let _another = crate::support::spawn(&fixture.harness).await;
    for _ in 0..6 {
        assert!(matches!(&fixture.send(vec![late.clone()]).await[..], [Outcome::Rejected { .. }]));
    }
    assert_eq!(fixture.stored().await.len(), 2);
    // An admin may still admit the window. Then it is recorded, because its time is open.
    fixture.admit(&late).await.unwrap();
    assert_eq!((fixture.stored().await.len(), fixture.adjusted().await), (3, 0));
    assert!(matches!(&fixture.send(vec![late.clone()]).await[..], [Outcome::Duplicate(_)]));
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_overlaps_count_an_admitted_window_counts_once_also_when_it_is_sent_again() {
    let mut fixture = Fixture::with_ann().await;
    fixture.timetrack.take().unwrap().stop().await;
    let config = Config { count_overlaps: true, ..Config::default() };
    fixture.timetrack = Some(spawn_with(&fixture.harness, config).await);
    let id = fixture.approve_an_hour().await.id;
    let late = fixture.hours(NOON, NOON + HOUR, "another");
    let across = fixture.hours(NOVEMBER - HOUR, NOVEMBER + HOUR, "another");
    fixture.send(vec![late.clone(), across.clone()]).await;
    for item in [&late, &across] {
        fixture.admit(item).await.unwrap();
    }
    assert_eq!((fixture.adjusted().await, fixture.stored().await.len()), (2 * HOUR, 2));
    fixture.reopen(id).await.unwrap();
    let _another = spawn_with(&fixture.harness, config_of_overlaps()).await;
    for _ in 0..6 {
        fixture.send(vec![late.clone(), across.clone()]).await;
    }
    assert_eq!(fixture.stored().await.len(), 2);
    assert_eq!(fixture.period(id).await.sum.unwrap().time, HOUR);
    // Another window of the same time is recorded too, because overlaps count here.
    let other = fixture.hours(NOON, NOON + HOUR, "a third");
    assert!(matches!(&fixture.send(vec![other]).await[..], [Outcome::Stored(_)]));
    fixture.harness.finish().await;
}

fn config_of_overlaps() -> Config {
    Config { count_overlaps: true, ..Config::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_window_that_counted_for_nothing_keeps_no_other_from_counting() {
    let fixture = Fixture::with_ann().await;
    let (wrong, id) = (fixture.window(0), fixture.approve_an_hour().await.id);
    let [first, second] = ["a", "b"].map(|hwid| fixture.hours(NOON, NOON + HOUR, hwid));
    fixture.send(vec![first.clone()]).await;
    fixture.admit(&first).await.unwrap();
    assert_eq!(fixture.adjusted().await, 0, "it is counted already");
    fixture.reopen(id).await.unwrap();
    fixture.harness.ask(&VoidWindow { id: wrong.id, reason: None }).await.unwrap();
    fixture.approve_now(id).await;
    fixture.send(vec![second.clone()]).await;
    fixture.admit(&second).await.unwrap();
    assert_eq!(fixture.adjusted().await, HOUR);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_hears_what_can_be_done() {
    let fixture = Fixture::with_ann().await;
    let (window, approved) = (fixture.window(0), fixture.approve_an_hour().await);
    let correct = async || {
        let changes = WindowCorrection { end: Some(Millis(NOON + HOUR / 2)), ..Default::default() };
        fixture.harness.ask(&CorrectWindow { id: window.id, changes, reason: None }).await.unwrap_err()
    };
    let refused = correct().await;
    assert!(refused.detail.contains("can open it again"), "{}", refused.detail);
    fixture.harness.ask(&CreatePayRun { start: approved.start, end: approved.end }).await.unwrap();
    let refused = correct().await;
    assert_eq!(refused.code, Code::PeriodLocked);
    assert!(refused.detail.contains("paid") && !refused.detail.contains("open it again"), "{}", refused.detail);
    // The document is changed to that of a period that is being approved at this moment.
    let periods: Collection<Document> = fixture.harness.database(Service::Timetrack).await.collection("periods");
    let attempt = kit::mongo::value(&kit::new_id::<contracts::EventId>());
    let closing = doc! { "attempt": attempt, "until": fixture.harness.clock.now().0 + 30_000 };
    let left = doc! { "$set": { "status": "open", "closing": closing }, "$unset": { "sum": 1, "pay_run": 1 } };
    periods.update_one(doc! {}, left).await.unwrap();
    assert_eq!(correct().await.code, Code::Unavailable, "a moment later it may go");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_that_another_calendar_cuts_says_which_other_one_is_in_the_way() {
    let fixture = Fixture::with_ann().await;
    let id = fixture.october();
    fixture.send(vec![fixture.window(0)]).await;
    fixture.harness.bus().ask(Caller::Employee(fixture.ann), &SubmitPeriod { id }).await.unwrap();
    let weeks = Settings { pay_period: PayPeriod::Week, anchor: date(2025, 10, 6), ..Settings::default() };
    let change = SetSettings { settings: weeks };
    fixture.harness.ask(&Conditional { change, if_match: IfMatch::default() }).await.unwrap();
    let week = PeriodId { first: date(2025, 10, 6), ..id };
    fixture.approve_now(week).await;
    let hash = fixture.hash(id).await;
    let refused = fixture.approve(id, hash).await.unwrap_err();
    assert_eq!(refused.code, Code::PeriodOverlaps);
    assert!(refused.detail.contains(&week.to_string()), "{}", refused.detail);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_cannot_be_tried_again_keeps_no_other_from_it() {
    let fixture = Fixture::with_ann().await;
    fixture.remove_ann().await;
    let (broken, sound) = (fixture.window(1), fixture.window(2));
    fixture.send(vec![broken.clone(), sound.clone()]).await;
    let windows: Collection<Document> = fixture.harness.database(Service::Timetrack).await.collection("windows");
    let unreadable = doc! { "_id": kit::mongo::value(&broken.id), "window": { "employeeId": kit::mongo::value(&fixture.ann), "of": "tomorrow" } };
    windows.insert_one(unreadable).await.unwrap();
    fixture.put_ann_back().await;
    fixture.quarantine().await.update_many(doc! {}, doc! { "$set": { "waiting": true } }).await.unwrap();
    eventually("the other one is recorded", async || {
        let found = windows.find_one(doc! { "_id": kit::mongo::value(&sound.id) }).await.unwrap();
        found.map(drop)
    })
    .await;
    assert_eq!(fixture.quarantine().await.count_documents(doc! { "waiting": true }).await.unwrap(), 1);
}
