//! Tests of pay periods: how they are submitted, approved, sent back and reopened, and what happens
//! to windows that arrive late.

use std::{collections::BTreeSet, time::Duration};

use contracts::{
    AdjustmentMade, AdmitQuarantined, ApprovePeriod, Bounded, Caller, Cents, Code, Conditional, CorrectWindow,
    CreatePayRun, Failure, GetPeriod, GetWindow, HOUR, IfMatch, KnownPeriod, ListAdjustments, ListPaidPeriods,
    ListPayRuns, ListQuarantine, Millis, Note, Outcome, PeriodDecided, PeriodDecision, PeriodId, PeriodStatus,
    ReopenPeriod, SendBackPeriod, Service, SetSettings, Settings, SubmitPeriod, Tag, TimeMark, TimeRange,
    UpdateWindows, VoidWindow, WindowChanges, WindowCorrection, WindowState, Within, stream,
};
use futures::future::join_all;
use jiff::civil::date;
use testkit::{Harness, eventually};

use crate::support::{Fixture, NOON};

const PATIENCE: Duration = Duration::from_secs(30);

impl Fixture {
    /// Ann's period of October 2025, which contains [`NOON`].
    pub fn october(&self) -> PeriodId {
        PeriodId { employee: self.ann, first: date(2025, 10, 1) }
    }

    pub async fn period(&self, id: PeriodId) -> KnownPeriod {
        self.harness.ask(&GetPeriod { id }).await.unwrap()
    }

    pub async fn hash(&self, id: PeriodId) -> TimeMark {
        self.period(id).await.sum.unwrap().hash
    }

    pub async fn approve(&self, id: PeriodId, hash: TimeMark) -> Result<KnownPeriod, Failure> {
        approve(&self.harness, id, hash, None).await
    }

    /// Approves a period with its present hash.
    pub async fn approve_now(&self, id: PeriodId) -> KnownPeriod {
        self.approve(id, self.hash(id).await).await.unwrap()
    }

    /// Records an hour of Ann's from [`NOON`] on, and approves October with it.
    pub async fn approve_an_hour(&self) -> KnownPeriod {
        self.send(vec![self.window(0)]).await;
        self.approve_now(self.october()).await
    }

    pub async fn reopen(&self, id: PeriodId) -> Result<KnownPeriod, Failure> {
        self.harness.ask(&ReopenPeriod { id, reason: Note::parse("A sheet was found.").unwrap() }).await
    }

    /// Waits until at least this many decisions about periods are published. Returns the decisions
    /// and their notes, in the order of versions.
    async fn decided(&self, times: usize) -> (Vec<PeriodDecision>, Vec<Option<Note>>) {
        let told = eventually("what was decided is told", async || {
            let told = self.events_told::<PeriodDecided>().await;
            (told.len() >= times).then_some(told)
        });
        let told = told.await;
        assert!(told.is_sorted_by_key(|one| one.version), "{told:?}");
        told.into_iter().map(|one| (one.decision, one.period.note)).unzip()
    }

    pub async fn quarantined_codes(&self) -> Vec<Code> {
        self.harness
            .ask(&ListQuarantine::default())
            .await
            .unwrap()
            .items
            .iter()
            .map(|quarantined| quarantined.code)
            .collect()
    }
}

async fn approve(
    harness: &Harness,
    id: PeriodId,
    hash: TimeMark,
    within: Option<Within>,
) -> Result<KnownPeriod, Failure> {
    let if_match = IfMatch(Some(vec![Tag::sent(&hash.to_string())]));
    let asked = Bounded { asked: Conditional { change: ApprovePeriod { id }, if_match }, within };
    harness.bus().ask_within(PATIENCE, Caller::Admin, &asked).await
}

