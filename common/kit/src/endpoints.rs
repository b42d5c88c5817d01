use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::{Message, service::ServiceExt};
use bytes::Bytes;
use contracts::{Caller, Code, Failure, Reply, Request, Service, header};
use futures::{FutureExt, StreamExt, future::BoxFuture};
use tokio::sync::Semaphore;
use tracing::{Instrument, Span, field::Empty, info_span};

use crate::{Bus, Call, Error, Origin, Shutdown, trace};

/// The most requests that one service works on at the same time in one process. Any further request
/// is answered with 503.
const MOST_IN_HAND: usize = 256;
/// The most bytes of a reply. The limit of NATS is 1 MiB, headers included.
const MOST_REPLY: usize = 1_000_000;

type Handler<S> = Arc<dyn Fn(Arc<S>, Call, Bytes) -> BoxFuture<'static, Result<Vec<u8>, Error>> + Send + Sync>;

/// The requests that a service answers, each with its handler.
pub struct Endpoints<S> {
    service: Service,
    state: Arc<S>,
    table: Vec<(&'static str, Handler<S>)>,
}

impl<S> fmt::Debug for Endpoints<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.table.iter().map(|(name, _)| name)).finish()
    }
}

impl<S: Send + Sync + 'static> Endpoints<S> {
    /// An empty table of requests. `state` is passed to every handler.
    pub fn new(service: Service, state: Arc<S>) -> Self {
        Self { service, state, table: Vec::new() }
    }

    /// Adds a handler for requests of the type `R`.
    #[must_use]
    pub fn on<R, F, Fut>(mut self, handler: F) -> Self
    where
        R: Request,
        F: Fn(Arc<S>, Call, R) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R::Reply, Error>> + Send + 'static,
    {
        assert_eq!(R::SERVICE, self.service, "{} is answered by another service", R::NAME);
        let handler = Arc::new(handler);
        let erased: Handler<S> = Arc::new(move |state, call, payload| {
            let handler = handler.clone();
            async move {
                let request: R = serde_json::from_slice(&payload).map_err(|error| {
                    tracing::warn!(%error, "a request that cannot be read");
                    Failure::new(Code::Invalid, "The message is malformed.")
                })?;
                let reply = handler(state, call, request).await?;
                Ok(serde_json::to_vec(&Reply::Ok(reply))?)
            }
            .boxed()
        });
        self.table.push((R::NAME, erased));
        self
    }

    /// Subscribes to the subjects of all requests and answers them until shutdown. Returns once the
    /// NATS server has the subscriptions.
    ///
    /// # Errors
    /// When NATS does not confirm the subscriptions.
    pub async fn serve(self, bus: &Bus, shutdown: &Shutdown) -> anyhow::Result<()> {
        let Self { service, state, table } = self;
        let running = bus
            .client
            .service_builder()
            .start(service.name(), env!("CARGO_PKG_VERSION"))
            .await
            .map_err(anyhow::Error::from_boxed)?;
        let group = running.group(format!("svc.{service}.v1"));
        let in_hand = Arc::new(Semaphore::new(MOST_IN_HAND));
        bus.metrics().places("requests", in_hand.clone());
        for (name, handler) in table {
            let endpoint = group.endpoint_builder().name(name.replace('.', "-"));
            let mut requests = endpoint.add(name).await.map_err(anyhow::Error::from_boxed)?;
            let (bus, state, stop) = (bus.clone(), state.clone(), shutdown.clone());
            let in_hand = in_hand.clone();
            shutdown.spawn(async move {
                loop {
                    let request = tokio::select! {
                        request = requests.next() => request,
                        () = stop.stopping() => None,
                    };
                    let Some(request) = request else { break };
                    let (started, answered) = (Instant::now(), bus.metrics().clone());
                    let answered = move |failure| {
                        answered.common().answered.observe(service, name, failure, started.elapsed());
                    };
                    let Ok(place) = in_hand.clone().try_acquire_owned() else {
                        let busy = Failure::new(Code::Unavailable, format!("The {service} service is busy. Try again in a moment."));
                        respond(&request, failure_bytes(busy)).await;
                        answered(Some(Code::Unavailable));
                        continue;
                    };
                    let (bus, state, handler) = (bus.clone(), state.clone(), handler.clone());
                    // Requests of one endpoint arrive one after the other. Without a task for each,
                    // a slow request would delay all later ones.
                    stop.spawn(async move {
                        let span = info_span!("answer", subject = %request.message.subject, caller = Empty, actor = Empty, request_id = Empty, trace_id = Empty);
                        trace::continue_trace(&span, request.message.headers.as_ref());
                        match answer(&bus, handler, state, &request.message).instrument(span).await {
                            Some((reply, failure)) => {
                                respond(&request, reply).await;
                                answered(failure);
                            }
                            None => answered(Some(Code::Timeout)),
                        }
                        drop(place);
                    });
                }
                // Unsubscribes. From now on NATS sends requests to other replicas, or tells callers
                // at once that no replica runs.
                let _ = requests.stop().await;
            });
        }
        // Without this, a request sent right after this function returns could find no subscriber.
        bus.settled().await?;
        // `running` also answers the service discovery of NATS (`$SRV.PING`, …), which would stop
        // if `running` were dropped here.
        let stop = shutdown.clone();
        tokio::spawn(async move {
            stop.stopping().await;
            drop(running);
        });
        Ok(())
    }
}

