use std::time::{Duration, Instant};

use anyhow::Context;
use async_nats::{
    Client, ConnectOptions, Event as ConnectionEvent, HeaderMap, Request as NatsRequest, RequestErrorKind, ServerError,
    connection::State, header::NATS_MESSAGE_ID, jetstream,
};
use bytes::Bytes;
use contracts::{
    Action, Actor, AuditSubject, Audited, Caller, Code, Event, EventId, Failure, Millis, Reply, Request, Service, User,
    header,
};
use futures::StreamExt;

use crate::{
    Clock, Error, Metrics, Origin,
    compression::compress,
    config::{self, Environment},
    metrics::Counter,
    new_id, trace,
};

/// How long a request waits for its answer, unless the caller sets another time.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a publish waits for the acknowledgement of JetStream.
const ACK_PATIENCE: Duration = Duration::from_secs(2);
/// How many times a starting process retries the connection to NATS, about one second apart.
const START_PATIENCE: u32 = 30;
/// The name of the counter of subjects that NATS refused, without `_total`, which the library
/// appends.
const VIOLATIONS: &str = "t3_nats_permission_violations";

/// The connection to NATS that a service shares among all its tasks.
#[derive(Clone, Debug)]
pub struct Bus {
    /// The NATS client.
    pub client: Client,
    /// JetStream on the same connection.
    pub jetstream: jetstream::Context,
    service: Service,
    clock: Clock,
    metrics: Metrics,
    /// Counts how often NATS has refused a subject (a permission violation), on any connection of
    /// this bus.
    violations: Counter,
}

/// What a handler knows about the request that it answers: who sent it, and until when the sender
/// waits.
#[derive(Clone, Debug)]
pub struct Call {
    /// The capacity in which the sender acts. It decides what the request may do.
    pub caller: Caller,
    /// Who acts, for the audit trail. None when the request names no actor, such as at a log-in.
    pub actor: Option<Actor>,
    /// When the caller stops waiting. No answer is sent after this time.
    pub deadline: Millis,
    /// The id of the HTTP request that caused this request.
    pub request_id: Option<String>,
}

impl Call {
    /// Refuses every caller that is neither an admin nor a service.
    ///
    /// # Errors
    /// 403 for every other caller.
    pub fn require_admin(&self) -> Result<(), Failure> {
        match self.caller {
            Caller::Admin | Caller::Service => Ok(()),
            _ => Err(Failure::new(Code::Forbidden, "Only an admin may do this.")),
        }
    }

    /// Refuses a caller that may not see the data of this employee. Admins, services and the
    /// employee may see the data.
    ///
    /// # Errors
    /// 403 for every other caller.
    pub fn require_sight_of(&self, employee: contracts::EmployeeId) -> Result<(), Failure> {
        if self.caller.may_see(employee) {
            Ok(())
        } else {
            Err(Failure::new(Code::Forbidden, "Employees may do this for themselves only."))
        }
    }
}

impl Bus {
    /// Connects to NATS as `user`, for the service `service`. See [`connect_nats`].
    ///
    /// # Errors
    /// When NATS cannot be reached, or a setting is wrong.
    pub async fn connect(
        settings: &config::Nats,
        environment: Environment,
        user: User,
        service: Service,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let metrics = Metrics::new(service);
        let violations = metrics.counter(VIOLATIONS, "How often NATS refused what this process may not say or hear");
        let client = connect_counting(settings, environment, user, violations.clone()).await?;
        let jetstream = jetstream_of(client.clone());
        metrics.follow_connection(&client);
        Ok(Self { client, jetstream, service, clock, metrics, violations })
    }

    /// A JetStream context over a second connection of the same user. NATS handles the messages of
    /// one connection in order, and waits for the disk at each publish to a stream. So a request on
    /// the bus's own connection would wait behind all publishes before it.
    ///
    /// # Errors
    /// As [`Bus::connect`].
    pub(crate) async fn jetstream_beside(
        &self,
        settings: &config::Nats,
        environment: Environment,
        user: User,
    ) -> anyhow::Result<jetstream::Context> {
        Ok(jetstream_of(connect_counting(settings, environment, user, self.violations.clone()).await?))
    }

