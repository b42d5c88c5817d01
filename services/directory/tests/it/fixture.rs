//! A test harness in which the service `directory` runs, with helper functions.

use std::time::Duration;

use async_nats::jetstream::consumer::pull;
use contracts::{
    Activate, Caller, CheckPassword, Code, CreateEmployee, Email, Employee, EmployeeId, Event, Failure, GetEmployee,
    InvitationRequested, InviteEmployee, LoggedIn, MintToken, MintedToken, Name, Secret, WantedSession, stream,
};
use directory::Config;
use futures::StreamExt;
use kit::Origin;
use testkit::Harness;

/// How long to wait for an answer that needs hashes of passwords: longer than several hashes take
/// on a busy machine.
pub const HASHING: Duration = Duration::from_secs(120);

pub const PASSWORD: &str = "three or four words";

pub struct Fixture {
    pub harness: Harness,
}

impl Fixture {
    pub async fn start() -> Self {
        let fixture = Self { harness: Harness::start().await };
        fixture.start_replica().await;
        fixture
    }

    /// Starts a replica of the service `directory`.
    pub async fn start_replica(&self) {
        self.harness
            .spawn(directory::needs(), |deps, shutdown| directory::run(Config::default(), deps, shutdown))
            .await;
    }

    pub async fn create(&self, name: &str, email: &str) -> Result<Employee, Failure> {
        self.harness
            .ask(&CreateEmployee { name: Name::parse(name).unwrap(), email: Email::parse(email).unwrap() })
            .await
    }

    pub async fn get(&self, id: EmployeeId) -> Employee {
        self.harness.ask(&GetEmployee { id }).await.unwrap()
    }

    pub async fn invite(&self, id: EmployeeId) -> Result<Employee, Failure> {
        self.harness.ask(&InviteEmployee { id }).await
    }

    /// Waits until there are at least this many events of this type, and returns all of them.
    pub async fn events<E: Event>(&self, at_least: usize) -> Vec<E> {
        testkit::eventually(&format!("{at_least} events {}", E::filter()), async || {
            let config = pull::Config { filter_subject: E::filter(), ..Default::default() };
            let consumer =
                self.harness.bus().jetstream.create_consumer_on_stream(config, stream::EVENTS).await.unwrap();
            let batch = consumer.fetch().max_messages(1_000).messages().await.unwrap();
            let found: Vec<E> =
                batch.map(|message| serde_json::from_slice(&message.unwrap().payload).unwrap()).collect().await;
            (found.len() >= at_least).then_some(found)
        })
        .await
    }

    /// Waits for the event about an employee's `nth` invitation, counted from 0, and returns it.
    pub async fn invitation(&self, employee: EmployeeId, nth: usize) -> InvitationRequested {
        testkit::eventually("the invitation", async || {
            let all = self.events::<InvitationRequested>(nth + 1).await;
            all.into_iter().filter(|event| event.employee_id == employee).nth(nth)
        })
        .await
    }

    /// Requests a token for an invitation, as the mailer does.
    pub async fn mint(&self, invitation: InvitationRequested) -> Option<MintedToken> {
        let InvitationRequested { invitation_id, employee_id, .. } = invitation;
        self.harness.bus().ask(Caller::Service, &MintToken { invitation_id, employee_id }).await.unwrap()
    }

    /// Requests a token for an employee's `nth` invitation, counted from 0.
    pub async fn token(&self, employee: EmployeeId, nth: usize) -> Secret {
        self.mint(self.invitation(employee, nth).await).await.expect("an open invitation").token
    }

    pub async fn activate(&self, token: &Secret, password: &str) -> Result<Employee, Failure> {
        let request = Activate { token: token.clone(), password: Secret::new(password) };
        self.harness.bus().ask_within(HASHING, Caller::Anonymous, &request).await
    }

    pub async fn log_in(&self, email: &str, password: &str) -> Result<LoggedIn, Failure> {
        self.log_in_for(email, password, WantedSession { agent: None, refresh: false, token_seconds: 600 }).await
    }

    /// Logs in and starts a session of this kind.
    pub async fn log_in_for(&self, email: &str, password: &str, session: WantedSession) -> Result<LoggedIn, Failure> {
        let request = CheckPassword { email: email.into(), password: Secret::new(password), session: Some(session) };
        self.harness.bus().ask_within(HASHING, Caller::Anonymous, &request).await
    }

    /// Logs in from this network address.
    pub async fn log_in_from(&self, address: &str, email: &str, password: &str) -> Result<LoggedIn, Failure> {
        Origin::default().with_address(Some(address.to_owned())).scope(self.log_in(email, password)).await
    }

    /// Creates an employee who has activated the account with [`PASSWORD`].
    pub async fn employ(&self, name: &str, email: &str) -> Employee {
        let employee = self.create(name, email).await.unwrap();
        let token = self.token(employee.id, 0).await;
        self.activate(&token, PASSWORD).await.unwrap()
    }
}

/// Requires that the outcome is a failure with this code, and returns the failure.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(outcome: Result<T, Failure>, code: Code) -> Failure {
    let failure = outcome.expect_err("a refusal");
    assert_eq!(failure.code, code, "{failure:?}");
    failure
}
