//! Tests of corrections: employees request them, and admins decide.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bson::{Document, doc};
use contracts::{
    AcceptCorrection, Actor, AskCorrection, Caller, Code, CorrectWindow, CorrectionDecided, CorrectionId,
    CorrectionRequest, CorrectionSent, CorrectionStatus, CorrectionTaken, CountWaiting, EmployeeId, Failure,
    GetCorrection, HOUR, ListCorrections, Millis, Note, ProjectId, RefuseCorrection, ReopenLock, Request,
    SendBackPeriod, Service, SetLock, SubmitPeriod, Term, VoidWindow, Waiting, WindowCorrection, WindowId, WindowType,
    stream,
};
use kit::Origin;
use serde_json::{Value, json};
use testkit::eventually;
use timetrack::{Config, Faults, Step};

use crate::support::{Fixture, NOON, spawn};

fn note(text: &str) -> Note {
    Note::parse(text).unwrap()
}

impl Fixture {
    /// Sends a request with Ann as the caller.
    async fn as_ann<R: Request>(&self, request: &R) -> Result<R::Reply, Failure> {
        self.harness.bus().ask(Caller::Employee(self.ann), request).await
    }

    /// Requests a correction as Ann.
    async fn ask(&self, asked: Value) -> Result<CorrectionTaken, Failure> {
        let asked: CorrectionSent = serde_json::from_value(asked).unwrap();
        self.as_ann(&AskCorrection { id: asked.id(self.ann), asked }).await
    }

    /// The request for a correction that adds an hour, which starts this many hours after [`NOON`].
    fn missing(&self, hours: i64) -> Value {
        let start = NOON + hours * HOUR;
        json!({
            "start": start, "end": start + HOUR, "projectId": self.project, "taskId": self.task, "note": "Phoned",
            "reason": "I forgot the clock.",
        })
    }

    async fn asked(&self, asked: Value) -> CorrectionRequest {
        self.ask(asked).await.unwrap().correction
    }

    /// Records a window of one hour, which starts this many hours after [`NOON`]. Returns its id.
    async fn recorded(&self, hours: i64) -> WindowId {
        let item = self.window(hours);
        self.send(vec![item.clone()]).await;
        item.id
    }

    async fn accept(&self, id: CorrectionId) -> Result<CorrectionRequest, Failure> {
        self.harness.ask(&AcceptCorrection { id, reason: None }).await
    }

    async fn refuse(&self, id: CorrectionId) -> Result<CorrectionRequest, Failure> {
        self.harness.ask(&RefuseCorrection { id, reason: note("That was a holiday.") }).await
    }

