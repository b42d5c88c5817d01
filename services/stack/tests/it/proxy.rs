//! A reverse proxy that serves a system under a path.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode, header};
use tokio::net::TcpListener;

/// The path under which the proxy serves the system.
pub const PREFIX: &str = "/t3";
/// The limit for a request body, which is larger than any body in a test.
const MOST: usize = 4 << 20;

/// What the proxy does with the path [`PREFIX`] before it forwards a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It removes the prefix.
    Strips,
    /// It keeps the prefix.
    Keeps,
}

/// A proxy that listens, and does not forward requests yet.
pub struct Proxy {
    /// The public URL of the system, with the path.
    pub url: String,
    listener: TcpListener,
    manner: Manner,
}

struct PassOn {
    to: SocketAddr,
    manner: Manner,
    http: reqwest::Client,
}

impl Proxy {
    /// Makes a proxy that listens on a free port.
    pub async fn listen(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{PREFIX}", listener.local_addr().unwrap());
        Self { url, listener, manner }
    }

    /// Forwards requests to this address until the test ends.
    pub fn serve(self, to: SocketAddr) {
        let redirects = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().no_proxy().redirect(redirects).build().unwrap();
        let state = Arc::new(PassOn { to, manner: self.manner, http });
        let proxy = Router::new().fallback(pass_on).with_state(state);
        tokio::spawn(async move { axum::serve(self.listener, proxy).await });
    }
}

async fn pass_on(State(on): State<Arc<PassOn>>, request: Request) -> Response<Body> {
    let asked = request.uri().path_and_query().map_or("/", |asked| asked.as_str());
    // Another application answers outside of the path. So a link without the path fails the test.
    let under = asked.strip_prefix(PREFIX).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let Some(rest) = under else {
        return Response::builder().status(StatusCode::IM_A_TEAPOT).body(Body::from("Somebody else's.")).unwrap();
    };
    let path = if on.manner == Manner::Strips { rest } else { asked };
    let slash = if path.starts_with('/') { "" } else { "/" };
    let url = format!("http://{}{slash}{path}", on.to);
    let (mut parts, body) = request.into_parts();
    parts.headers.remove(header::HOST);
    let body = to_bytes(body, MOST).await.unwrap();
    let answer = on.http.request(parts.method, url).headers(parts.headers).body(body).send().await.unwrap();
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    headers.remove(header::TRANSFER_ENCODING);
    let mut passed = Response::new(Body::from(answer.bytes().await.unwrap()));
    (*passed.status_mut(), *passed.headers_mut()) = (status, headers);
    passed
}
