//! What caused a message: who acts, by which HTTP request, because of which event.

use std::sync::OnceLock;

use async_nats::HeaderMap;
use contracts::{Actor, EventId, header};

/// What caused the work of the current task. Every message that the task sends and every event
/// that it commits carry it.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The id of the HTTP request.
    pub request_id: Option<String>,
    /// The address of the client behind it, where that is known.
    pub address: Option<String>,
    /// The event, where a consumer acts because of one.
    pub cause: Option<EventId>,
    /// Who acts. Set once: who has been named stays named.
    actor: OnceLock<Actor>,
}

tokio::task_local! {
    static ORIGIN: Origin;
}

impl Origin {
    /// Of an HTTP request whose caller is not known yet: [`acts`] names them.
    pub fn of_request(id: String) -> Self {
        Self { request_id: Some(id), ..Self::default() }
    }

    /// The same; the client has this address.
    #[must_use]
    pub fn with_address(mut self, address: Option<String>) -> Self {
        self.address = address;
        self
    }

    /// The same with another actor.
    #[must_use]
    pub fn with_actor(mut self, actor: Option<Actor>) -> Self {
        self.actor = actor.map(OnceLock::from).unwrap_or_default();
        self
    }

    /// The same; this one acts where nobody is named.
    #[must_use]
    pub fn or_actor(self, otherwise: Option<Actor>) -> Self {
        let actor = self.actor().or(otherwise);
        self.with_actor(actor)
    }

    /// The same, because of an event.
    #[must_use]
    pub fn with_cause(mut self, cause: EventId) -> Self {
        self.cause = Some(cause);
        self
    }

    /// That of the current task; an empty one outside of [`Origin::scope`].
    pub fn current() -> Self {
        ORIGIN.try_with(Clone::clone).unwrap_or_default()
    }

    /// Runs work that has this origin. A task that the work spawns does not inherit it.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        ORIGIN.scope(self, work).await
    }

    /// Who acts, where it is known.
    pub fn actor(&self) -> Option<Actor> {
        self.actor.get().copied()
    }

    /// What the headers of a message say.
    pub fn read(headers: Option<&HeaderMap>) -> Self {
        let header = |name: &str| headers.and_then(|headers| headers.get(name)).map(|value| value.as_str());
        let request_id = header(header::REQUEST_ID).map(str::to_owned);
        let address = header(header::ADDRESS).map(str::to_owned);
        let cause = header(header::CAUSE).and_then(|id| id.parse().ok());
        let actor = header(header::ACTOR).and_then(|actor| actor.parse().ok());
        Self { request_id, address, cause, ..Self::default() }.with_actor(actor)
    }

    /// The same as headers.
    pub(crate) fn headers(self) -> impl Iterator<Item = (&'static str, String)> {
        let actor = self.actor().map(|actor| (header::ACTOR, actor.to_string()));
        let cause = self.cause.map(|cause| (header::CAUSE, cause.to_string()));
        let request_id = self.request_id.map(|id| (header::REQUEST_ID, id));
        let address = self.address.map(|address| (header::ADDRESS, address));
        [actor, cause, request_id, address].into_iter().flatten()
    }
}

/// Names who acts in the current task, unless somebody is named already.
pub fn acts(actor: Actor) {
    // Outside of a scope there is nobody to tell.
    let _ = ORIGIN.try_with(|origin| origin.actor.set(actor));
}
