//! A client of the system's HTTP API, with which the demo creates its data.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Method, RequestBuilder, StatusCode, header::RETRY_AFTER};
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// How long a request is repeated while it is answered 429 or 503. It is also the timeout of each
/// attempt.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client of the API.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: String,
}

/// The credentials of a request.
#[derive(Clone, Copy, Debug)]
pub enum Credentials<'a> {
    /// No credentials.
    None,
    /// The admin key.
    AdminKey,
    /// The token of a logged-in person.
    Token(&'a str),
}

impl Client {
    /// Creates a client for the system at this base URL with this admin key.
    pub fn new(base: &str, key: String) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        Ok(Self { http, base: base.to_owned(), key })
    }

    /// Sends a GET with the admin key and returns the body of a success.
    pub async fn get(&self, path: &str) -> Result<Value> {
        success(path, self.answer(self.request(Method::GET, path, Credentials::AdminKey)).await)
    }

    /// Sends a POST and returns the body of a success.
    pub async fn post(&self, path: &str, who: Credentials<'_>, body: &Value) -> Result<Value> {
        success(path, self.try_post(path, who, body).await)
    }

    /// Sends a POST and returns the status and the body, even of a refusal.
    pub async fn try_post(&self, path: &str, who: Credentials<'_>, body: &Value) -> Result<(StatusCode, Value)> {
        self.answer(self.request(Method::POST, path, who).json(body)).await
    }

    /// Sends a PUT with the admin key and returns the body of a success.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        success(path, self.answer(self.request(Method::PUT, path, Credentials::AdminKey).json(body)).await)
    }

    /// Logs a person in and returns the token.
    pub async fn log_in(&self, email: &str, password: &str) -> Result<String> {
        let path = "/api/auth/login";
        let request = self.request(Method::POST, path, Credentials::None);
        let body = success(path, self.answer(request.form(&[("username", email), ("password", password)])).await)?;
        Ok(body["access_token"].as_str().context("a log-in without a token")?.to_owned())
    }

    fn request(&self, method: Method, path: &str, who: Credentials<'_>) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match who {
            Credentials::None => request,
            Credentials::AdminKey => request.header("X-API-Key", &self.key),
            Credentials::Token(token) => request.bearer_auth(token),
        }
    }

    /// Sends the request until the answer is neither 429 nor 503, or until [`PATIENCE`] is over.
    async fn answer(&self, request: RequestBuilder) -> Result<(StatusCode, Value)> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let this_time = request.try_clone().context("a body that cannot be sent twice")?;
            let answer = this_time.send().await?;
            let status = answer.status();
            let later = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
            if !later || Instant::now() > deadline {
                return Ok((status, answer.json().await.unwrap_or_default()));
            }
            let seconds = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            sleep(Duration::from_secs(seconds.unwrap_or(1)).min(PATIENCE)).await;
        }
    }
}

/// Returns the body of a success. A refusal becomes an error with its reason.
fn success(path: &str, answer: Result<(StatusCode, Value)>) -> Result<Value> {
    match answer.with_context(|| path.to_owned())? {
        (status, body) if status.is_success() => Ok(body),
        (status, body) => bail!("{path}: {status}: {}", body["detail"].as_str().unwrap_or("no reason given")),
    }
}

/// Returns the field `id` of an object.
pub fn id(of: &Value) -> Result<String> {
    Ok(of["id"].as_str().with_context(|| format!("no id: {of}"))?.to_owned())
}