    /// This bus with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Whether the client is connected to NATS now.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// The service that this bus sends and receives for.
    pub fn service(&self) -> Service {
        self.service
    }

    /// The metrics of this service.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The current time by the clock of this bus.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Sends a request to the service that answers it, and waits up to 5 seconds for the answer.
    ///
    /// # Errors
    /// The failure that the service answers; [`Code::Unavailable`] at once when no process
    /// subscribes to the request's subject or NATS cannot be reached; [`Code::Timeout`] when no
    /// answer comes in time.
    pub async fn ask<R: Request>(&self, caller: Caller, request: &R) -> Result<R::Reply, Failure> {
        self.ask_within(PATIENCE, caller, request).await
    }

    /// Sends a request to the service that answers it, and waits up to `patience` for the answer.
    /// An idempotent request is sent a second time when half of `patience` has passed without an
    /// answer.
    ///
    /// # Errors
    /// As [`Bus::ask`].
    pub async fn ask_within<R: Request>(
        &self,
        patience: Duration,
        caller: Caller,
        request: &R,
    ) -> Result<R::Reply, Failure> {
        let started = Instant::now();
        let outcome = self.ask_patiently(patience, caller, request).await;
        let failure = outcome.as_ref().err().map(|failure| failure.code);
        self.metrics.common().asked.observe(R::SERVICE, R::NAME, failure, started.elapsed());
        outcome
    }

    async fn ask_patiently<R: Request>(
        &self,
        patience: Duration,
        caller: Caller,
        request: &R,
    ) -> Result<R::Reply, Failure> {
        if !self.is_connected() {
            return Err(Failure::new(Code::Unavailable, "The message bus is away. Try again in a moment."));
        }
        let payload: Bytes = serde_json::to_vec(request)
            .map_err(|error| {
                tracing::error!(%error, subject = R::subject(), "a request that cannot be written");
                Failure::new(Code::Internal, "Something went wrong on our side.")
            })?
            .into();
        let tries = if R::IDEMPOTENT { 2 } else { 1 };
        let mut outcome = Err(Failure::new(Code::Timeout, "No answer in time."));
        for _ in 0..tries {
            outcome = self.ask_once::<R>(patience / tries, caller, payload.clone()).await;
            if !matches!(&outcome, Err(failure) if failure.code == Code::Timeout) {
                break;
            }
        }
        outcome
    }

    async fn ask_once<R: Request>(
        &self,
        patience: Duration,
        caller: Caller,
        payload: Bytes,
    ) -> Result<R::Reply, Failure> {
        let mut headers = headers(match caller {
            // An anonymous request, such as a log-in, has no actor. If this service were its actor,
            // the audit trail would name this service, which only forwards the log-in.
            Caller::Anonymous => None,
            caller => caller.actor().or(Some(Actor::Service(self.service))),
        });
        headers.insert(header::CALLER, caller.to_string());
        headers.insert(header::DEADLINE, (self.now() + patience.as_millis() as i64).to_string());
        let request = NatsRequest::new().payload(payload).headers(headers).timeout(Some(patience));
        let away = || {
            let who = R::SERVICE;
            Failure::new(Code::Unavailable, format!("The {who} service is away. Try again in a moment."))
        };
        let message = self.client.send_request(R::subject(), request).await.map_err(|error| match error.kind() {
            RequestErrorKind::TimedOut => {
                Failure::new(Code::Timeout, format!("The {} service did not answer in time.", R::SERVICE))
            }
            RequestErrorKind::NoResponders => away(),
            _ => {
                tracing::warn!(%error, subject = R::subject(), "cannot ask");
                away()
            }
        })?;
        let reply: Reply<R::Reply> = serde_json::from_slice(&message.payload).map_err(|error| {
            tracing::error!(%error, subject = R::subject(), "an answer that cannot be read");
            Failure::new(Code::Internal, "Something went wrong on our side.")
        })?;
        reply.into()
    }

