//! An HTTP client that repeats a request when the answer is a temporary failure.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::header::RETRY_AFTER;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// How long a request is repeated before the client gives up.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long to wait for one answer. The gateway answers the slowest request of this program, an
/// approval of a pay period, within 25 s.
const ANSWER: Duration = Duration::from_secs(30);

/// A client of a running system.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    /// The number of answers by status, including those to repeated requests; 0 means no answer.
    statuses: Mutex<BTreeMap<u16, u64>>,
}

/// When a request may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Only after an answer with 429 or 503, which says that the system could not take the request:
    /// for requests that are not idempotent.
    WhenRefused,
    /// After any temporary failure, also 504 or a lost answer: for idempotent requests.
    Always,
}

/// The final answer to a request.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    body: Vec<u8>,
}

impl Client {
    /// Creates a client of the system at this base URL.
    ///
    /// # Errors
    /// When the HTTP library cannot start.
    pub fn new(base: &str) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER).build()?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), statuses: Mutex::default() })
    }

    /// Starts a request to a path of the system.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// Sends a request, and repeats it after temporary failures if `retry` allows it.
    ///
    /// # Errors
    /// When the failures last longer than two minutes, or when the request may not be repeated.
    pub async fn send(&self, request: RequestBuilder, retry: Retry) -> Result<Answer> {
        let started = Instant::now();
        loop {
            let this_time = request.try_clone().context("the body cannot be sent twice")?;
            let sent = this_time.send().await;
            self.count(sent.as_ref().map_or(0, |response| response.status().as_u16()));
            let (wait, reason) = match sent {
                Ok(response) if is_passing(response.status(), retry) => {
                    (retry_after(&response), Answer::read(response).await?.problem())
                }
                Ok(response) => return Answer::read(response).await,
                Err(error) if retry == Retry::Always => {
                    (Duration::from_secs(1), anyhow::Error::from(error).to_string())
                }
                Err(error) => return Err(error).with_context(|| format!("{} does not answer", self.base)),
            };
            if started.elapsed() + wait > PATIENCE {
                bail!("nothing but refusals for {} s, at last: {reason}", PATIENCE.as_secs());
            }
            sleep(wait).await;
        }
    }

    /// Returns the number of answers by status since the last call; 0 means no answer.
    pub fn take_statuses(&self) -> BTreeMap<u16, u64> {
        std::mem::take(&mut self.statuses.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn count(&self, status: u16) {
        *self.statuses.lock().unwrap_or_else(PoisonError::into_inner).entry(status).or_default() += 1;
    }
}

impl Answer {
    async fn read(response: Response) -> Result<Self> {
        let status = response.status();
        let body = response.bytes().await.context("the answer broke off")?.to_vec();
        Ok(Self { status, body })
    }

    /// Deserializes the body of a success.
    ///
    /// # Errors
    /// The status and the reason of a refusal, or a body that cannot be deserialized.
    pub fn ok<T: DeserializeOwned>(&self) -> Result<T> {
        self.check()?;
        serde_json::from_slice(&self.body).context("an answer that makes no sense")
    }

    /// Checks that the answer is a success, without deserializing the body.
    ///
    /// # Errors
    /// The status and the reason of a refusal.
    pub fn check(&self) -> Result<()> {
        if self.status.is_success() { Ok(()) } else { bail!("{}", self.problem()) }
    }

    fn problem(&self) -> String {
        let problem: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        format!("{}: {}", self.status, problem["detail"].as_str().unwrap_or("no reason given"))
    }
}

fn is_passing(status: StatusCode, retry: Retry) -> bool {
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => true,
        StatusCode::GATEWAY_TIMEOUT => retry == Retry::Always,
        _ => false,
    }
}

/// Returns the delay in the header Retry-After, limited to 0.1 to 10 s. Without the header it is 1
/// s.
fn retry_after(response: &Response) -> Duration {
    let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<f64>().ok());
    Duration::from_secs_f64(seconds.unwrap_or(1.0).clamp(0.1, 10.0))
}
