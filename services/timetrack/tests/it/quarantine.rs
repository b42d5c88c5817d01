use contracts::{
    AdmitQuarantined, Caller, Code, DiscardQuarantined, GetWindow, IngestItem, ListQuarantine, Outcome,
    QuarantinedWindow, ReplayQuarantined, Service, WindowContent, WindowState, content_hash, stream,
};
use testkit::eventually;

use crate::support::{Fixture, spawn};

fn replay(id: contracts::WindowId) -> ReplayQuarantined {
    ReplayQuarantined { id, content: None, set_aside: true }
}

fn status(item: &IngestItem, seq: Option<u64>) -> GetWindow {
    GetWindow { id: item.id, seq, set_aside: true }
}

/// A window with the same id that ends this many minutes earlier.
fn other(item: &IngestItem, minutes: i64) -> IngestItem {
    let mut other = item.clone();
    other.window.end = other.window.end - minutes * 60_000;
    other.hash = content_hash(&other.window);
    other
}

impl Fixture {
    async fn quarantined(&self) -> Vec<QuarantinedWindow> {
        self.harness.ask(&ListQuarantine::default()).await.unwrap().items
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_in_quarantine_is_recorded_once_the_admin_has_put_things_right() {
    let fixture = Fixture::with_ann().await;
    fixture.remove_ann().await;
    let item = fixture.window(1);
    fixture.send(vec![item.clone()]).await;

    let quarantined = fixture.quarantined().await;
    assert_eq!(
        quarantined.iter().map(|w| (w.id, w.code, w.waiting)).collect::<Vec<_>>(),
        [(item.id, Code::NotOnProject, false)]
    );
    assert!(matches!(fixture.harness.ask(&replay(item.id)).await, Ok(WindowState::Rejected { .. })));

    fixture.put_ann_back().await;
    assert!(matches!(fixture.harness.ask(&replay(item.id)).await, Ok(WindowState::Recorded(_))));
    assert!(fixture.quarantined().await.is_empty());
    assert_eq!(fixture.harness.ask(&replay(item.id)).await.unwrap_err().code, Code::NotFound);
    assert_eq!(fixture.stored().await.len(), 1);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_is_recorded_and_waits_for_an_admin_all_the_same_is_taken_out_by_itself() {
    let fixture = Fixture::with_ann().await;
    fixture.remove_ann().await;
    let (item, conflict) = (fixture.window(1), other(&fixture.window(1), 10));
    fixture.send(vec![item.clone()]).await;
    let rows = fixture.harness.database(Service::Timetrack).await.collection::<bson::Document>("quarantine");
    let row = rows.find_one(bson::doc! {}).await.unwrap().expect("it is held");
    fixture.put_ann_back().await;
    assert!(matches!(fixture.harness.ask(&replay(item.id)).await, Ok(WindowState::Recorded(_))));
    fixture.send(vec![conflict]).await;
    // The quarantine document of `item` is inserted again. This is the state that a worker leaves
    // if it is suspended, then quarantines the window late, and then dies.
    rows.insert_one(row).await.unwrap();
    eventually("only the conflict is held", async || {
        let codes: Vec<Code> = fixture.quarantined().await.iter().map(|quarantined| quarantined.code).collect();
        (codes == [Code::Conflict]).then_some(())
    })
    .await;
    assert_eq!(fixture.stored().await.len(), 1);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_finds_another_under_its_id_is_set_aside_and_never_dropped() {
    let fixture = Fixture::with_ann().await;
    let first = fixture.window(0);
    let second = other(&first, 10);
    // Both windows have the same id. Only the sequence number in the queue tells which of them a
    // client asks about.
    let first_seq = fixture.queue(vec![first.clone()]).await;
    fixture.harness.until_consumed(stream::INGEST, Service::Timetrack).await;
    let second_seq = fixture.queue(vec![second.clone()]).await;
    fixture.harness.until_consumed(stream::INGEST, Service::Timetrack).await;
    let quarantined = fixture.quarantined().await;
    assert_eq!(quarantined.iter().map(|w| (w.id, w.code)).collect::<Vec<_>>(), [(first.id, Code::Conflict)]);
    assert_eq!(quarantined[0].window.end, second.window.end);

    let told = async |seq| fixture.harness.ask(&status(&first, seq)).await.unwrap();
    assert!(matches!(told(Some(first_seq)).await, WindowState::Recorded(window) if window.end == first.window.end));
    assert!(matches!(told(None).await, WindowState::Recorded(window) if window.end == first.window.end));
    assert!(matches!(told(Some(second_seq)).await, WindowState::Rejected { code: Code::Conflict, .. }));

    // If the second window is sent again, it is a conflict again, and takes no second place in
    // quarantine.
    assert!(matches!(&fixture.send(vec![second.clone()]).await[..], [Outcome::Conflict]));
    assert_eq!(fixture.quarantined().await.len(), 1);

    // An admin records the second window with a computed id. A repeated request does not record it
    // again.
    let admit = AdmitQuarantined { id: first.id, content: None };
    let admitted = fixture.harness.ask(&admit).await.unwrap();
    assert_eq!(fixture.harness.ask(&admit).await.unwrap().id, admitted.id);
    assert_ne!(admitted.id, first.id);
    assert_eq!(fixture.stored().await.len(), 2);
    assert!(fixture.quarantined().await.is_empty());
    assert!(matches!(told(Some(second_seq)).await, WindowState::Recorded(window) if window.id == admitted.id));
    assert!(matches!(told(Some(first_seq)).await, WindowState::Recorded(window) if window.id == first.id));
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_window_with_the_same_id_takes_no_place_of_one_that_is_held() {
    let fixture = Fixture::with_ann().await;
    fixture.remove_ann().await;
    let item = fixture.window(1);
    let contents = vec![item.clone(), other(&item, 10), other(&item, 20)];
    for _ in 0..2 {
        for outcome in fixture.send(contents.clone()).await {
            assert!(matches!(outcome, Outcome::Rejected { code: Code::NotOnProject, .. }), "{outcome:?}");
        }
    }
    let mut ends: Vec<_> = fixture.quarantined().await.iter().map(|quarantined| quarantined.window.end).collect();
    ends.sort_unstable();
    let mut sent: Vec<_> = contents.iter().map(|item| item.window.end).collect();
    sent.sort_unstable();
    assert_eq!(ends, sent);

    // Three windows with this id are held, so the id alone does not say which one is meant.
    let admit = |content| AdmitQuarantined { id: item.id, content };
    assert_eq!(fixture.harness.ask(&admit(None)).await.unwrap_err().code, Code::Conflict);
    let of = |item| Some(WindowContent::from(item).hash());
    let first = fixture.harness.ask(&admit(of(&contents[0]))).await.unwrap();
    let second = fixture.harness.ask(&admit(of(&contents[1]))).await.unwrap();
    assert_eq!((first.id, first.end), (item.id, item.window.end));
    assert!(second.id != item.id && second.end == contents[1].window.end);
    assert_eq!(fixture.quarantined().await.len(), 1, "the third is still to be decided");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_version_held_is_found_admitted_and_let_go() {
    let fixture = Fixture::with_ann().await;
    let (rejected, waiting) = (fixture.window(1), fixture.window(2));
    let rows = fixture.harness.database(Service::Timetrack).await.collection::<bson::Document>("quarantine");
    for (item, is_waiting) in [(&rejected, false), (&waiting, true)] {
        let row = bson::doc! {
            "_id": format!("{}_{}", item.employee_id, item.id), "window_id": kit::mongo::value(&item.id),
            "item": kit::mongo::value(item), "code": "not_on_project", "waiting": is_waiting,
            "since": fixture.harness.clock.now().0,
        };
        rows.insert_one(row).await.unwrap();
    }
    eventually("the one that waits is recorded", async || (fixture.stored().await.len() == 1).then_some(())).await;
    // Another window with the id of `rejected` gets a document of its own. When `rejected` is
    // recorded, only the document of `rejected` is removed.
    fixture.remove_ann().await;
    fixture.send(vec![other(&rejected, 10)]).await;
    assert_eq!(fixture.quarantined().await.len(), 2);
    fixture.put_ann_back().await;
    assert!(matches!(&fixture.send(vec![rejected.clone()]).await[..], [Outcome::Stored(_)]));
    let left = fixture.quarantined().await;
    assert_eq!(left.iter().map(|w| w.window.end).collect::<Vec<_>>(), [other(&rejected, 10).window.end]);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_admits_what_a_rule_refuses_but_not_what_nobody_has_told_of() {
    let fixture = Fixture::with_ann().await;
    fixture.remove_ann().await;
    let item = fixture.window(1);
    let mut unknown = fixture.window(2).window;
    unknown.task_id = kit::new_id();
    let unknown = fixture.item(unknown);
    fixture.send(vec![item.clone(), unknown.clone()]).await;
    let admit = |item: &IngestItem| AdmitQuarantined { id: item.id, content: None };
    let by_ann = fixture.harness.bus().ask(Caller::Employee(fixture.ann), &admit(&item)).await;
    assert_eq!(by_ann.unwrap_err().code, Code::Forbidden);

    let window = fixture.harness.ask(&admit(&item)).await.unwrap();
    assert_eq!((window.id, window.bill_rate), (item.id, contracts::Rate::try_from(50.0).ok()));
    assert_eq!(fixture.harness.ask(&admit(&unknown)).await.unwrap_err().code, Code::UnknownTask);
    assert_eq!(fixture.harness.ask(&admit(&fixture.window(5))).await.unwrap_err().code, Code::NotFound);
    assert!(matches!(&fixture.send(vec![item.clone()]).await[..], [Outcome::Duplicate(_)]));

    let decided = ListQuarantine { decided: true, ..ListQuarantine::default() };
    let decided = fixture.harness.ask(&decided).await.unwrap().items;
    assert_eq!(decided.len(), 1);
    assert_eq!((decided[0].recorded_as, decided[0].decided_by.as_deref()), (Some(item.id), Some("root")));
    assert!(decided[0].decided_at.is_some());
    let discard = DiscardQuarantined { id: item.id, content: None };
    assert_eq!(fixture.harness.ask(&discard).await.unwrap_err().code, Code::Conflict, "it is recorded");
    // A second admission of the window changes nothing.
    assert_eq!(fixture.harness.ask(&admit(&item)).await.unwrap().id, window.id);
    assert_eq!(fixture.harness.audited_actions(1).await, ["quarantine.admitted"]);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discarded_window_is_kept_with_who_and_when_and_tried_no_more() {
    let fixture = Fixture::with_ann().await;
    fixture.remove_ann().await;
    let item = fixture.window(1);
    fixture.send(vec![item.clone()]).await;
    let discard = DiscardQuarantined { id: item.id, content: None };
    fixture.harness.ask(&discard).await.unwrap();
    fixture.harness.ask(&discard).await.unwrap();
    assert!(fixture.quarantined().await.is_empty());
    let decided =
        fixture.harness.ask(&ListQuarantine { decided: true, ..ListQuarantine::default() }).await.unwrap().items;
    assert_eq!((decided.len(), decided[0].recorded_as), (1, None));
    assert_eq!((decided[0].decided_by.as_deref(), &decided[0].window), (Some("root"), &item.window));
    let WindowState::Rejected { detail, .. } = fixture.harness.ask(&status(&item, None)).await.unwrap() else {
        panic!()
    };
    assert!(detail.contains("discarded"), "{detail}");
    // If the window is sent again, it stays discarded.
    assert!(matches!(&fixture.send(vec![item.clone()]).await[..], [Outcome::Rejected { .. }]));
    assert!(fixture.quarantined().await.is_empty());
    assert_eq!(fixture.harness.ask(&replay(item.id)).await.unwrap_err().code, Code::NotFound);
    // An admin may still admit a window that was discarded.
    fixture.harness.ask(&AdmitQuarantined { id: item.id, content: None }).await.unwrap();
    assert_eq!(fixture.stored().await.len(), 1);
    assert_eq!(fixture.harness.audited_actions(2).await, ["quarantine.discarded", "quarantine.admitted"]);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_in_the_queue_that_is_not_the_window_s_own_is_not_found() {
    let mut fixture = Fixture::with_ann().await;
    fixture.timetrack.take().unwrap().stop().await;
    let (queued, never) = (fixture.window(0), fixture.window(1));
    let seq = fixture.queue(vec![queued.clone()]).await;
    let broken = format!("{{\"items\":[{{\"id\":\"{}\",\"employeeId\":\"{}\"}}]}}", never.id, fixture.ann);
    // MongoDB refuses to store windows for a while, so the window is only in the queue.
    let database = fixture.harness.database(Service::Timetrack).await;
    let windows = database.collection::<bson::Document>("windows").namespace();
    let url = &fixture.harness.settings().mongo.mongo_connection_string;
    let admin = kit::mongo::connect(url.expose(), None, "rules").await.unwrap().database(&windows.db);
    let rule = |rule: bson::Document| bson::doc! { "collMod": &windows.coll, "validator": rule };
    admin.run_command(rule(bson::doc! { "never": true })).await.unwrap();
    fixture.timetrack = Some(spawn(&fixture.harness).await);
    let told = async |caller, item: &IngestItem, seq| fixture.harness.bus().ask(caller, &status(item, Some(seq))).await;
    let ann = Caller::Employee(fixture.ann);
    let not_found = |state: Result<WindowState, contracts::Failure>| state.unwrap_err().code == Code::NotFound;
    assert_eq!(told(ann, &queued, seq).await, Ok(WindowState::Queued));
    assert_eq!(told(Caller::Admin, &queued, seq).await, Ok(WindowState::Queued));
    assert!(not_found(told(ann, &never, seq).await), "nobody has sent it");
    assert!(not_found(told(ann, &queued, seq + 1).await), "there is nothing yet");
    for never_given in [0, seq + 1_000_000, i64::MAX as u64, u64::MAX] {
        assert!(not_found(told(ann, &queued, never_given).await), "{never_given}");
    }
    assert!(not_found(told(Caller::Employee(kit::new_id()), &queued, seq).await), "it is hers");
    admin.run_command(rule(bson::doc! {})).await.unwrap();
    fixture.harness.until_consumed(stream::INGEST, Service::Timetrack).await;
    assert!(matches!(told(ann, &queued, seq).await, Ok(WindowState::Recorded(_))));
    assert!(not_found(told(ann, &never, seq).await), "it has left the queue, and was another's");
    // With the sequence number of the dead message, the window in that message must be rejected,
    // and another window must not be found.
    let dead = fixture.queue_payload(broken.into_bytes()).await;
    eventually("it is dead", async || (fixture.harness.stream_messages(stream::DEAD).await == 1).then_some(())).await;
    fixture.harness.until_consumed(stream::INGEST, Service::Timetrack).await;
    assert!(matches!(told(ann, &never, dead).await, Ok(WindowState::Rejected { code: Code::Internal, .. })));
    assert!(not_found(told(ann, &fixture.window(7), dead).await));
    fixture.harness.finish().await;
}