    /// Publishes an event and waits for the acknowledgement of the stream. Publishing the same
    /// event again is harmless: the stream drops a message whose id it has stored in the last two
    /// minutes, and consumers are idempotent.
    ///
    /// # Errors
    /// When no acknowledgement came. The stream may have stored the event nevertheless. Publish the
    /// event again.
    pub async fn publish_event<E: Event>(&self, id: EventId, event: &E) -> Result<(), Error> {
        self.publish_payload(id, event.subject(), serde_json::to_vec(event)?, self.headers()).await
    }

    /// As [`Bus::publish_event`], but with a compressed payload: for events that would fill the
    /// stream. Their consumers read the payload with [`crate::decompressed`].
    ///
    /// # Errors
    /// Those of [`Bus::publish_event`].
    pub async fn publish_compressed<E: Event>(&self, id: EventId, event: &E) -> Result<(), Error> {
        let mut headers = self.headers();
        let payload = compress(serde_json::to_vec(event)?, &mut headers);
        self.publish_payload(id, event.subject(), payload, headers).await
    }

    async fn publish_payload(
        &self,
        id: EventId,
        subject: String,
        payload: Vec<u8>,
        mut headers: HeaderMap,
    ) -> Result<(), Error> {
        headers.insert(NATS_MESSAGE_ID, id.to_string());
        let sent = self.jetstream.publish_with_headers(subject, headers, payload.into()).await;
        sent.map_err(|e| Error::Nats(e.into()))?.await.map_err(|e| Error::Nats(e.into()))?;
        Ok(())
    }

    /// Makes an entry for the audit trail about an action that happens now, with the client's
    /// address from the current task's [`Origin`].
    pub(crate) fn audited(&self, action: Action, subject: AuditSubject) -> Audited {
        let address = Origin::current().address;
        Audited { address, ..Audited::new(new_id(), self.service, action, subject, self.now()) }
    }

    /// Publishes an entry of the audit trail and waits until the stream has stored it. Only
    /// services without a database use this; services with a database use [`crate::Tx::audit`].
    ///
    /// # Errors
    /// 503 when the stream does not acknowledge the entry. Then the caller must not do the action.
    pub async fn audit(&self, action: Action, subject: AuditSubject) -> Result<(), Failure> {
        let entry = self.audited(action, subject);
        self.publish_event(entry.id, &entry).await.map_err(|error| {
            tracing::warn!(%error, %action, "cannot tell the audit trail");
            Failure::new(Code::Unavailable, "This cannot be put on record now. Try again in a moment.")
        })
    }

    /// The headers of every message: the trace context, the actor, the cause, and the id and the
    /// client's address of the HTTP request. If the current task has no actor, this service is the
    /// actor.
    pub fn headers(&self) -> HeaderMap {
        headers(Some(Actor::Service(self.service)))
    }

    /// Waits until the NATS server has processed everything sent on this connection so far,
    /// subscriptions included. The server handles the messages of a connection in order, so it has
    /// processed all of them when a last message to this client's own inbox comes back. A flush
    /// would only prove that the bytes left this process.
    ///
    /// # Errors
    /// When that message does not come back within 5 seconds.
    pub async fn settled(&self) -> anyhow::Result<()> {
        let inbox = self.client.new_inbox();
        let mut echo = self.client.subscribe(inbox.clone()).await?;
        self.client.publish(inbox, Bytes::new()).await?;
        tokio::time::timeout(PATIENCE, echo.next()).await.context("NATS does not answer")?;
        Ok(())
    }

    /// Sends what is still in the client's buffer. Gives up after 2 seconds.
    pub async fn drain(&self) {
        if tokio::time::timeout(Duration::from_secs(2), self.client.flush()).await.is_err() {
            tracing::warn!("NATS did not take the last messages");
        }
    }
}

/// The headers of a message that the current task sends. `otherwise` is the actor if the task has
/// none.
fn headers(otherwise: Option<Actor>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in Origin::current().or_actor(otherwise).headers() {
        headers.insert(name, one_line(&value));
    }
    for (name, value) in trace::trace_headers() {
        headers.insert(name, one_line(&value));
    }
    headers
}

