//! Tests of API keys and roles.

use contracts::{
    AccountChanged, Actor, ApiKeyChanged, Caller, Code, CreateApiKey, DeactivateEmployee, EmployeeId, Failure,
    GetKeyNames, KeyId, ListApiKeys, MarkKeyUsed, NewApiKey, Role, SetRole, read_key, stream,
};
use kit::Origin;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::fixture::{Fixture, PASSWORD, refused};

fn key(body: serde_json::Value) -> CreateApiKey {
    serde_json::from_value(body).unwrap()
}

impl Fixture {
    /// Sends a request as this actor, with the rights of an admin.
    async fn ask_as<R: contracts::Request>(&self, actor: Actor, request: &R) -> Result<R::Reply, Failure> {
        Origin::default().with_actor(Some(actor)).scope(self.harness.ask(request)).await
    }

    async fn set_role(&self, id: EmployeeId, role: Role) -> Result<contracts::Employee, Failure> {
        self.harness.ask(&SetRole { id, role }).await
    }

    /// The value of an entry in the KV bucket that gateways watch.
    async fn entry<T: DeserializeOwned>(&self, key: String) -> Option<T> {
        let bucket = self.harness.bus().jetstream.get_key_value(stream::REVOCATIONS).await.unwrap();
        bucket.get(key).await.unwrap().map(|value| serde_json::from_slice(&value).unwrap())
    }
}

