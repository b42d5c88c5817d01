//! Tests of log-ins and sessions.

use bson::{DateTime, Document, doc};
use contracts::{
    AccountChanged, Actor, AuditSubject, Audited, Caller, Code, DAY, DeactivateEmployee, EmployeeId, EndOtherSessions,
    EndSession, Failure, Label, ListSessions, LogOut, LoggedIn, MarkSessionsSeen, Millis, RefreshSession, Request,
    Role, SECOND, Secret, Service, Session, SessionEnded, SessionId, SetRole, WantedSession, stream,
};
use futures::future::join_all;
use kit::Origin;

use crate::fixture::{Fixture, PASSWORD, refused};

/// The employee and the session in whose name a request is sent.
#[derive(Clone, Copy, Debug)]
struct Identity {
    employee: EmployeeId,
    session: Option<SessionId>,
}

fn identity(logged_in: &LoggedIn) -> Identity {
    Identity { employee: logged_in.employee_id, session: logged_in.session.as_ref().map(|session| session.id) }
}

fn refresh_token(logged_in: &LoggedIn) -> Secret {
    logged_in.session.as_ref().and_then(|session| session.refresh_token.clone()).expect("a refresh token")
}

impl Fixture {
    /// Logs in and requests a refresh token.
    async fn begin(&self, email: &str) -> LoggedIn {
        let agent = Some(Label::parse("T3/1.4").unwrap());
        let wanted = WantedSession { agent, refresh: true, token_seconds: 900 };
        let origin = Origin::of_request("one".into()).with_address(Some("192.0.2.7".into()));
        origin.scope(self.log_in_for(email, PASSWORD, wanted)).await.unwrap()
    }

    /// Sends a request in the name of this employee and session, as a gateway does.
    async fn ask_in_session<R: Request>(&self, identity: Identity, request: &R) -> Result<R::Reply, Failure> {
        let actor = Actor::Person { employee: identity.employee, session: identity.session };
        let ask = self.harness.bus().ask(Caller::Employee(identity.employee), request);
        Origin::default().with_actor(Some(actor)).scope(ask).await
    }

    async fn refresh(&self, token: &Secret) -> Result<LoggedIn, Failure> {
        let request = RefreshSession { refresh_token: token.clone(), token_seconds: 900 };
        self.harness.bus().ask(Caller::Anonymous, &request).await
    }

    async fn sessions(&self, identity: Identity) -> Vec<Session> {
        self.ask_in_session(identity, &ListSessions {}).await.unwrap()
    }

    /// The entry about the end of a session in the KV bucket that gateways watch.
    async fn end(&self, session: Option<SessionId>) -> Option<SessionEnded> {
        let bucket = self.harness.bus().jetstream.get_key_value(stream::REVOCATIONS).await.unwrap();
        let value = bucket.get(SessionEnded::entry_key(session.unwrap())).await.unwrap();
        value.map(|value| serde_json::from_slice(&value).unwrap())
    }