/// Replaces line breaks in a header value with spaces. The NATS client panics at a header value
/// with a line break.
pub(crate) fn one_line(value: &str) -> String {
    value.replace(['\r', '\n'], " ")
}

/// Logs an event of the connection, and counts refused subjects. NATS reports a refused subject
/// nowhere else: requests on the subject only time out.
fn report(event: &ConnectionEvent, violations: &Counter) {
    match event {
        ConnectionEvent::ServerError(error) if is_violation(error) => {
            violations.inc();
            tracing::error!(%error, "NATS refuses a subject: the table of rights lacks it, or `provision secrets` is to be run again");
        }
        ConnectionEvent::ServerError(error) => tracing::error!(%error, "NATS says that something is wrong"),
        event => tracing::debug!(%event, "NATS"),
    }
}

/// Whether the error says that NATS has refused a subject ("permissions violation") or the user
/// itself ("authorization violation"). The protocol has no error codes, so the text is compared.
/// For the second one the NATS client does this.
fn is_violation(error: &ServerError) -> bool {
    match error {
        ServerError::AuthorizationViolation => true,
        ServerError::SlowConsumer(_) => false,
        ServerError::Other(sentence) => sentence.to_ascii_lowercase().contains("permissions violation"),
    }
}

/// Connects to NATS, and retries for about 30 seconds while NATS cannot be reached. After the first
/// connection the client reconnects by itself, without a limit.
///
/// # Errors
/// When NATS cannot be reached in that time, or a setting is wrong.
pub async fn connect_nats(settings: &config::Nats, environment: Environment, user: User) -> anyhow::Result<Client> {
    connect_counting(settings, environment, user, Counter::default()).await
}

fn jetstream_of(client: Client) -> jetstream::Context {
    let mut jetstream = jetstream::new(client);
    jetstream.set_timeout(ACK_PATIENCE);
    jetstream
}

/// As [`connect_nats`]. Counts the subjects that NATS refuses in `violations`.
async fn connect_counting(
    settings: &config::Nats,
    environment: Environment,
    user: User,
    violations: Counter,
) -> anyhow::Result<Client> {
    let (seed, servers) = (settings.nkey(environment)?, settings.servers()?);
    let mut tried = 0;
    loop {
        let violations = violations.clone();
        let mut options = ConnectOptions::new()
            .name(user.name())
            .custom_inbox_prefix(user.inbox())
            // A server that is cut off from the network does not close the connection. Pings detect
            // this: the client reconnects when two pings have got no answer and a third one is due.
            .ping_interval(Duration::from_secs(2))
            .reconnect_delay_callback(|attempt| Duration::from_millis((attempt as u64 * 50).min(1_000)))
            .event_callback(move |event| {
                report(&event, &violations);
                std::future::ready(())
            });
        if let Some(seed) = &seed {
            options = options.nkey(seed.expose().to_owned());
        }
        if let Some(ca) = settings.nats_tls_ca.clone().filter(|path| !path.as_os_str().is_empty()) {
            options = options.add_root_certificates(ca).require_tls(true);
        }
        match options.connect(&servers[..]).await {
            Ok(client) => return Ok(client),
            Err(error) if tried < START_PATIENCE => {
                tried += 1;
                tracing::info!(%error, "waiting for NATS");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => return Err(error).context("NATS cannot be reached at NATS_URL"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_subject_is_counted_and_other_complaints_are_not() {
        let violations = Counter::default();
        let said = |sentence: &str| ConnectionEvent::ServerError(ServerError::Other(sentence.to_owned()));
        report(&said("Permissions Violation for Publish to \"$JS.API.CONSUMER.CREATE.X.y_1\""), &violations);
        report(&said("permissions violation for subscription to \"evt.>\""), &violations);
        report(&said("Stale Connection"), &violations);
        report(&ConnectionEvent::ServerError(ServerError::SlowConsumer(3)), &violations);
        report(&ConnectionEvent::Disconnected, &violations);
        assert_eq!(violations.get(), 2);
    }
}
