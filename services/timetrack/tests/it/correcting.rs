use bson::{Document, doc};
use contracts::{
    Code, CorrectWindow, GetWindow, HOUR, Millis, Outcome, ProjectChanged, ProjectTerm, Service, TaskChanged, Term,
    VoidWindow, WindowCorrection, WindowState, content_hash, stream,
};

use crate::support::{Fixture, NOON, label};

fn until(end: i64) -> WindowCorrection {
    WindowCorrection { end: Some(Millis(end)), ..Default::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_keeps_what_was_and_who_changed_it_and_tells_analytics() {
    let fixture = Fixture::with_ann().await;
    let item = fixture.window(0);
    fixture.send(vec![item.clone()]).await;
    let events = fixture.harness.stream_messages(stream::EVENTS).await;
    let corrected = CorrectWindow { id: item.id, changes: until(NOON + HOUR / 2), reason: None };
    assert_eq!(fixture.harness.ask(&corrected).await.unwrap().end, Millis(NOON + HOUR / 2));
    assert_eq!(fixture.stored().await[0].end, Millis(NOON + HOUR / 2));
    assert_eq!(
        fixture.harness.stream_messages(stream::EVENTS).await,
        events + 2,
        "the window, and an entry in the trail"
    );
    let history = fixture.harness.database(Service::Timetrack).await.collection::<Document>("window_history");
    let former = history.find_one(doc! {}).await.unwrap().unwrap();
    assert_eq!(former.get_str("changed_by").unwrap(), "root");
    let was = former.get_document("was").unwrap().get_document("window").unwrap();
    assert_eq!(was.get_i64("end").unwrap(), NOON + HOUR);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_keeps_the_limits_and_lands_on_a_task_of_the_project() {
    let fixture = Fixture::with_ann().await;
    let item = fixture.window(0);
    fixture.send(vec![item.clone()]).await;
    let refused = async |changes| {
        fixture.harness.ask(&CorrectWindow { id: item.id, changes, reason: None }).await.unwrap_err().code
    };
    assert_eq!(refused(WindowCorrection::default()).await, Code::NothingToChange);
    assert_eq!(refused(until(NOON)).await, Code::Invalid);
    let elsewhere = WindowCorrection { task_id: Some(kit::new_id()), ..Default::default() };
    assert_eq!(refused(elsewhere).await, Code::UnknownTask);
    let unknown = CorrectWindow { id: kit::new_id(), changes: until(NOON + 1), reason: None };
    assert_eq!(fixture.harness.ask(&unknown).await.unwrap_err().code, Code::NotFound);

    let other = TaskChanged { id: kit::new_id(), ..fixture.task_changed(1) };
    fixture.harness.publish(&other).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    let changes = WindowCorrection { task_id: Some(other.id), ..Default::default() };
    assert_eq!(
        fixture.harness.ask(&CorrectWindow { id: item.id, changes, reason: None }).await.unwrap().task_id,
        other.id
    );
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voided_window_counts_no_longer_and_is_not_recorded_again_when_resent() {
    let fixture = Fixture::with_ann().await;
    let item = fixture.window(0);
    fixture.send(vec![item.clone(), fixture.window(1)]).await;
    fixture.harness.ask(&VoidWindow { id: item.id, reason: None }).await.unwrap();
    fixture.harness.ask(&VoidWindow { id: item.id, reason: None }).await.unwrap();
    assert_eq!(fixture.stored().await.len(), 1);
    assert!(matches!(&fixture.send(vec![item.clone()]).await[..], [Outcome::Duplicate(_)]));
    assert_eq!(fixture.stored().await.len(), 1);
    let state = fixture.harness.ask(&GetWindow { id: item.id, seq: None, set_aside: false }).await.unwrap();
    assert!(matches!(state, WindowState::Rejected { code: Code::Voided, .. }));
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_is_sent_again_after_a_correction_is_compared_with_what_was_sent_at_first() {
    let fixture = Fixture::with_ann().await;
    let item = fixture.window(0);
    fixture.send(vec![item.clone()]).await;
    fixture.harness.ask(&CorrectWindow { id: item.id, changes: until(NOON + HOUR / 2), reason: None }).await.unwrap();
    fixture.harness.ask(&CorrectWindow { id: item.id, changes: until(NOON + HOUR / 4), reason: None }).await.unwrap();
    let mut renamed = item.clone();
    renamed.window.computer = label("renamed");
    renamed.hash = content_hash(&renamed.window);
    let mut corrected = item.clone();
    corrected.window.end = Millis(NOON + HOUR / 4);
    corrected.hash = content_hash(&corrected.window);
    let outcomes = fixture.send(vec![item, renamed, corrected]).await;
    assert!(matches!(&outcomes[..], [Outcome::Duplicate(_), Outcome::Duplicate(_), Outcome::Conflict]), "{outcomes:?}");
    assert_eq!(fixture.stored().await[0].end, Millis(NOON + HOUR / 4), "as the admin corrected it");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_lands_on_what_was_there_when_the_time_was_worked() {
    let fixture = Fixture::with_ann().await;
    let (earlier, later) = (fixture.window(0), fixture.window(3));
    fixture.send(vec![earlier.clone(), later.clone()]).await;
    // Another project with a task. Both were deleted between the times of the two windows.
    let until = Term { from: None, until: Some(Millis(NOON + 2 * HOUR)) };
    let project =
        ProjectChanged { id: kit::new_id(), deleted: true, open: Some(vec![until]), ..fixture.project_changed(2) };
    let projects = Some(vec![ProjectTerm { project_id: project.id, term: until }]);
    let id = kit::new_id();
    let task = TaskChanged { id, project_id: project.id, deleted: true, projects, ..fixture.task_changed(2) };
    fixture.harness.publish(&project).await;
    fixture.harness.publish(&task).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    let changes = WindowCorrection { project_id: Some(project.id), task_id: Some(task.id), ..Default::default() };
    let earlier =
        fixture.harness.ask(&CorrectWindow { id: earlier.id, changes: changes.clone(), reason: None }).await.unwrap();
    assert_eq!((earlier.project_id, earlier.task_id), (project.id, task.id));
    let later = fixture.harness.ask(&CorrectWindow { id: later.id, changes, reason: None }).await;
    assert_eq!(later.unwrap_err().code, Code::UnknownProject);
    fixture.harness.finish().await;
}