fn code<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> Code {
    outcome.unwrap_err().code
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_is_submitted_sent_back_submitted_again_and_approved_with_what_was_seen() {
    let fixture = Fixture::with_ann().await;
    let id = fixture.october();
    fixture.send(vec![fixture.window(0), fixture.window(1)]).await;
    let submit = async |caller| fixture.harness.bus().ask(caller, &SubmitPeriod { id }).await;
    assert_eq!(code(submit(Caller::Admin).await), Code::Forbidden);
    assert_eq!(code(submit(Caller::Employee(kit::new_id())).await), Code::Forbidden);
    let note = Note::parse("Friday is missing.").unwrap();
    let back = SendBackPeriod { id, note: note.clone() };
    assert_eq!(code(fixture.harness.ask(&back).await), Code::PeriodNotSubmitted);

    let submitted = submit(Caller::Employee(fixture.ann)).await.unwrap();
    assert_eq!((submitted.status, submitted.sum.unwrap().time), (PeriodStatus::Submitted, 2 * HOUR));
    let returned = fixture.harness.ask(&back).await.unwrap();
    assert_eq!((returned.status, returned.note.clone()), (PeriodStatus::Open, Some(note)));
    fixture.send(vec![fixture.window(2)]).await;
    let submitted = submit(Caller::Employee(fixture.ann)).await.unwrap();
    assert_eq!((submitted.note, submitted.submitted_hash), (None, submitted.sum.map(|sum| sum.hash)));

    let seen = fixture.hash(id).await;
    fixture.send(vec![fixture.window(3)]).await;
    assert_eq!(code(fixture.approve(id, seen).await), Code::PeriodChanged);
    let without = Conditional { change: ApprovePeriod { id }, if_match: IfMatch(None) };
    assert_eq!(code(fixture.harness.ask(&without).await), Code::BadPrecondition);
    let approved = fixture.approve_now(id).await;
    assert_eq!((approved.status, approved.sum.unwrap().time), (PeriodStatus::Approved, 4 * HOUR));
    assert_eq!(approved.approved_by.as_deref(), Some("root"));
    assert_eq!(fixture.approve_now(id).await, approved, "asked twice");
    assert_eq!(code(submit(Caller::Employee(fixture.ann)).await), Code::PeriodApproved);
    assert_eq!(code(fixture.harness.ask(&back).await), Code::PeriodApproved);
    let unknown = GetPeriod { id: PeriodId { first: date(2025, 10, 2), ..id } };
    assert_eq!(code(fixture.harness.ask(&unknown).await), Code::NotFound);

    let (told, notes) = fixture.decided(2).await;
    assert_eq!(told, [PeriodDecision::SentBack, PeriodDecision::Approved], "each decision once, none of a refusal");
    assert_eq!(notes, [returned.note, None]);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_late_for_an_approved_period_is_held_and_recorded_once_it_is_open_again() {
    let fixture = Fixture::with_ann().await;
    let (first, late) = (fixture.window(0), fixture.window(5));
    let approved = fixture.approve_an_hour().await;
    let id = approved.id;
    let outcomes = fixture.send(vec![late.clone(), first, fixture.window(24 * 30)]).await;
    assert!(
        matches!(&outcomes[..], [Outcome::Queued, Outcome::Duplicate(_), Outcome::Stored(_)]),
        "late, known already, of another month: {outcomes:?}"
    );
    let told = fixture.harness.ask(&GetWindow { id: late.id, seq: None, set_aside: true }).await.unwrap();
    assert!(matches!(told, WindowState::SetAside { code: Code::PeriodLocked, .. }), "{told:?}");
    assert_eq!(fixture.period(id).await.sum, approved.sum);

    let open = fixture.reopen(id).await.unwrap();
    assert_eq!((open.status, open.approved_at), (PeriodStatus::Open, None));
    assert_eq!(code(fixture.reopen(id).await), Code::PeriodNotApproved);
    eventually("the late window is recorded", async || (fixture.stored().await.len() == 3).then_some(())).await;
    let again = fixture.approve_now(id).await;
    assert_eq!(again.sum.unwrap().time, 2 * HOUR);
    assert_eq!(fixture.quarantined_codes().await, []);
    let (told, notes) = fixture.decided(3).await;
    assert_eq!(told, [PeriodDecision::Approved, PeriodDecision::Reopened, PeriodDecision::Approved]);
    assert_eq!(notes, [None, open.note, None]);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_settled_is_corrected_voided_or_updated_and_what_sticks_out_may_move() {
    let fixture = Fixture::with_ann().await;
    let settings = Settings { pay_period: contracts::PayPeriod::Week, ..Settings::default() };
    let change = SetSettings { settings };
    fixture.harness.ask(&Conditional { change, if_match: IfMatch::default() }).await.unwrap();
    // The week from Monday, 6 October, to Monday, 13 October.
    let id = PeriodId { employee: fixture.ann, first: date(2025, 10, 6) };
    let end = 1_760_313_600_000;
    let inside = fixture.window(0);
    let across = {
        let mut window = fixture.window(0).window;
        (window.start, window.end) = (Millis(end - HOUR), Millis(end + HOUR));
        fixture.item(window)
    };
    let after = fixture.window(24 * 7);
    fixture.send(vec![inside.clone(), across.clone(), after.clone()]).await;
    let approved = fixture.approve_now(id).await;
    assert_eq!(approved.sum.unwrap().time, 2 * HOUR);

    let correct = async |id, changes| fixture.harness.ask(&CorrectWindow { id, changes, reason: None }).await;
    let noted = || WindowCorrection { note: Some(Note::parse("mended").ok()), ..Default::default() };
    let until = |end| WindowCorrection { end: Some(Millis(end)), ..Default::default() };
    let from = |start| WindowCorrection { start: Some(Millis(start)), ..Default::default() };
    let refused = correct(inside.id, until(NOON + HOUR / 2)).await.unwrap_err();
    assert_eq!(refused.code, Code::PeriodLocked);
    assert!(refused.detail.contains(&id.to_string()), "{}", refused.detail);
    let rate = WindowCorrection { pay_rate: Some(contracts::Rate::try_from(9.0).ok()), ..Default::default() };
    for changes in [from(end - 2 * HOUR), from(end), until(end - 1), rate] {
        assert_eq!(code(correct(across.id, changes).await), Code::PeriodLocked);
    }
    let into = WindowCorrection { end: Some(Millis(end + HOUR)), ..from(end - 1) };
    assert_eq!(code(correct(after.id, into).await), Code::PeriodLocked);
    for window in [inside.id, across.id] {
        assert_eq!(code(fixture.harness.ask(&VoidWindow { id: window, reason: None }).await), Code::PeriodLocked);
    }
    let update = |employees| UpdateWindows {
        employees,
        changes: WindowChanges { paid: Some(true), ..Default::default() },
        ..Default::default()
    };
    assert_eq!(code(fixture.harness.ask(&update(vec![fixture.ann])).await), Code::PeriodLocked);
    assert!(fixture.stored().await.iter().all(|window| !window.paid), "nothing is half done");

    // An end outside of the period may change, and so may a note. A window after the period may be
    // corrected and updated.
    correct(across.id, until(end + HOUR / 2)).await.unwrap();
    correct(across.id, noted()).await.unwrap();
    correct(after.id, noted()).await.unwrap();
    let begin = contracts::TimeRange::new(Millis(end), Millis(end * 2)).ok();
    assert_eq!(fixture.harness.ask(&UpdateWindows { begin, ..update(vec![fixture.ann]) }).await.unwrap().modified, 1);
    assert_eq!(fixture.period(id).await, approved);
    fixture.reopen(id).await.unwrap();
    assert_eq!(fixture.hash(id).await, approved.sum.unwrap().hash, "nothing of it has changed");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_approve_at_once_approve_it_once() {
    let fixture = Fixture::with_ann().await;
    let id = fixture.october();
    fixture.send(vec![fixture.window(0)]).await;
    let hash = fixture.hash(id).await;
    let events = fixture.harness.stream_messages(stream::EVENTS).await;
    let approved = join_all((0..4).map(|_| fixture.approve(id, hash))).await;
    let first = approved[0].clone().unwrap();
    assert!(approved.into_iter().all(|one| one.unwrap() == first));
    fixture.harness.bus().settled().await.unwrap();
    eventually("one entry in the trail, one word to workers, and one for the employee", async || {
        (fixture.harness.stream_messages(stream::EVENTS).await == events + 3).then_some(())
    })
    .await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_approves_for_their_team_and_never_their_own_period() {
    let fixture = Fixture::with_ann().await;
    let id = fixture.october();
    fixture.send(vec![fixture.window(0)]).await;
    let hash = fixture.hash(id).await;
    let zoe = kit::new_id();
    let as_manager = async |employees, manager| {
        approve(&fixture.harness, id, hash, Some(Within { employees, manager: Some(manager) })).await
    };
    assert_eq!(code(as_manager(vec![zoe], zoe).await), Code::OtherTeam);
    assert_eq!(code(as_manager(vec![fixture.ann], fixture.ann).await), Code::OwnPeriod);
    assert_eq!(as_manager(vec![fixture.ann, zoe], zoe).await.unwrap().status, PeriodStatus::Approved);
    let reopen = ReopenPeriod { id, reason: Note::parse("No.").unwrap() };
    let within = Some(Within { employees: vec![fixture.ann], manager: Some(zoe) });
    let refused = fixture.harness.ask(&Bounded { asked: reopen, within }).await;
    assert_eq!(code(refused), Code::Forbidden);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_is_not_approved_while_a_window_of_it_may_only_be_early() {
    let (fixture, in_hand) = Fixture::behind().await;
    let id = fixture.october();
    let hash = fixture.hash(id).await;
    assert!(matches!(&fixture.send(vec![fixture.window(0)]).await[..], [Outcome::Queued]));
    assert_eq!(code(fixture.approve(id, hash).await), Code::WindowsWaiting);
    in_hand.let_go().await;
    eventually("what waits no longer is in nobody's way", async || fixture.approve(id, hash).await.ok()).await;
    assert_eq!(fixture.quarantined_codes().await, [Code::UnknownEmployee]);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_that_was_given_up_opens_the_period_again() {
    let fixture = Fixture::with_ann().await;
    let id = fixture.october();
    fixture.send(vec![fixture.window(0)]).await;
    let hash = fixture.hash(id).await;
    fixture.approve(id, hash).await.unwrap();
    // The document is changed to the state that a process leaves if it dies during an approval.
    let periods = fixture.harness.database(Service::Timetrack).await.collection::<bson::Document>("periods");
    let attempt = kit::mongo::value(&kit::new_id::<contracts::EventId>());
    let closing = bson::doc! { "attempt": attempt, "until": fixture.harness.clock.now().0 + 30_000 };
    let left = bson::doc! { "$set": { "status": "open", "closing": closing }, "$unset": { "sum": 1 } };
    periods.update_one(bson::doc! {}, left).await.unwrap();
    let late = fixture.window(3);
    assert!(matches!(&fixture.send(vec![late.clone()]).await[..], [Outcome::Queued]));
    fixture.harness.clock.advance(60_000);
    eventually("what was set aside meanwhile is recorded", async || {
        let told = fixture.harness.ask(&GetWindow { id: late.id, seq: None, set_aside: true }).await.unwrap();
        matches!(told, WindowState::Recorded(_)).then_some(())
    })
    .await;
    assert_eq!(fixture.approve_now(id).await.sum.unwrap().time, 2 * HOUR);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_counts_as_an_adjustment_counts_nowhere_else_also_when_its_time_is_open_again() {
    let fixture = Fixture::with_ann().await;
    let (first, id) = (fixture.window(0), fixture.approve_an_hour().await.id);
    let late = |from: i64, until: i64, hwid: &str| fixture.hours(NOON + from * HOUR, NOON + until * HOUR, hwid);
    let (adjusted, other) = (late(2, 4, "a"), late(3, 6, "b"));
    fixture.send(vec![adjusted.clone()]).await;
    fixture.harness.ask(&AdmitQuarantined { id: adjusted.id, content: None }).await.unwrap();
    fixture.reopen(id).await.unwrap();

    // A worker that starts now must also read the settlement of the adjustment.
    let _another = crate::support::spawn(&fixture.harness).await;
    fixture.send(vec![other.clone(), late(2, 3, "c"), late(7, 8, "d")]).await;
    eventually("what lies beside it is recorded", async || (fixture.stored().await.len() == 2).then_some(())).await;
    eventually("the others are held", async || {
        (fixture.quarantined_codes().await == [Code::PeriodLocked, Code::PeriodLocked]).then_some(())
    })
    .await;
    let longer = WindowCorrection { end: Some(Millis(NOON + 3 * HOUR)), ..Default::default() };
    let refused =
        fixture.harness.ask(&CorrectWindow { id: first.id, changes: longer, reason: None }).await.unwrap_err();
    assert_eq!(refused.code, Code::PeriodLocked);
    assert!(refused.detail.contains("count as an adjustment already"), "{}", refused.detail);
    // An admitted window counts only for the time for which no other window counts.
    for quarantined in fixture.harness.ask(&ListQuarantine::default()).await.unwrap().items {
        fixture.harness.ask(&AdmitQuarantined { id: quarantined.id, content: None }).await.unwrap();
    }
    assert_eq!(
        fixture.period(id).await.sum.unwrap().time,
        4 * HOUR,
        "one recorded first, two of the other, one beside"
    );
    let now = fixture.harness.clock.now();
    let range = TimeRange::new(now - HOUR, now + HOUR).unwrap();
    let listed = ListAdjustments { range, employees: vec![fixture.ann], after: None };
    let times = fixture.harness.ask(&listed).await.unwrap().items.into_iter().map(|one| one.sum.time);
    assert_eq!(times.sum::<i64>(), 2 * HOUR);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_late_for_a_paid_period_counts_once_as_an_adjustment_where_time_is_open() {
    let fixture = Fixture::with_ann().await;
    let approved = fixture.approve_an_hour().await;
    let id = approved.id;
    let october = (approved.start, approved.end);
    let pay = CreatePayRun { start: october.0, end: october.1 };
    let made = join_all((0..3).map(|_| fixture.harness.ask(&pay))).await;
    let runs: BTreeSet<_> = made.iter().map(|made| made.as_ref().unwrap().run.id).collect();
    assert_eq!(runs.len(), 1, "asked by three at once: {made:?}");
    assert_eq!(made.iter().filter(|made| made.as_ref().unwrap().is_new).count(), 1);
    assert!(fixture.stored().await.iter().all(|window| window.paid));
    assert_eq!(code(fixture.reopen(id).await), Code::PeriodPaid);

    // The first half hour of `first` is counted already. `second` overlaps the last hour of
    // `first`, and is admitted twice.
    let late = |from: i64, until: i64, hwid: &str| fixture.hours(NOON + from, NOON + until, hwid);
    let (first, second) = (late(HOUR / 2, 2 * HOUR, "a"), late(HOUR, 3 * HOUR, "b"));
    let across = late(october.1.0 - NOON - HOUR, october.1.0 - NOON + HOUR, "c");
    let sent = fixture.send(vec![first.clone(), second.clone(), across.clone()]).await;
    assert!(sent.iter().all(|outcome| matches!(outcome, Outcome::Queued)), "{sent:?}");
    let now = fixture.harness.clock.now();
    for item in [&first, &second, &across, &second] {
        let admitted = fixture.harness.ask(&AdmitQuarantined { id: item.id, content: None }).await.unwrap();
        assert_eq!((admitted.id, admitted.start), (item.id, item.window.start), "it shows where it belongs");
        let told = fixture.harness.ask(&GetWindow { id: item.id, seq: None, set_aside: true }).await.unwrap();
        assert!(matches!(told, WindowState::Recorded(window) if window.start == item.window.start));
    }
    let range = TimeRange::new(now - HOUR, now + HOUR).unwrap();
    let listed = ListAdjustments { range, employees: vec![fixture.ann], after: None };
    let adjustments = fixture.harness.ask(&listed).await.unwrap().items;
    let mut times: Vec<i64> = adjustments.iter().map(|one| one.sum.time).collect();
    times.sort_unstable();
    assert_eq!(times, [HOUR, HOUR, HOUR], "each second once");
    assert!(adjustments.iter().all(|one| one.sum.income == Cents(5_000)));
    assert_eq!(fixture.period(id).await.sum, approved.sum);
    let rest = fixture.stored().await.into_iter().find(|window| window.start == october.1).unwrap();
    assert_eq!(rest.end, across.window.end, "what of it was open is recorded there");

    // The adjustments count in the period of the present day, and are approved together with it.
    let settings = Settings::default();
    let open = settings.pay_period_of(contracts::day_of(now, settings.timezone.rules()));
    let current = PeriodId { employee: fixture.ann, first: open.first };
    let period = fixture.period(current).await;
    assert_eq!(period.adjusted.map(|adjusted| (adjusted.time, adjusted.income)), Some((3 * HOUR, Cents(15_000))));
    let approved = fixture.approve_now(current).await;
    assert_eq!((approved.adjusted, approved.sum), (period.adjusted, period.sum));
    let third = late(4 * HOUR, 5 * HOUR, "d");
    fixture.send(vec![third.clone()]).await;
    fixture.harness.ask(&AdmitQuarantined { id: third.id, content: None }).await.unwrap();
    assert_eq!(fixture.period(current).await, approved, "it counts in the next one");
    let next = PeriodId { first: contracts::day_of(open.range.end(), settings.timezone.rules()), ..current };
    assert_eq!(fixture.period(next).await.adjusted.unwrap().time, HOUR);

    let pay = CreatePayRun { start: approved.start, end: approved.end };
    let run = fixture.harness.ask(&pay).await.unwrap().run;
    assert_eq!((run.period_count, run.adjustment_time, run.adjustment_income), (1, 3 * HOUR, Cents(15_000)));
    let paid = fixture.harness.ask(&ListPaidPeriods { run: run.id, after: None }).await.unwrap().items;
    assert_eq!((paid.len(), paid[0].id, paid[0].adjustment_time), (1, current, 3 * HOUR));
    assert_eq!(fixture.harness.ask(&ListPayRuns::default()).await.unwrap().items.len(), 2);
    let told: Vec<_> = fixture.events_told::<AdjustmentMade>().await.into_iter().map(|made| made.adjustment).collect();
    let late = [first.id, second.id, across.id, third.id];
    assert_eq!(told.iter().map(|one| one.id).collect::<Vec<_>>(), late, "each is told once, to be mailed");
    assert!(adjustments.iter().all(|one| told.contains(one)));
    let none = CreatePayRun { start: Millis(0), end: Millis(1) };
    assert_eq!(code(fixture.harness.ask(&none).await), Code::PeriodNotApproved);
    fixture.harness.finish().await;
}