fn person(employee: EmployeeId) -> Actor {
    Actor::Person { employee, session: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_listed_used_and_revoked_and_gateways_are_told() {
    let fixture = Fixture::start().await;
    let request = key(json!({"name": "Export", "scopes": ["r:time", "rw:projects"]}));
    let NewApiKey { about, key: text } = fixture.harness.ask(&request).await.unwrap();
    let (id, hash) = read_key(text.expose()).unwrap();
    assert_eq!((about.id, about.created_by), (id, Some(Actor::Root)));
    let sent: ApiKeyChanged = fixture.entry(ApiKeyChanged::entry_key(id)).await.unwrap();
    assert_eq!((sent.hash, sent.revoked), (hash.iter().map(|byte| format!("{byte:02x}")).collect(), false));

    for day in ["2025-10-09", "2025-10-11", "2025-10-10"] {
        let used = MarkKeyUsed { id, on: day.into() };
        let by_itself = Origin::of_request("a-request".into()).with_actor(Some(Actor::Key(id)));
        by_itself.scope(fixture.harness.bus().ask(Caller::Service, &used)).await.unwrap();
    }
    let listed = fixture.harness.ask(&ListApiKeys {}).await.unwrap();
    assert_eq!(listed.iter().map(|key| key.id).collect::<Vec<_>>(), [id]);
    assert_eq!(listed[0].last_used_on.as_deref(), Some("2025-10-11"), "a day that is told late changes nothing");
    assert!(!serde_json::to_string(&listed).unwrap().contains(text.expose()));

    fixture.harness.ask(&contracts::RevokeApiKey { id }).await.unwrap();
    assert!(fixture.entry::<ApiKeyChanged>(ApiKeyChanged::entry_key(id)).await.unwrap().revoked);
    assert!(fixture.harness.ask(&ListApiKeys {}).await.unwrap().is_empty());
    refused(fixture.harness.ask(&contracts::RevokeApiKey { id }).await, Code::NotFound);
    // The audit trail records only the first use. The name of a revoked key can still be read.
    assert_eq!(fixture.harness.audited_actions(3).await, ["key.created", "key.used", "key.revoked"]);
    let (origin, entry) = fixture.harness.audited().await.remove(1);
    assert_eq!((origin.actor(), entry.subject.id), (Some(Actor::Key(id)), id.to_string()));
    let sent = serde_json::to_string(&fixture.harness.audited().await.into_iter().map(|(_, e)| e).collect::<Vec<_>>());
    assert!(!sent.unwrap().contains(text.expose()));
    let names = fixture.harness.ask(&GetKeyNames { ids: vec![id, kit::new_id()] }).await.unwrap();
    assert_eq!(names.into_iter().map(|(id, name)| (id, name.to_string())).collect::<Vec<_>>(), [(id, "Export".into())]);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_twice_or_late_never_brings_a_revoked_key_or_an_old_role_back() {
    let fixture = Fixture::start().await;
    let id: KeyId = kit::new_id();
    let key = |version, revoked| ApiKeyChanged {
        id,
        version,
        hash: "00".repeat(32),
        role: Some(Role::Admin),
        scopes: None,
        expires_at: None,
        revoked,
    };
    let employee_id: EmployeeId = kit::new_id();
    let account = |version, role| AccountChanged { employee_id, version, generation: version, except: None, role };
    fixture.harness.publish_twice(&key(2, true)).await;
    fixture.harness.publish(&key(1, false)).await;
    fixture.harness.publish_twice(&account(5, Role::Employee)).await;
    fixture.harness.publish(&account(4, Role::Owner)).await;
    fixture.harness.until_consumed(stream::EVENTS, contracts::Service::Directory).await;
    assert_eq!(fixture.entry(ApiKeyChanged::entry_key(id)).await, Some(key(2, true)));
    assert_eq!(fixture.entry(AccountChanged::entry_key(employee_id)).await, Some(account(5, Role::Employee)));
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hands_out_more_than_they_may_do() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    let bob = fixture.employ("Bob", "bob@x.org").await;
    // A key that may make keys and read time.
    let request = key(json!({"name": "Keys", "scopes": ["rw:keys", "r:time"]}));
    let maker = Actor::Key(fixture.harness.ask(&request).await.unwrap().about.id);
    assert!(fixture.ask_as(maker, &key(json!({"name": "Time", "scopes": ["r:time"]}))).await.is_ok());
    let more = key(json!({"name": "More", "scopes": ["rw:time"]}));
    refused(fixture.ask_as(maker, &more).await, Code::MissingScope);
    refused(fixture.ask_as(maker, &SetRole { id: bob.id, role: Role::Owner }).await, Code::MissingScope);
    refused(fixture.ask_as(person(ann.id), &more).await, Code::MissingScope);
    // As an owner, Ann may make this key; as an auditor she may not.
    fixture.set_role(ann.id, Role::Owner).await.unwrap();
    fixture.set_role(bob.id, Role::Owner).await.unwrap();
    assert!(fixture.ask_as(person(ann.id), &more).await.is_ok());
    refused(fixture.ask_as(maker, &SetRole { id: ann.id, role: Role::Employee }).await, Code::MissingScope);
    fixture.set_role(ann.id, Role::Auditor).await.unwrap();
    refused(fixture.ask_as(person(ann.id), &more).await, Code::MissingScope);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_begins_a_new_generation_of_tokens_and_gateways_are_told() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    assert_eq!((ann.role, fixture.log_in("ann@x.org", PASSWORD).await.unwrap().generation), (Role::Employee, 0));
    assert_eq!(fixture.set_role(ann.id, Role::Manager).await.unwrap().role, Role::Manager);
    let sent: AccountChanged = fixture.entry(AccountChanged::entry_key(ann.id)).await.unwrap();
    assert_eq!((sent.generation, sent.role), (1, Role::Manager));
    assert_eq!(fixture.log_in("ann@x.org", PASSWORD).await.unwrap().generation, 1);
    // Setting the same role again ends no tokens.
    fixture.set_role(ann.id, Role::Manager).await.unwrap();
    assert_eq!(fixture.log_in("ann@x.org", PASSWORD).await.unwrap().generation, 1);
    assert_eq!(fixture.get(ann.id).await.role, Role::Manager);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_owner_cannot_be_taken_away_not_even_by_two_at_once() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    let bob = fixture.employ("Bob", "bob@x.org").await;
    // Cid has not activated the account and so cannot log in. He does not count as an owner.
    let cid = fixture.create("Cid", "cid@x.org").await.unwrap();
    fixture.set_role(cid.id, Role::Owner).await.unwrap();
    fixture.set_role(ann.id, Role::Owner).await.unwrap();
    refused(fixture.set_role(ann.id, Role::Admin).await, Code::LastOwner);
    refused(fixture.harness.ask(&DeactivateEmployee { id: ann.id }).await, Code::LastOwner);
    for _ in 0..5 {
        fixture.set_role(ann.id, Role::Owner).await.unwrap();
        fixture.set_role(bob.id, Role::Owner).await.unwrap();
        let (one, two) = tokio::join!(fixture.set_role(ann.id, Role::Admin), fixture.set_role(bob.id, Role::Admin));
        let outcomes = [one.map_err(|failure| failure.code).err(), two.map_err(|failure| failure.code).err()];
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Some(Code::LastOwner)).count(), 1, "{outcomes:?}");
    }
    fixture.harness.finish().await;
}
