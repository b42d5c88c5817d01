//! Tests that every event names its actor, its HTTP request and its cause.

use std::collections::BTreeMap;

use async_nats::{HeaderMap, header::NATS_MESSAGE_ID};
use contracts::{header, stream};
use serde_json::json;

use crate::fixture::{Fixture, HOUR, TEN};

/// Returns all events in the stream: noun and verb of the subject, such as `employee.changed`, and
/// the headers.
async fn events(fixture: &Fixture) -> Vec<(String, HeaderMap)> {
    let mut events = fixture.system.harness.bus().jetstream.get_stream(stream::EVENTS).await.unwrap();
    let last = events.info().await.unwrap().state.last_sequence;
    let mut all = Vec::new();
    for sequence in 1..=last {
        let message = events.direct_get(sequence).await.unwrap();
        let parts: Vec<_> = message.subject.split('.').collect();
        all.push((format!("{}.{}", parts[3], parts[5]), message.headers));
    }
    all
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| value.as_str().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_names_who_acted_and_what_caused_it() {
    let fixture = Fixture::start().await;
    let ann = format!("person:{}", fixture.ann.id);
    fixture
        .system
        .employee(&fixture.ann.token, "POST", "/api/v1/time-entries", fixture.window(TEN, TEN + HOUR))
        .await
        .expect(201);
    let permissions = json!({ "computer": "anns-mac", "permissions": { "accessibility": "authorized", "screenAndSystemAudioRecording": "denied" } });
    let path = format!("/api/v1/employee/{}/permissions", fixture.ann.id);
    fixture.system.employee(&fixture.ann.token, "POST", &path, permissions).await.expect(200);
    let before = events(&fixture).await;
    let path = format!("/api/v1/employee/{}/deactivate", fixture.ann.id);
    let answer = fixture.system.admin("POST", &path, json!({})).await;
    let request = answer.headers["x-request-id"].to_str().unwrap().to_owned();
    answer.expect(200);

    let actors = |subject: &str, events: &[(String, HeaderMap)]| -> Vec<String> {
        let of = events.iter().filter(|(s, _)| s == subject);
        of.map(|(_, headers)| text(headers, header::ACTOR).unwrap()).collect()
    };
    // The admin has created the employee. Ann has activated the account and reported permissions.
    let [created, activated, permitted] = &actors("employee.changed", &before)[..] else { panic!("three changes") };
    assert_eq!((created.as_str(), activated), ("root", &ann));
    // Ann has reported the permissions after her log-in, so the actor names her session too.
    assert!(permitted.starts_with(&format!("{ann}/")), "{permitted}");
    assert_eq!(actors("project.changed", &before), ["root"]);
    assert_eq!(actors("windows.recorded", &before), ["service:timetrack"]);

    let after = events(&fixture).await.split_off(before.len());
    let by_subject: BTreeMap<_, _> = after.into_iter().collect();
    let (deactivated, swept) = (&by_subject["employee.changed"], &by_subject["member.changed"]);
    assert_eq!(text(deactivated, header::ACTOR).as_deref(), Some("root"));
    assert_eq!(text(deactivated, header::CAUSE), None);
    assert_eq!(text(swept, header::ACTOR).as_deref(), Some("service:projects"));
    assert_eq!(text(swept, header::CAUSE), text(deactivated, NATS_MESSAGE_ID.as_ref()));
    for headers in [deactivated, swept] {
        assert_eq!(text(headers, header::REQUEST_ID).as_ref(), Some(&request));
    }
    fixture.system.finish().await;
}
