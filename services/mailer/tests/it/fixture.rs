//! A test harness with directory and the mailer, and helpers for tests of mails.

use bson::doc;
use contracts::{
    Activate, Caller, CreateEmployee, DeliveryState, Email, Employee, EmployeeId, Failure, GetEmployee,
    InvitationDelivery, InvitationId, InvitationRequested, InviteEmployee, Millis, Name, Secret, Service, stream,
};
use futures::TryStreamExt;
use mailer::Config;
use serde::{Deserialize, Serialize};
use testkit::{Harness, Running};

use crate::smtp_server::SmtpServer;

pub struct Fixture {
    pub harness: Harness,
}

impl Fixture {
    /// Starts directory, but not the mailer.
    pub async fn start() -> Self {
        let fixture = Self { harness: Harness::start().await };
        fixture.start_directory().await;
        fixture
    }

    pub async fn start_directory(&self) -> Running {
        let run = |deps, shutdown| directory::run(directory::Config::default(), deps, shutdown);
        self.harness.spawn(directory::needs(), run).await
    }

    pub async fn start_mailer(&self, config: Config) -> Running {
        self.harness.spawn(mailer::needs(), |deps, shutdown| mailer::run(config, deps, shutdown)).await
    }

    pub async fn create(&self, name: &str, email: &str) -> Employee {
        let request = CreateEmployee { name: Name::parse(name).unwrap(), email: Email::parse(email).unwrap() };
        self.harness.ask(&request).await.unwrap()
    }

    /// Creates an employee, and activates the account with the token from the mailed invitation.
    pub async fn employ(&self, server: &SmtpServer, name: &str, email: &str) -> Employee {
        let employee = self.create(name, email).await;
        let mails = server.until_mails_to(email, "Your invitation to T3", 1).await;
        self.activate(token_in(mails[0]["plain"].as_str().unwrap())).await.unwrap();
        employee
    }

    pub async fn invite(&self, id: EmployeeId) -> Employee {
        self.harness.ask(&InviteEmployee { id }).await.unwrap()
    }

    pub async fn activate(&self, token: &str) -> Result<Employee, Failure> {
        let request = Activate { token: Secret::new(token), password: Secret::new("three or four words") };
        // Passwords are hashed one after the other, which takes long on a busy machine.
        self.harness.bus().ask_within(std::time::Duration::from_secs(60), Caller::Anonymous, &request).await
    }

    /// Returns the last invitation that directory has requested.
    pub async fn last_request(&self) -> InvitationRequested {
        let events = self.harness.bus().jetstream.get_stream(stream::EVENTS).await.unwrap();
        testkit::eventually("an invitation", async || {
            let last = events.get_last_raw_message_by_subject("evt.directory.v1.invitation.*.requested").await;
            last.ok().map(|message| serde_json::from_slice(&message.payload).unwrap())
        })
        .await
    }

    /// Waits until an admin sees this state of the invitation of an employee.
    pub async fn until_shown(&self, id: EmployeeId, state: DeliveryState) -> InvitationDelivery {
        let within = std::time::Duration::from_secs(60);
        testkit::eventually_within(within, &format!("an invitation shown as {state:?}"), async || {
            let employee = self.harness.ask(&GetEmployee { id }).await.unwrap();
            employee.invitation.filter(|invitation| invitation.state == state)
        })
        .await
    }

    /// Returns the stored deliveries, the oldest first.
    pub async fn deliveries(&self) -> Vec<Delivery> {
        let database = self.harness.database(Service::Mailer).await;
        let cursor = database.collection::<Delivery>("deliveries").find(doc! {}).sort(doc! { "_id": 1 }).await;
        cursor.unwrap().try_collect().await.unwrap()
    }

    /// Waits until exactly this many mails have this status, and returns their deliveries.
    pub async fn until_status(&self, status: &str, number: usize) -> Vec<Delivery> {
        let within = std::time::Duration::from_secs(60);
        testkit::eventually_within(within, &format!("{number} mails {status}"), async || {
            let mut deliveries = self.deliveries().await;
            deliveries.retain(|delivery| delivery.status == status);
            (deliveries.len() == number).then_some(deliveries)
        })
        .await
    }
}

/// The delivery of a mail, as the mailer stores it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    #[serde(rename = "_id")]
    pub id: InvitationId,
    pub status: String,
    pub attempts: u32,
    pub last_error: Option<String>,
    pub held_until: Millis,
    pub updated_at: Millis,
    #[serde(default)]
    pub is_refused: bool,
}

/// Returns the token in the link of an invitation.
pub fn token_in(text: &str) -> &str {
    token_to("activate", text)
}

/// Returns the token in the link to this page.
pub fn token_to<'a>(page: &str, text: &'a str) -> &'a str {
    let (_, rest) = text.split_once(&format!("/{page}?token=")).expect("a link");
    rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').next().unwrap()
}
