//! Tests of tokens that become invalid before they expire.

use std::time::Duration;

use contracts::{AccountChanged, Beat, EmployeeId, Revocation, Role, SessionEnded, SessionId};
use reqwest::StatusCode;
use testkit::{Harness, eventually, eventually_within};

use crate::edge::{Edge, problem_of, start_gateway};

/// No service runs in these tests, so a request whose token is accepted gets this error with status
/// 503.
const LET_IN: &str = "The directory service is away. Try again in a moment.";

async fn me(edge: &Edge, token: &str) -> (StatusCode, bool) {
    let problem = problem_of(edge.get("/api/auth/me").bearer_auth(token)).await;
    (problem.status, problem.text.contains(LET_IN))
}

/// Ends a session, by writing the same entry as directory into the bucket.
async fn end(edge: &Edge, session_id: SessionId) {
    let store = edge.harness.bus().jetstream.get_key_value(contracts::stream::REVOCATIONS).await.expect("the bucket");
    let ended = SessionEnded { session_id, until: edge.harness.clock.now() + 600_000 };
    let (key, ended) = (SessionEnded::entry_key(session_id), serde_json::to_vec(&ended).expect("JSON"));
    store.create_with_ttl(key, ended.into(), Duration::from_secs(601)).await.expect("ended");
}

