//! The origin of a message: its actor, and the HTTP request and the event that caused it.

use std::sync::OnceLock;

use async_nats::HeaderMap;
use contracts::{Actor, EventId, header};

/// The origin of the current task's work. Every message that the task sends and every event that it
/// commits carry the origin in their headers.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The id of the HTTP request that caused the work.
    pub request_id: Option<String>,
    /// The IP address of the client that sent the HTTP request, if it is known.
    pub address: Option<String>,
    /// The id of the event that caused the work, if a consumer does the work.
    pub cause: Option<EventId>,
    /// Who acts. [`set_actor`] sets this only once: the first value stays.
    actor: OnceLock<Actor>,
}

tokio::task_local! {
    static ORIGIN: Origin;
}

impl Origin {
    /// The origin of an HTTP request whose caller is not authenticated yet; [`set_actor`] adds the
    /// actor.
    pub fn of_request(id: String) -> Self {
        Self { request_id: Some(id), ..Self::default() }
    }

    /// Sets the address of the client.
    #[must_use]
    pub fn with_address(mut self, address: Option<String>) -> Self {
        self.address = address;
        self
    }

    /// Sets the actor.
    #[must_use]
    pub fn with_actor(mut self, actor: Option<Actor>) -> Self {
        self.actor = actor.map(OnceLock::from).unwrap_or_default();
        self
    }

    /// Sets the actor if none is set.
    #[must_use]
    pub fn or_actor(self, otherwise: Option<Actor>) -> Self {
        let actor = self.actor().or(otherwise);
        self.with_actor(actor)
    }

    /// Sets the event that caused the work.
    #[must_use]
    pub fn with_cause(mut self, cause: EventId) -> Self {
        self.cause = Some(cause);
        self
    }

    /// The origin of the current task. Empty outside of [`Origin::scope`].
    pub fn current() -> Self {
        ORIGIN.try_with(Clone::clone).unwrap_or_default()
    }

    /// Runs work with this origin. Tasks that the work spawns do not inherit it.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        ORIGIN.scope(self, work).await
    }

    /// Who acts, if that is known.
    pub fn actor(&self) -> Option<Actor> {
        self.actor.get().copied()
    }

    /// Reads the origin of a message from its headers.
    pub fn read(headers: Option<&HeaderMap>) -> Self {
        let header = |name: &str| headers.and_then(|headers| headers.get(name)).map(|value| value.as_str());
        let request_id = header(header::REQUEST_ID).map(str::to_owned);
        let address = header(header::ADDRESS).map(str::to_owned);
        let cause = header(header::CAUSE).and_then(|id| id.parse().ok());
        let actor = header(header::ACTOR).and_then(|actor| actor.parse().ok());
        Self { request_id, address, cause, ..Self::default() }.with_actor(actor)
    }

    /// The names and values of the headers that carry the origin.
    pub(crate) fn headers(self) -> impl Iterator<Item = (&'static str, String)> {
        let actor = self.actor().map(|actor| (header::ACTOR, actor.to_string()));
        let cause = self.cause.map(|cause| (header::CAUSE, cause.to_string()));
        let request_id = self.request_id.map(|id| (header::REQUEST_ID, id));
        let address = self.address.map(|address| (header::ADDRESS, address));
        [actor, cause, request_id, address].into_iter().flatten()
    }
}

/// Sets the actor of the current task, unless one is set already.
pub fn set_actor(actor: Actor) {
    // An error is ignored: it occurs only outside of `Origin::scope`, where no message carries
    // the actor.
    let _ = ORIGIN.try_with(|origin| origin.actor.set(actor));
}