    /// The number of decisions that were published.
    async fn decisions(&self) -> usize {
        self.events_told::<CorrectionDecided>().await.len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_time_that_is_accepted_is_a_window_by_hand_that_names_what_was_asked() {
    let fixture = Fixture::with_ann().await;
    let asked = fixture.asked(fixture.missing(0)).await;
    assert_eq!((asked.status, asked.employee_id), (CorrectionStatus::Asked, fixture.ann));
    assert!(fixture.stored().await.is_empty(), "nothing changes before somebody has decided");
    let reason = Some(note("Of course."));
    let accepted = fixture.harness.ask(&AcceptCorrection { id: asked.id, reason: reason.clone() }).await.unwrap();
    assert_eq!((accepted.status, accepted.decision_reason.clone()), (CorrectionStatus::Accepted, reason));
    assert_eq!(accepted.decided_by.as_deref(), Some("root"));
    let windows = fixture.stored().await;
    let [window] = &windows[..] else { panic!("one window: {windows:?}") };
    assert_eq!((window.kind, window.correction_id), (WindowType::Manual, Some(asked.id)));
    assert_eq!(
        (window.start, window.end, window.note.clone()),
        (Millis(NOON), Millis(NOON + HOUR), Some(note("Phoned")))
    );
    assert_eq!((window.employee_id, Some(window.id)), (fixture.ann, accepted.recorded_as));
    assert_eq!(window.bill_rate, contracts::Rate::try_from(50.0).ok(), "the rates are those of any window");
    // A second acceptance, as after a lost answer, must give the same result.
    assert_eq!(fixture.accept(asked.id).await.unwrap(), accepted);
    assert_eq!((fixture.stored().await.len(), fixture.decisions().await), (1, 1));
    assert_eq!(fixture.refuse(asked.id).await.unwrap_err().code, Code::AlreadyDecided);
    let actions = fixture.harness.audited_actions(2).await;
    assert_eq!(actions, ["correction.asked", "correction.accepted"]);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_time_for_a_window_and_one_taken_back_are_made_as_an_admin_would_make_them() {
    let fixture = Fixture::with_ann().await;
    let (first, second) = (fixture.recorded(0).await, fixture.recorded(2).await);
    let longer = json!({ "windowId": first, "end": NOON + 2 * HOUR, "reason": "I went on by phone." });
    let longer = fixture.asked(longer).await;
    assert_eq!(longer.was.as_ref().map(|was| was.end), Some(Millis(NOON + HOUR)));
    let taken_back = fixture.asked(json!({ "windowId": second, "void": true, "reason": "That was my break." })).await;
    fixture.accept(longer.id).await.unwrap();
    let accepted = fixture.accept(taken_back.id).await.unwrap();
    assert_eq!(accepted.recorded_as, Some(second));
    let windows = fixture.stored().await;
    let [window] = &windows[..] else { panic!("one window counts: {windows:?}") };
    assert_eq!((window.id, window.end, window.kind), (first, Millis(NOON + 2 * HOUR), WindowType::Tracked));
    assert_eq!(window.correction_id, Some(longer.id));
    let database = fixture.harness.database(Service::Timetrack).await;
    let history = database.collection::<Document>("window_history");
    assert_eq!(history.count_documents(doc! {}).await.unwrap(), 2, "what was is kept");
    let voided = database.collection::<Document>("windows").find_one(doc! { "voided": true }).await.unwrap().unwrap();
    assert!(voided.get_document("window").unwrap().contains_key("correctionId"));
    // The audit trail must have the reasons, in the entries about the changed windows.
    let trail = fixture.harness.audited().await;
    let told = |action: &str, text: &str| {
        let said = |changes: &Option<Value>| changes.as_ref().is_some_and(|changes| changes.to_string().contains(text));
        trail.iter().any(|(_, entry)| entry.action == action && said(&entry.changes))
    };
    assert!(told("window.corrected", "I went on by phone.") && told("window.voided", "That was my break."));
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_window_could_not_say_cannot_be_asked_for_either() {
    let fixture = Fixture::with_ann().await;
    let refused = async |change: &dyn Fn(&mut Value)| {
        let mut asked = fixture.missing(0);
        change(&mut asked);
        fixture.ask(asked).await.unwrap_err().code
    };
    assert_eq!(refused(&|a| a["end"] = json!(NOON)).await, Code::Invalid);
    assert_eq!(refused(&|a| a["end"] = json!(NOON + 25 * HOUR)).await, Code::Invalid);
    assert_eq!(refused(&|a| a["taskId"] = json!(kit::new_id::<WindowId>())).await, Code::UnknownTask);
    assert_eq!(refused(&|a| a["windowId"] = json!(kit::new_id::<WindowId>())).await, Code::NotFound);
    let now = fixture.harness.clock.now().0;
    let ahead = |a: &mut Value| (a["start"], a["end"]) = (json!(now), json!(now + HOUR));
    assert_eq!(refused(&ahead).await, Code::ClockAhead);
    assert_eq!(refused(&|a| (a["start"], a["end"]) = (json!(1_000), json!(2_000))).await, Code::ClockBehind);

    // Ann is on the project only until one hour after `NOON`. She can still request a correction of
    // time before that.
    let until = Term { from: None, until: Some(Millis(NOON + HOUR)) };
    fixture.harness.publish(&fixture.member_changed(2, vec![until])).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    assert_eq!(fixture.ask(fixture.missing(1)).await.unwrap_err().code, Code::NotOnProject);
    let before = fixture.asked(fixture.missing(0)).await;
    let window = fixture.accept(before.id).await.unwrap().recorded_as;

    // An admin cannot request a correction, because admins change windows directly. An employee
    // cannot request one for another employee.
    let bob: EmployeeId = kit::new_id();
    let of_anns = json!({ "windowId": window, "void": true, "reason": "x" });
    let ask = AskCorrection { id: kit::new_id(), asked: serde_json::from_value(of_anns).unwrap() };
    assert_eq!(fixture.harness.ask(&ask).await.unwrap_err().code, Code::Forbidden);
    let by_bob = fixture.harness.bus().ask(Caller::Employee(bob), &ask).await;
    assert_eq!(by_bob.unwrap_err().code, Code::NotFound);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_asked_twice_is_one_and_another_id_or_reason_makes_another() {
    let fixture = Fixture::with_ann().await;
    let sent: CorrectionSent = serde_json::from_value(fixture.missing(0)).unwrap();
    let ask = AskCorrection { id: sent.id(fixture.ann), asked: sent };
    // Eight concurrent requests are like a client that tries again before it has the first answer.
    let tries = futures::future::join_all((0..8).map(|_| fixture.as_ann(&ask))).await;
    let taken: Vec<CorrectionTaken> = tries.into_iter().map(Result::unwrap).collect();
    assert_eq!(taken.iter().filter(|taken| !taken.repeated).count(), 1);
    let mut otherwise = fixture.missing(0);
    otherwise["reason"] = json!("Bob can tell.");
    assert!(!fixture.ask(otherwise.clone()).await.unwrap().repeated);
    otherwise["id"] = json!(ask.id);
    let conflict = fixture.ask(otherwise).await.unwrap_err();
    assert_eq!(conflict.code, Code::Conflict);
    let all = fixture.as_ann(&ListCorrections::default()).await.unwrap().items;
    assert_eq!(all.len(), 2);
    assert_eq!(fixture.harness.audited_actions(2).await, ["correction.asked", "correction.asked"]);
    let bob = Caller::Employee(kit::new_id());
    assert!(fixture.harness.bus().ask(bob, &ListCorrections::default()).await.unwrap().items.is_empty());
    let hidden = fixture.harness.bus().ask(bob, &GetCorrection { id: ask.id }).await;
    assert_eq!(hidden.unwrap_err().code, Code::NotFound);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_read_page_by_page_the_newest_first() {
    let fixture = Fixture::with_ann().await;
    for hours in 0..5 {
        fixture.asked(fixture.missing(hours)).await;
        // The clock moves only after every second request, so several requests have the same time.
        fixture.harness.clock.advance(hours % 2);
    }
    let (mut starts, mut after) = (Vec::new(), None);
    loop {
        let list = ListCorrections { limit: Some(2), after, ..ListCorrections::default() };
        let page = fixture.as_ann(&list).await.unwrap();
        starts.extend(page.items.iter().map(|c| (c.asked_at, c.start)));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(starts.len(), 5);
    assert!(starts.is_sorted_by_key(|(asked_at, _)| std::cmp::Reverse(*asked_at)), "{starts:?}");
    let distinct: std::collections::BTreeSet<_> = starts.iter().map(|(_, start)| *start).collect();
    assert_eq!(distinct.len(), 5);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_has_changed_since_it_was_asked_is_not_corrected_by_what_is_out_of_date() {
    let fixture = Fixture::with_ann().await;
    let (first, second) = (fixture.recorded(0).await, fixture.recorded(2).await);
    let of = |window: WindowId| json!({ "windowId": window, "void": true, "reason": "That was my break." });
    let (corrected, voided) = (fixture.asked(of(first)).await, fixture.asked(of(second)).await);
    let changes = WindowCorrection { end: Some(Millis(NOON + HOUR / 2)), ..Default::default() };
    fixture.harness.ask(&CorrectWindow { id: first, changes, reason: None }).await.unwrap();
    fixture.harness.ask(&VoidWindow { id: second, reason: None }).await.unwrap();
    for asked in [&corrected, &voided] {
        let failure = fixture.accept(asked.id).await.unwrap_err();
        assert_eq!(failure.code, Code::Conflict);
        assert!(failure.detail.contains("changed since"), "{}", failure.detail);
        // The correction is still undecided, so it can be refused.
        fixture.refuse(asked.id).await.unwrap();
    }
    assert_eq!(fixture.stored().await.len(), 1);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_decide_at_once_one_does_and_the_other_hears_of_it() {
    let mut fixture = Fixture::with_ann().await;
    let second = spawn(&fixture.harness).await;
    for round in 0..20 {
        let asked = fixture.asked(fixture.missing(round)).await;
        let (accepted, refused) = tokio::join!(fixture.accept(asked.id), fixture.refuse(asked.id));
        let is_accepted = accepted.is_ok();
        let codes = [accepted, refused].map(|outcome| outcome.err().map(|failure| failure.code));
        let expected = match is_accepted {
            true => [None, Some(Code::AlreadyDecided)],
            false => [Some(Code::AlreadyDecided), None],
        };
        assert_eq!(codes, expected, "round {round}");
        let id = GetCorrection { id: asked.id };
        let status = if is_accepted { CorrectionStatus::Accepted } else { CorrectionStatus::Refused };
        assert_eq!(fixture.harness.ask(&id).await.unwrap().status, status);
        let made = fixture.stored().await.iter().filter(|window| window.correction_id == Some(asked.id)).count();
        assert_eq!(made, usize::from(is_accepted), "round {round}");
        // Two admins accept the same correction at the same time: both must get the same window.
        let agreed = fixture.asked(json!({
            "start": NOON - (round + 1) * HOUR, "end": NOON - round * HOUR, "projectId": fixture.project,
            "taskId": fixture.task, "reason": "I forgot the clock.",
        }));
        let agreed = agreed.await;
        let (one, other) = tokio::join!(fixture.accept(agreed.id), fixture.accept(agreed.id));
        assert_eq!(one.unwrap(), other.unwrap());
        let made = fixture.stored().await.iter().filter(|window| window.correction_id == Some(agreed.id)).count();
        assert_eq!(made, 1, "round {round}");
    }
    assert_eq!(fixture.decisions().await, 40, "each decision once");
    second.stop().await;
    fixture.timetrack.take().unwrap().stop().await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_dies_between_the_window_and_the_decision_leaves_neither() {
    let mut fixture = Fixture::with_ann().await;
    fixture.timetrack.take().unwrap().stop().await;
    let (dies, died) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
    let (now, ever) = (dies.clone(), died.clone());
    let faults = Faults::when(move |at| {
        let dies = at == Step::Deciding && now.load(Ordering::SeqCst);
        ever.fetch_or(dies, Ordering::SeqCst);
        dies
    });
    let run = move |deps, shutdown| timetrack::run_with(faults, Config::default(), deps, shutdown);
    let mortal = fixture.harness.spawn(timetrack::needs(), run).await;
    let asked = fixture.asked(fixture.missing(0)).await;
    let accept = AcceptCorrection { id: asked.id, reason: None };
    let patience = Duration::from_secs(2);
    assert!(fixture.harness.bus().ask_within(patience, Caller::Admin, &accept).await.is_err());
    assert!(died.load(Ordering::SeqCst), "it was on its way");
    assert!(fixture.stored().await.is_empty());
    assert_eq!(fixture.harness.ask(&GetCorrection { id: asked.id }).await.unwrap(), asked);
    dies.store(false, Ordering::SeqCst);
    eventually("it is made", async || fixture.accept(asked.id).await.ok()).await;
    assert_eq!((fixture.stored().await.len(), fixture.decisions().await), (1, 1));
    mortal.stop().await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_decides_about_their_own_time_whatever_their_role() {
    let fixture = Fixture::with_ann().await;
    let asked = fixture.asked(fixture.missing(0)).await;
    let ann = Actor::Person { employee: fixture.ann, session: Some(kit::new_id()) };
    let accept = AcceptCorrection { id: asked.id, reason: None };
    let accepted = Origin::default().with_actor(Some(ann)).scope(fixture.harness.ask(&accept)).await;
    assert_eq!(accepted.unwrap_err().code, Code::OwnTime);
    let refuse = RefuseCorrection { id: asked.id, reason: note("x") };
    let refused = Origin::default().with_actor(Some(ann)).scope(fixture.harness.ask(&refuse)).await;
    assert_eq!(refused.unwrap_err().code, Code::OwnTime);
    assert_eq!(fixture.as_ann(&accept).await.unwrap_err().code, Code::Forbidden);
    let unknown = AcceptCorrection { id: kit::new_id(), reason: None };
    assert_eq!(fixture.harness.ask(&unknown).await.unwrap_err().code, Code::NotFound);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_accepted_correction_changes_a_second_that_is_settled_and_the_refusal_names_what_settles_it() {
    let fixture = Fixture::with_ann().await;
    let (first, second, last) = (fixture.recorded(0).await, fixture.recorded(2).await, fixture.recorded(4).await);
    let asks = [
        json!({ "windowId": first, "end": NOON + HOUR / 2, "reason": "I left earlier." }),
        json!({ "windowId": second, "void": true, "reason": "That was my break." }),
        fixture.missing(1),
        // Only the start of this window would move into settled time.
        json!({ "windowId": last, "start": NOON + 4 * HOUR - 1, "reason": "I began earlier." }),
    ];
    let mut asked = Vec::new();
    for one in asks {
        asked.push(fixture.asked(one).await);
    }
    let before = fixture.stored().await;
    let all_refused_by = async |names: &str| {
        for one in &asked {
            let failure = fixture.accept(one.id).await.unwrap_err();
            assert_eq!(failure.code, Code::PeriodLocked, "{one:?}");
            assert!(failure.detail.contains(names), "{names}: {}", failure.detail);
            assert_eq!(&fixture.harness.ask(&GetCorrection { id: one.id }).await.unwrap(), one, "nobody has decided");
        }
        assert_eq!((fixture.stored().await, fixture.decisions().await), (before.clone(), 0));
    };
    let until = Millis(NOON + 4 * HOUR);
    for project_id in [None, Some(fixture.project)] {
        fixture.harness.ask(&SetLock { project_id, locked_until: until }).await.unwrap();
        let named = project_id.map_or("everything before".to_owned(), |id: ProjectId| format!("on the project {id}"));
        all_refused_by(&named).await;
        all_refused_by("2025-10-09T12:53:20Z").await;
        let reopen = ReopenLock { project_id, locked_until: None, reason: note("A sheet was found.") };
        fixture.harness.ask(&reopen).await.unwrap();
    }
    let october = fixture.october();
    fixture.approve_now(october).await;
    all_refused_by(&format!("the pay period {october} is approved")).await;
    // After the period is reopened, the same corrections can be made.
    fixture.reopen(october).await.unwrap();
    for one in &asked {
        fixture.accept(one.id).await.unwrap();
    }
    assert_eq!(fixture.decisions().await, 4);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_to_be_decided_is_counted_for_services_and_of_those_only_who_are_named() {
    let fixture = Fixture::with_ann().await;
    let waiting = async |employees: Vec<EmployeeId>| {
        fixture.harness.bus().ask(Caller::Service, &CountWaiting { employees }).await.unwrap()
    };
    assert_eq!(waiting(vec![fixture.ann]).await, Waiting::default());
    let (first, _) = (fixture.asked(fixture.missing(0)).await, fixture.asked(fixture.missing(1)).await);
    let october = fixture.october();
    let september = contracts::PeriodId { first: jiff::civil::date(2025, 9, 1), ..october };
    for id in [september, october] {
        fixture.as_ann(&SubmitPeriod { id }).await.unwrap();
    }
    assert_eq!(waiting(vec![kit::new_id(), fixture.ann]).await, Waiting { periods: 2, corrections: 2 });
    fixture.refuse(first.id).await.unwrap();
    fixture.harness.ask(&SendBackPeriod { id: september, note: note("Friday is missing.") }).await.unwrap();
    assert_eq!(waiting(vec![fixture.ann]).await, Waiting { periods: 1, corrections: 1 });
    fixture.approve_now(october).await;
    assert_eq!(waiting(vec![fixture.ann]).await, Waiting { periods: 0, corrections: 1 });
    for others in [Vec::new(), vec![kit::new_id()]] {
        assert_eq!(waiting(others).await, Waiting::default());
    }
    let asked = CountWaiting { employees: vec![fixture.ann] };
    assert_eq!(fixture.harness.ask(&asked).await.unwrap_err().code, Code::Forbidden);
    fixture.harness.finish().await;
}