/// Runs the handler of one request. Gives the reply, and the code of the failure if it failed. None
/// when the caller has stopped waiting: then no reply is sent.
async fn answer<S>(bus: &Bus, handler: Handler<S>, state: Arc<S>, message: &Message) -> Option<(Bytes, Option<Code>)> {
    let call = read_call(bus, message);
    Span::current().record("caller", call.caller.to_string());
    if let Some(actor) = call.actor {
        Span::current().record("actor", actor.to_string());
    }
    if let Some(id) = &call.request_id {
        Span::current().record("request_id", id);
    }
    let left = call.deadline - bus.now();
    if left <= 0 {
        tracing::warn!("nobody waits for this any more");
        return None;
    }
    let origin = Origin::read(message.headers.as_ref()).or_actor(call.actor);
    let work = origin.scope(handler(state, call, message.payload.clone()));
    let outcome = match tokio::time::timeout(Duration::from_millis(left as u64), work).await {
        Ok(outcome) => outcome,
        Err(_) => {
            tracing::warn!("not done when the deadline came");
            return None;
        }
    };
    let failure = match outcome {
        Ok(reply) if reply.len() <= MOST_REPLY => return Some((reply.into(), None)),
        Ok(reply) => {
            tracing::error!(bytes = reply.len(), "a reply that is too long for NATS");
            Failure::new(Code::Internal, "The answer is too long. Ask for less at once.")
        }
        Err(error) => {
            let failure = error.to_failure();
            match failure.code {
                Code::Internal => tracing::error!(error = %anyhow::Error::from(error).chain_line(), "failed"),
                // The code that refuses too many attempts logs them itself, at most once a minute
                // for each source. A log line for each attempt would let an attacker fill the disk.
                Code::TooManyAttempts => {}
                code if code.is_passing() => {
                    tracing::warn!(error = %anyhow::Error::from(error).chain_line(), "cannot do this now");
                }
                code => tracing::info!(?code, "refused"),
            }
            failure
        }
    };
    let code = failure.code;
    Some((failure_bytes(failure), Some(code)))
}

fn read_call(bus: &Bus, message: &Message) -> Call {
    let header =
        |name: &str| message.headers.as_ref().and_then(|headers| headers.get(name)).map(|value| value.as_str());
    let caller = header(header::CALLER).and_then(|text| text.parse().ok()).unwrap_or(Caller::Anonymous);
    Call {
        caller,
        actor: header(header::ACTOR).and_then(|text| text.parse().ok()).or(caller.actor()),
        deadline: header(header::DEADLINE)
            .and_then(|text| text.parse().ok())
            .map_or_else(|| bus.now() + 5_000, contracts::Millis),
        request_id: header(header::REQUEST_ID).map(str::to_owned),
    }
}

fn failure_bytes(failure: Failure) -> Bytes {
    // Serializing a failure cannot fail.
    serde_json::to_vec(&Reply::<()>::Error(failure)).unwrap_or_default().into()
}

async fn respond(request: &async_nats::service::Request, reply: Bytes) {
    if let Err(error) = request.respond(Ok(reply)).await {
        tracing::warn!(%error, "cannot answer");
    }
}

/// Formats an error with all its causes on one line.
pub(crate) trait ChainLine {
    fn chain_line(&self) -> String;
}

impl ChainLine for anyhow::Error {
    fn chain_line(&self) -> String {
        format!("{self:#}")
    }
}
