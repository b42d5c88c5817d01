use async_nats::{Client, ConnectOptions, Event, HeaderMap};
use contracts::{Caller, User, header};
use testkit::Harness;
use tokio::{
    sync::mpsc::{self, UnboundedReceiver},
    time::{Duration, timeout},
};

/// A NATS client with a stolen key, which sends what our programs never send.
pub struct Intruder {
    pub client: Client,
    refusals: UnboundedReceiver<String>,
}

impl Intruder {
    pub async fn with_the_key_of(user: User, harness: &Harness) -> Self {
        let (tell, refusals) = mpsc::unbounded_channel();
        let seed = testkit::secrets().await.nkey(user).unwrap().expose().to_owned();
        let options = ConnectOptions::with_nkey(seed).custom_inbox_prefix(user.inbox()).event_callback(move |event| {
            if let Event::ServerError(error) = event {
                tell.send(error.to_string()).unwrap();
            }
            std::future::ready(())
        });
        Self { client: options.connect(harness.nats.url()).await.unwrap(), refusals }
    }

    /// Publishes a request that claims to be an admin's. Fails the test if the server allows the
    /// subject.
    pub async fn is_refused_to_say(&mut self, subject: &str, payload: &[u8]) {
        let mut headers = HeaderMap::new();
        headers.insert(header::CALLER, Caller::Admin.to_string());
        self.client.publish_with_headers(subject.to_owned(), headers, payload.to_vec().into()).await.unwrap();
        self.is_refused("publish", subject).await;
    }

    /// Subscribes to a subject. Fails the test if the server allows the subscription.
    pub async fn is_refused_to_hear(&mut self, subject: &str) {
        let _heard = self.client.subscribe(subject.to_owned()).await.unwrap();
        self.is_refused("subscription", subject).await;
    }

    async fn is_refused(&mut self, what: &str, subject: &str) {
        let refusal = timeout(Duration::from_secs(10), self.refusals.recv()).await;
        let refusal = refusal.unwrap_or_else(|_| panic!("{what} {subject} is allowed")).unwrap().to_lowercase();
        let is_it = refusal.contains("permissions violation") && refusal.contains(what);
        assert!(is_it && refusal.contains(&subject.to_lowercase()), "{what} {subject}: {refusal}");
    }
}
