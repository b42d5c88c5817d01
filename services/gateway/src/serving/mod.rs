//! Serves HTTP on a listener. It limits the number of connections and how long a client may take
//! for each part of a request, and answers open requests before it stops.

mod bounds;
mod connection;
mod descriptors;
mod in_time;
mod memory;
mod metrics;
mod settings;

use std::{
    convert::Infallible,
    io::ErrorKind,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, body::Body, extract::ConnectInfo, response::Response};
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use kit::Shutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

pub(crate) use self::{
    bounds::Refused,
    in_time::{Limit, in_time},
    metrics::ConnectionMetrics,
};
use self::{
    bounds::{Bounds, Place},
    connection::{Answering, Stage, Timed},
};
pub use settings::Connections;

use crate::client::TrustedProxies;

/// The pause after `accept` has failed. Without the pause the loop would use a whole CPU while
/// there are no file descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// The shortest time between two log lines about refused connections.
const LOG_EVERY: Duration = Duration::from_secs(5);
/// The response to a refused connection. It is small enough for the socket buffer, so that it can
/// be written without waiting.
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
Content-Type: application/problem+json\r\nContent-Length: 151\r\nRetry-After: 1\r\nConnection: close\r\n\r\n\
{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\
\"detail\":\"Too many connections are open. Try again in a moment.\",\"code\":\"unavailable\"}";

/// Accepts connections until shutdown, and then waits until all open requests are answered.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    settings: Connections,
    proxies: TrustedProxies,
    metrics: ConnectionMetrics,
    shutdown: &Shutdown,
) {
    let bounds = Bounds::new(&settings, proxies, descriptors::raise(), &metrics);
    let (gone, stop) = (bounds.clone(), shutdown.clone());
    shutdown.spawn(async move { memory::give_back(gone, &stop).await });
    let (open, mut refusals) = (TaskTracker::new(), Refusals::new(metrics.clone()));
    let server = Arc::new(Server { router: TowerToHyperService::new(router), settings, metrics });
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.stopping() => break,
        };
        match accepted {
            Ok((stream, peer)) => match bounds.place(peer.ip()) {
                Ok(place) => {
                    let (server, stop) = (server.clone(), shutdown.clone());
                    open.spawn(async move { server.converse(stream, peer, place, &stop).await });
                }
                Err(refused) => {
                    // The write is not awaited, because a client that does not read would delay all
                    // new connections.
                    let _ = stream.try_write(NO_PLACE);
                    refusals.one_more(refused);
                }
            },
            // The client has closed the connection already.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            Err(error) => {
                tracing::debug!(%error, "no connection");
                refusals.one_more(Refused::BySystem);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    open.close();
    open.wait().await;
}

/// The router, settings and metrics that all connections share.
struct Server {
    router: TowerToHyperService<Router>,
    settings: Connections,
    metrics: ConnectionMetrics,
}

impl Server {
    /// Answers the requests of a connection, one after the other.
    async fn converse(&self, stream: TcpStream, peer: SocketAddr, _place: Place, shutdown: &Shutdown) {
        // With Nagle's algorithm, the kernel could delay a small response.
        let _ = stream.set_nodelay(true);
        let stage = Stage::new();
        let service = service_fn(|request| self.answer(request, peer, &stage));
        let timed = Timed::new(stream, stage.clone(), &self.settings, self.metrics.clone());
        // hyper's own time limit for the head is off. It does not distinguish idle connections from
        // slow ones, so `Timed` has the time limits.
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .serve_connection(TokioIo::new(timed), service);
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = shutdown.stopping() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection has ended early");
        }
    }

    async fn answer(
        &self,
        mut request: Request<Incoming>,
        peer: SocketAddr,
        stage: &Stage,
    ) -> Result<Response, Infallible> {
        let answering = Answering::begin(stage);
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.router.call(request).await?;
        // The connection counts as busy until the response body is written.
        Ok(response.map(|body| Body::new(answering.until_end_of(body))))
    }
}

/// Counts refused connections, and logs them at most every 5 seconds.
struct Refusals {
    metrics: ConnectionMetrics,
    unlogged: [u64; Refused::ALL.len()],
    logged: Option<Instant>,
}

impl Refusals {
    fn new(metrics: ConnectionMetrics) -> Self {
        Self { metrics, unlogged: Default::default(), logged: None }
    }

    fn one_more(&mut self, refused: Refused) {
        self.metrics.refused(refused);
        self.unlogged[refused as usize] += 1;
        if self.logged.is_none_or(|logged| logged.elapsed() >= LOG_EVERY) {
            let [for_all, for_address, by_system] = std::mem::take(&mut self.unlogged);
            tracing::warn!(for_all, for_address, by_system, "connections are refused: see HTTP_MAX_CONNECTIONS");
            self.logged = Some(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::NO_PLACE;

    #[test]
    fn what_a_refused_connection_is_told_is_a_whole_answer() {
        let text = std::str::from_utf8(NO_PLACE).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{}", body.len());
        let problem: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(problem["status"], 503);
    }
}
