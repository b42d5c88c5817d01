use async_nats::{HeaderMap, jetstream::consumer::pull};
use contracts::{
    Caller, EmployeeChanged, EmployeeState, Event, ListEmployees, MemberChanged, MintToken, Request, Service,
    WindowsRecorded, header, stream,
};
use kit::Shutdown;
use testkit::Harness;

use crate::intruder::Intruder;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_mailer_s_key_forges_changes_nothing() {
    let harness = Harness::start().await;
    let run = |deps, stop| directory::run(directory::Config::default(), deps, stop);
    harness.spawn(directory::needs(), run).await;
    let mut intruder = Intruder::with_the_key_of(Service::Mailer.into(), &harness).await;

    let employee_state =
        EmployeeChanged(EmployeeState { id: kit::new_id(), version: 9, epoch: 9, deactivated_at: None, active: None });
    intruder.is_refused_to_say(&employee_state.subject(), &serde_json::to_vec(&employee_state).unwrap()).await;
    let windows = WindowsRecorded { batch: "b".into(), windows: Vec::new() };
    intruder.is_refused_to_say(&windows.subject(), &serde_json::to_vec(&windows).unwrap()).await;
    intruder.is_refused_to_say(&MemberChanged::filter().replace('*', "1"), b"{}").await;
    let create = br#"{"name":"Eve","email":"eve@example.org"}"#;
    intruder.is_refused_to_say("svc.directory.v1.employees.create", create).await;

    assert_eq!(harness.stream_messages(stream::EVENTS).await, 0);
    assert_eq!(harness.ask(&ListEmployees { after: None }).await.unwrap().items, []);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_a_service_speak_for_them_by_naming_where_it_answers() {
    let harness = Harness::start().await;
    let run = |deps, stop: Shutdown| directory::run(directory::Config::default(), deps, stop);
    harness.spawn(directory::needs(), run).await;
    let id = harness
        .publish(&EmployeeChanged(EmployeeState {
            id: kit::new_id(),
            version: 1,
            epoch: 0,
            deactivated_at: None,
            active: None,
        }))
        .await;
    harness.until_consumed(stream::EVENTS, Service::Directory).await;
    let intruder = Intruder::with_the_key_of(Service::Mailer.into(), &harness).await;
    let mut headers = HeaderMap::new();
    headers.insert(header::CALLER, Caller::Admin.to_string());
    let question = serde_json::to_vec(&MintToken { invitation_id: kit::new_id(), employee_id: kit::new_id() }).unwrap();
    for reply in ["$JS.API.STREAM.PURGE.EVENTS", "evt.projects.v1.member.1.changed", "ingest.v1.windows"] {
        let (headers, question) = (headers.clone(), question.clone().into());
        intruder.client.publish_with_reply_and_headers(MintToken::subject(), reply, headers, question).await.unwrap();
    }
    // The service handles requests in order. After this answer, the earlier requests are handled
    // too. If NATS had delivered an answer to one of their reply subjects, the counts below would
    // differ.
    let asked = intruder.client.request(MintToken::subject(), question.into()).await.unwrap();
    assert!(!asked.payload.is_empty());
    assert_eq!(harness.stream_messages(stream::EVENTS).await, 1, "{id} and nothing else");
    assert_eq!(harness.stream_messages(stream::INGEST).await, 0);
}

/// JetStream publishes a message to any reply subject that a pull names, with the rights of the
/// server. When there is no message, it publishes an empty one. In the account of JetStream, a
/// reply to the subject of a deletion would delete a stream. Services have another account, which
/// these messages must not leave.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_jetstream_speak_for_them_by_naming_where_it_delivers() {
    let harness = Harness::start().await;
    harness.provision(&mailer::needs()).await;
    let invited = "evt.directory.v1.invitation.1.requested";
    harness.bus().jetstream.publish(invited, "{}".into()).await.unwrap().await.unwrap();
    let intruder = Intruder::with_the_key_of(Service::Mailer.into(), &harness).await;
    let (next, one) = ("$JS.API.CONSUMER.MSG.NEXT.EVENTS.mailer", r#"{"batch":1,"no_wait":true}"#);
    let forged = ["evt.projects.v1.member.1.changed", "evt.directory.v1.employee.1.changed", "ingest.v1.windows"];
    let lost = ["STREAM.PURGE.EVENTS", "STREAM.DELETE.INGEST", "STREAM.DELETE.EVENTS", "CONSUMER.DELETE.EVENTS.mailer"];
    let others = ["dead.events.mailer", "$KV.revocations.employee.1"];
    let replies = forged.into_iter().chain(others).map(str::to_owned);
    for reply in replies.chain(lost.map(|subject| format!("$JS.API.{subject}"))) {
        for _ in 0..2 {
            intruder.client.publish_with_reply(next, reply.clone(), one.into()).await.unwrap();
        }
    }
    // NATS handles requests in order. After this answer, the earlier requests are handled too. If
    // NATS had published to one of their reply subjects, the counts below would differ.
    intruder.client.request(next, one.into()).await.unwrap();
    intruder.client.request("$JS.API.CONSUMER.INFO.EVENTS.mailer", "".into()).await.unwrap();
    assert_eq!(harness.stream_messages(stream::EVENTS).await, 1);
    for name in [stream::INGEST, stream::DEAD, stream::REVOCATIONS_STREAM] {
        assert_eq!(harness.stream_messages(name).await, 0, "{name}");
    }
    let consumer =
        harness.bus().jetstream.get_consumer_from_stream::<pull::Config, _, _>("mailer", stream::EVENTS).await;
    assert!(consumer.is_ok(), "{consumer:?}");
}