async fn keys(harness: &Harness) -> Vec<String> {
    let store = harness.bus().jetstream.get_key_value(contracts::stream::REVOCATIONS).await.expect("the bucket");
    let keys = store.keys().await.expect("its keys");
    futures::StreamExt::collect::<Vec<_>>(keys).await.into_iter().map(|key| key.expect("a key")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_dead_within_a_second_and_one_of_the_new_epoch_is_good() {
    let edge = Edge::start().await;
    let employee = kit::new_id();
    let (old, new) = (edge.token(employee, 0), edge.token(employee, 1));
    let other = edge.token(kit::new_id(), 0);
    assert!(me(&edge, &old).await.1);
    let store = edge.harness.bus().jetstream.get_key_value(contracts::stream::REVOCATIONS).await.expect("the bucket");
    let revocation = serde_json::to_vec(&Revocation { epoch: 1 }).expect("JSON");
    store.put(Revocation::key(employee), revocation.into()).await.expect("revoked");
    eventually_within(Duration::from_secs(1), "the token is dead", async || {
        (me(&edge, &old).await.0 == StatusCode::UNAUTHORIZED).then_some(())
    })
    .await;
    assert!(me(&edge, &new).await.1 && me(&edge, &other).await.1);
    // A gateway that starts later knows the revocation as soon as it is ready.
    let (base, _second) = start_gateway(&edge.harness).await;
    let second = edge.http.get(base + "/api/auth/me").bearer_auth(&old);
    assert_eq!(problem_of(second).await.status, StatusCode::UNAUTHORIZED);
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_session_is_dead_within_a_second_and_others_of_the_same_person_are_good() {
    let edge = Edge::start().await;
    let (employee, [ended, other]): (EmployeeId, [SessionId; 2]) = (kit::new_id(), [kit::new_id(), kit::new_id()]);
    let (old, new) = (edge.token_in(ended, employee), edge.token_in(other, employee));
    assert!(me(&edge, &old).await.1 && me(&edge, &new).await.1);
    end(&edge, ended).await;
    eventually_within(Duration::from_secs(1), "the session is dead", async || {
        (me(&edge, &old).await.0 == StatusCode::UNAUTHORIZED).then_some(())
    })
    .await;
    assert!(me(&edge, &new).await.1);
    // A gateway that starts later knows the end of the session as soon as it is ready.
    let (base, _second) = start_gateway(&edge.harness).await;
    let on_second =
        async |token: &str| problem_of(edge.http.get(format!("{base}/api/auth/me")).bearer_auth(token)).await;
    assert_eq!(on_second(&old).await.status, StatusCode::UNAUTHORIZED);
    assert!(on_second(&new).await.text.contains(LET_IN));
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_generation_ends_all_tokens_but_those_of_the_session_that_is_spared() {
    let edge = Edge::start().await;
    let (employee_id, [spared, other]): (EmployeeId, [SessionId; 2]) = (kit::new_id(), [kit::new_id(), kit::new_id()]);
    let store = edge.harness.bus().jetstream.get_key_value(contracts::stream::REVOCATIONS).await.expect("the bucket");
    let account = AccountChanged { employee_id, version: 2, generation: 1, except: Some(spared), role: Role::Employee };
    let account = serde_json::to_vec(&account).expect("JSON");
    store.put(AccountChanged::entry_key(employee_id), account.into()).await.expect("put");
    for dead in [edge.token_in(other, employee_id), edge.token(employee_id, 0)] {
        eventually_within(Duration::from_secs(1), "the token is dead", async || {
            (me(&edge, &dead).await.0 == StatusCode::UNAUTHORIZED).then_some(())
        })
        .await;
    }
    assert!(me(&edge, &edge.token_in(spared, employee_id)).await.1);
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_beat_for_two_seconds_employees_get_503_and_admins_are_let_in() {
    let edge = Edge::start().await;
    let token = edge.token(kit::new_id(), 0);
    // The clock is moved so far that the gateway's last heartbeat is too old. If the next heartbeat
    // arrives between the two requests, the clock is moved again.
    eventually("nothing is known about tokens", async || {
        edge.harness.clock.advance(31_000);
        let (status, let_in) = me(&edge, &token).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        let ready = edge.get("/readyz").send().await.expect("an answer");
        (!let_in && ready.status() == 503).then_some(())
    })
    .await;
    eventually("the next beat", async || me(&edge, &token).await.1.then_some(())).await;
    assert_eq!(edge.get("/readyz").send().await.expect("an answer").status(), 200);
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_stops_takes_its_beat_along_and_that_of_one_that_dies_goes_by_itself() {
    let edge = Edge::start().await;
    let store = edge.harness.bus().jetstream.get_key_value(contracts::stream::REVOCATIONS).await.expect("the bucket");
    let (revoked, revocation) = (Revocation::key(kit::new_id()), serde_json::to_vec(&Revocation { epoch: 1 }));
    store.put(&revoked, revocation.expect("JSON").into()).await.expect("revoked");
    let (_, second) = start_gateway(&edge.harness).await;
    assert_eq!(keys(&edge.harness).await.len(), 3, "a revocation, and one beat each");
    second.stop().await;
    eventually("only one beats", async || (keys(&edge.harness).await.len() == 2).then_some(())).await;
    // Write the entry that a gateway leaves behind when it crashes.
    let (mut headers, beat) = (async_nats::HeaderMap::new(), Beat { number: 1, seen: 0 });
    headers.insert(async_nats::header::NATS_MESSAGE_TTL, "5s");
    let subject = format!("{}{}", store.prefix, Beat::key("dead"));
    let payload = serde_json::to_vec(&beat).expect("JSON").into();
    let sent = edge.harness.bus().jetstream.publish_with_headers(subject, headers, payload).await;
    sent.expect("sent").await.expect("taken");
    edge.gateway.stop().await;
    let kept = async || edge.harness.stream_messages(contracts::stream::REVOCATIONS_STREAM).await;
    eventually_within(Duration::from_secs(60), "the beats are gone", async || (kept().await == 1).then_some(())).await;
    assert_eq!(keys(&edge.harness).await, [revoked]);
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_is_seen_again_after_each_crash_of_nats() {
    let mut edge = Edge::start().await;
    for round in 0..4 {
        edge.harness.nats.kill().await;
        edge.harness.nats.start_again().await.expect("NATS starts again");
        let (employee, session) = (kit::new_id(), kit::new_id());
        let (token, of_session) = (edge.token(employee, 0), edge.token_in(session, kit::new_id()));
        eventually_within(Duration::from_secs(30), "let in again", async || me(&edge, &token).await.1.then_some(()))
            .await;
        end(&edge, session).await;
        let dead = format!("the session is dead in round {round}");
        eventually(&dead, async || (me(&edge, &of_session).await.0 == StatusCode::UNAUTHORIZED).then_some(())).await;
        let store =
            edge.harness.bus().jetstream.get_key_value(contracts::stream::REVOCATIONS).await.expect("the bucket");
        let revocation = serde_json::to_vec(&Revocation { epoch: 1 }).expect("JSON");
        store.put(Revocation::key(employee), revocation.into()).await.expect("revoked");
        let dead = format!("the token is dead in round {round}");
        eventually(&dead, async || (me(&edge, &token).await.0 == StatusCode::UNAUTHORIZED).then_some(())).await;
    }
    // `finish` fails if NATS has refused a subject to the gateway.
    edge.harness.finish().await;
}
