use contracts::{Action, Actor, Caller, Code, EmployeeId, ListAuditEntries, Millis, SessionId};

use crate::trail::{Trail, audited, ids};

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_is_filtered_by_who_what_when_and_which_and_comes_in_pages() {
    let (trail, _running) = Trail::start().await;
    let (ann, session) = (kit::new_id::<EmployeeId>(), kit::new_id::<SessionId>());
    let person = |employee, session| Actor::Person { employee, session };
    let (mut one, two, three) =
        (audited(Action::TaskCreated), audited(Action::TaskUpdated), audited(Action::TaskUpdated));
    one.at = Millis(1_000);
    trail.publish(&one).await;
    trail.tell_as(person(ann, Some(session)), &two).await;
    trail.tell_as(person(kit::new_id(), None), &three).await;
    trail.entries(3).await;

    let asked = ListAuditEntries::default;
    let cases = [
        (ListAuditEntries { actor: Some(Actor::Root), ..asked() }, vec![one.id]),
        (ListAuditEntries { actor: Some(person(ann, None)), ..asked() }, vec![two.id]),
        (ListAuditEntries { actor: Some(person(ann, Some(session))), ..asked() }, vec![two.id]),
        (ListAuditEntries { action: Some("task.updated".into()), ..asked() }, vec![three.id, two.id]),
        (ListAuditEntries { subject: Some(three.subject.id.clone()), ..asked() }, vec![three.id]),
        (ListAuditEntries { request_id: Some("a-request".into()), ..asked() }, vec![three.id, two.id, one.id]),
        (ListAuditEntries { request_id: Some("another".into()), ..asked() }, vec![]),
        (ListAuditEntries { end: Some(Millis(1_001)), ..asked() }, vec![one.id]),
        (ListAuditEntries { start: Some(Millis(1_001)), ..asked() }, vec![three.id, two.id]),
        (ListAuditEntries { after: Some(3), limit: Some(1), ..asked() }, vec![two.id]),
    ];
    for (asked, expected) in cases {
        assert_eq!(ids(&trail.list(asked.clone()).await), expected, "{asked:?}");
    }
    let page = trail.harness.ask(&ListAuditEntries { limit: Some(2), ..asked() }).await.unwrap();
    assert_eq!((ids(&page.items), page.next), (vec![three.id, two.id], Some(2)));
    trail.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_admins_read_the_trail() {
    let (trail, _running) = Trail::start().await;
    let refused = trail.harness.bus().ask(Caller::Employee(kit::new_id()), &ListAuditEntries::default()).await;
    assert_eq!(refused.unwrap_err().code, Code::Forbidden);
    trail.harness.finish().await;
}
