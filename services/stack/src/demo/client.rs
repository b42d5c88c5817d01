//! The system's own HTTP API, as the fill uses it.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Method, RequestBuilder, StatusCode, header::RETRY_AFTER};
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// How long a request is sent again that is told to come later.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client of the API.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: String,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub enum Who<'a> {
    /// Nobody in particular.
    Anybody,
    /// The admin's key.
    Root,
    /// Somebody by their token.
    Person(&'a str),
}

impl Client {
    /// One for the system that is served there, with its admin's key.
    pub fn new(base: &str, key: String) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        Ok(Self { http, base: base.to_owned(), key })
    }

    /// What a path has, for the admin.
    pub async fn get(&self, path: &str) -> Result<Value> {
        yes(path, self.answer(self.request(Method::GET, path, Who::Root)).await)
    }

    /// Creates or does something.
    pub async fn post(&self, path: &str, who: Who<'_>, body: &Value) -> Result<Value> {
        yes(path, self.try_post(path, who, body).await)
    }

    /// The same, where a no is an answer too.
    pub async fn try_post(&self, path: &str, who: Who<'_>, body: &Value) -> Result<(StatusCode, Value)> {
        self.answer(self.request(Method::POST, path, who).json(body)).await
    }

    /// Changes something as the admin.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        yes(path, self.answer(self.request(Method::PUT, path, Who::Root).json(body)).await)
    }

    /// Logs somebody in: their token.
    pub async fn log_in(&self, email: &str, password: &str) -> Result<String> {
        let path = "/api/auth/login";
        let request = self.request(Method::POST, path, Who::Anybody);
        let told = yes(path, self.answer(request.form(&[("username", email), ("password", password)])).await)?;
        Ok(told["access_token"].as_str().context("a log-in without a token")?.to_owned())
    }

    fn request(&self, method: Method, path: &str, who: Who<'_>) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match who {
            Who::Anybody => request,
            Who::Root => request.header("X-API-Key", &self.key),
            Who::Person(token) => request.bearer_auth(token),
        }
    }

    /// Sends it until the answer is not "later".
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

/// The body of an answer that says yes.
fn yes(path: &str, answer: Result<(StatusCode, Value)>) -> Result<Value> {
    match answer.with_context(|| path.to_owned())? {
        (status, body) if status.is_success() => Ok(body),
        (status, body) => bail!("{path}: {status}: {}", body["detail"].as_str().unwrap_or("no reason given")),
    }
}

/// The id of something.
pub fn id(of: &Value) -> Result<String> {
    Ok(of["id"].as_str().with_context(|| format!("no id: {of}"))?.to_owned())
}