    /// Waits until the audit trail has at least this many entries with this action, and returns
    /// these entries in order.
    async fn audited(&self, action: &str, at_least: usize) -> Vec<Audited> {
        testkit::eventually(action, async || {
            let entries = self.events::<Audited>(at_least).await.into_iter().filter(|entry| entry.action == action);
            Some(entries.collect::<Vec<_>>()).filter(|entries| entries.len() >= at_least)
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_log_in_is_a_session_that_its_owner_sees_and_nobody_else() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    let bob = fixture.employ("Bob", "bob@x.org").await;
    let (first, second) = (fixture.begin("ann@x.org").await, fixture.log_in("ann@x.org", PASSWORD).await.unwrap());
    assert_eq!(second.session.as_ref().and_then(|session| session.refresh_token.clone()), None);
    let seen = fixture.sessions(identity(&first)).await;
    let shown: Vec<_> = seen.iter().map(|session| (Some(session.id), session.current)).collect();
    assert_eq!(shown, [(identity(&second).session, false), (identity(&first).session, true)]);
    assert_eq!(
        (seen[1].agent.as_ref().map(Label::as_str), seen[1].address.as_deref()),
        (Some("T3/1.4"), Some("192.0.2.7"))
    );
    assert_eq!((&seen[0].agent, seen[1].last_seen_at), (&None, seen[1].created_at));
    let of_bob = Identity { employee: bob.id, session: None };
    assert!(fixture.sessions(of_bob).await.is_empty());
    refused(fixture.ask_in_session(of_bob, &EndSession { id: seen[0].id }).await, Code::NotFound);
    refused(fixture.harness.ask(&ListSessions {}).await, Code::Forbidden);
    // The entries name the employee and the session, and do not contain the token.
    let entries = fixture.audited("login.succeeded", 2).await;
    assert!(entries.iter().all(|entry| entry.subject == AuditSubject::new("employee", ann.id)));
    let (text, token) = (serde_json::to_string(&entries).unwrap(), refresh_token(&first));
    assert!(text.contains(&seen[1].id.to_string()) && !text.contains(token.expose()), "{text}");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_ended_is_gone_and_gateways_are_told_until_its_last_token_is_over() {
    let fixture = Fixture::start().await;
    fixture.employ("Ann", "ann@x.org").await;
    let (here, there) = (fixture.begin("ann@x.org").await, fixture.begin("ann@x.org").await);
    let id = identity(&there).session.unwrap();
    fixture.ask_in_session(identity(&here), &EndSession { id }).await.unwrap();
    let until = fixture.end(Some(id)).await.unwrap().until - fixture.harness.clock.now();
    assert!((900 * SECOND..DAY).contains(&until), "{until}");
    assert_eq!(fixture.end(identity(&here).session).await, None);
    refused(fixture.refresh(&refresh_token(&there)).await, Code::InvalidToken);
    refused(fixture.ask_in_session(identity(&here), &EndSession { id }).await, Code::NotFound);
    assert_eq!(fixture.sessions(identity(&here)).await.len(), 1);
    // A log-out is idempotent.
    for _ in 0..2 {
        fixture.ask_in_session(identity(&here), &LogOut {}).await.unwrap();
    }
    assert!(fixture.end(identity(&here).session).await.is_some() && fixture.sessions(identity(&here)).await.is_empty());
    assert_eq!(fixture.audited("session.ended", 2).await.len(), 2);
    // A second event about the same session changes nothing.
    let ended = fixture.end(Some(id)).await.unwrap();
    fixture.harness.publish_twice(&SessionEnded { until: ended.until + DAY, ..ended }).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Directory).await;
    assert_eq!(fixture.end(Some(id)).await, Some(ended));
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_ends_all_others_goes_on_alone() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    let mut logged_in = Vec::new();
    for _ in 0..3 {
        logged_in.push(fixture.begin("ann@x.org").await);
    }
    let own = &logged_in[1];
    fixture.ask_in_session(identity(own), &EndOtherSessions {}).await.unwrap();
    let bucket = fixture.harness.bus().jetstream.get_key_value(stream::REVOCATIONS).await.unwrap();
    let account = bucket.get(AccountChanged::entry_key(ann.id)).await.unwrap().unwrap();
    let account: AccountChanged = serde_json::from_slice(&account).unwrap();
    for other in &logged_in {
        assert_eq!(
            account.ends(other.generation, identity(other).session),
            identity(other).session != identity(own).session
        );
    }
    assert_eq!(fixture.sessions(identity(own)).await.len(), 1);
    for other in [&logged_in[0], &logged_in[2]] {
        refused(fixture.refresh(&refresh_token(other)).await, Code::InvalidToken);
    }
    // A refresh gives the remaining session the new generation. So when another session later ends
    // all others, this session ends too.
    let next = fixture.refresh(&refresh_token(own)).await.unwrap();
    assert_eq!(next.generation, account.generation);
    let later = fixture.begin("ann@x.org").await;
    fixture.ask_in_session(identity(&later), &EndOtherSessions {}).await.unwrap();
    refused(fixture.refresh(&refresh_token(&next)).await, Code::InvalidToken);
    fixture.refresh(&refresh_token(&later)).await.unwrap();
    // A token from before sessions existed cannot be ended alone, so logging out with it ends all
    // sessions.
    fixture.ask_in_session(Identity { employee: ann.id, session: None }, &LogOut {}).await.unwrap();
    assert!(fixture.sessions(identity(&later)).await.is_empty());
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_role_and_a_deactivation_end_all_sessions() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    let first = fixture.begin("ann@x.org").await;
    fixture.harness.ask(&SetRole { id: ann.id, role: Role::Manager }).await.unwrap();
    refused(fixture.refresh(&refresh_token(&first)).await, Code::InvalidToken);
    let second = fixture.begin("ann@x.org").await;
    assert_eq!(fixture.sessions(identity(&second)).await.len(), 1);
    fixture.harness.ask(&DeactivateEmployee { id: ann.id }).await.unwrap();
    refused(fixture.refresh(&refresh_token(&second)).await, Code::InvalidToken);
    fixture.harness.ask(&contracts::ReactivateEmployee { id: ann.id }).await.unwrap();
    refused(fixture.refresh(&refresh_token(&second)).await, Code::InvalidToken);
    assert!(fixture.sessions(identity(&second)).await.is_empty());
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_refreshes_at_once_one_wins_and_all_get_the_same() {
    let fixture = Fixture::start().await;
    // A second replica runs, so that the requests do not queue in one process.
    fixture.harness.spawn(directory::needs(), |d, s| directory::run(directory::Config::default(), d, s)).await;
    fixture.employ("Ann", "ann@x.org").await;
    let first = fixture.begin("ann@x.org").await;
    let mut token = refresh_token(&first);
    for round in 0..5 {
        let outcomes = join_all((0..6).map(|_| fixture.refresh(&token))).await;
        let next: Vec<_> = outcomes.iter().map(|outcome| refresh_token(outcome.as_ref().unwrap())).collect();
        assert!(next.iter().all(|one| *one == next[0] && *one != token), "round {round}");
        token = next[0].clone();
    }
    assert_eq!(fixture.end(identity(&first).session).await, None);
    assert_eq!(fixture.sessions(identity(&first)).await.len(), 1);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_is_given_again_for_a_minute() {
    let fixture = Fixture::start().await;
    fixture.employ("Ann", "ann@x.org").await;
    let first = fixture.begin("ann@x.org").await;
    let next = refresh_token(&fixture.refresh(&refresh_token(&first)).await.unwrap());
    fixture.harness.clock.advance(10 * SECOND);
    assert_eq!(refresh_token(&fixture.refresh(&refresh_token(&first)).await.unwrap()), next);
    fixture.harness.clock.advance(61 * SECOND);
    refused(fixture.refresh(&refresh_token(&first)).await, Code::InvalidToken);
    refused(fixture.refresh(&next).await, Code::InvalidToken);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_used_up_ends_the_session_for_the_thief_and_for_the_owner() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    let (first, other) = (fixture.begin("ann@x.org").await, fixture.begin("ann@x.org").await);
    let second = fixture.refresh(&refresh_token(&first)).await.unwrap();
    let third = fixture.refresh(&refresh_token(&second)).await.unwrap();
    refused(fixture.refresh(&refresh_token(&first)).await, Code::InvalidToken);
    refused(fixture.refresh(&refresh_token(&third)).await, Code::InvalidToken);
    assert!(fixture.end(identity(&first).session).await.is_some());
    let entries = fixture.audited("session.reused", 1).await;
    assert_eq!(entries[0].subject, AuditSubject::new("employee", ann.id));
    // The stolen token is used again: no second entry is recorded, and Ann's other session stays
    // valid.
    refused(fixture.refresh(&refresh_token(&first)).await, Code::InvalidToken);
    fixture.refresh(&refresh_token(&other)).await.unwrap();
    assert_eq!(fixture.audited("session.reused", 1).await.len(), 1);
    for bad in
        ["", "t3refresh_", "t3refresh_AAAA", &refresh_token(&other).expose().replace("t3refresh_", "t3refresh_AAAA")]
    {
        refused(fixture.refresh(&Secret::new(bad)).await, Code::InvalidToken);
    }
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_over_by_itself_and_mongodb_removes_it() {
    let fixture = Fixture::start().await;
    fixture.employ("Ann", "ann@x.org").await;
    let (short, long) = (fixture.log_in("ann@x.org", PASSWORD).await.unwrap(), fixture.begin("ann@x.org").await);
    fixture.harness.clock.advance(601 * SECOND);
    assert_eq!(fixture.sessions(identity(&long)).await.len(), 1, "the token of the other is over");
    fixture.harness.clock.advance(14 * DAY);
    assert!(fixture.sessions(identity(&long)).await.is_empty());
    refused(fixture.refresh(&refresh_token(&long)).await, Code::InvalidToken);
    let stored = fixture.harness.database(Service::Directory).await.collection::<Document>("sessions");
    let of_short = doc! { "_id": kit::mongo::value(&identity(&short).session.unwrap()) };
    let found = stored.find_one(of_short).await.unwrap().unwrap();
    let forgotten: DateTime = *found.get_datetime("forgottenAt").unwrap();
    assert!(forgotten.timestamp_millis() >= found.get_i64("expiresAt").unwrap());
    let indexes: Vec<_> = futures::TryStreamExt::try_collect(stored.list_indexes().await.unwrap()).await.unwrap();
    let expiring = |index: &mongodb::IndexModel| {
        index.keys.contains_key("forgottenAt") && index.options.as_ref().is_some_and(|o| o.expire_after.is_some())
    };
    assert!(indexes.iter().any(expiring), "{indexes:?}");
    // The stored session does not contain the refresh token.
    let text = serde_json::to_string(&stored.find_one(doc! { "refresh": { "$ne": null } }).await.unwrap()).unwrap();
    assert!(!text.contains(refresh_token(&long).expose().trim_start_matches("t3refresh_")));
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_session_was_last_seen_is_told_by_gateways_and_never_goes_back() {
    let fixture = Fixture::start().await;
    fixture.employ("Ann", "ann@x.org").await;
    let ann = identity(&fixture.begin("ann@x.org").await);
    let began = fixture.sessions(ann).await[0].created_at;
    for later in [1, 3, 2] {
        let seen = MarkSessionsSeen { ids: vec![ann.session.unwrap(), kit::new_id()], at: began + later * SECOND };
        fixture.harness.bus().ask(Caller::Service, &seen).await.unwrap();
    }
    assert_eq!(fixture.sessions(ann).await[0].last_seen_at, began + 3 * SECOND);
    let seen = MarkSessionsSeen { ids: vec![ann.session.unwrap()], at: Millis(i64::MAX) };
    refused(fixture.ask_in_session(ann, &seen).await, Code::Forbidden);
    fixture.harness.finish().await;
}
