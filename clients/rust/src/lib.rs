//! Sends windows of tracked work, and keeps each on disk until the server has recorded it.
//!
//! A window keeps its id when it is sent again, so the server records it once.

mod store;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Client, Response, StatusCode, header::RETRY_AFTER};
use serde_json::{Value, json};
use tokio::time::sleep;

pub use store::Store;

/// How long to wait for an answer. The server answers within 4 s.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest pause between two attempts, unless the server asks for a longer one. The pause
/// doubles from attempt to attempt.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The outcome of one attempt.
enum Outcome {
    /// Every window of the batch is recorded or refused.
    Settled,
    /// The server does not accept the token any more, so the client must log in again.
    TokenEnded,
    /// Another attempt is needed, because this one failed or some windows are not recorded yet. It
    /// may begin after this pause or later.
    Later(Duration),
}

/// Sends the windows in the store until none is left, however long the server is unreachable.
///
/// # Errors
/// When the server refuses the log-in or cannot read the request, or the store cannot be read or
/// written.
pub async fn send(store: &Store, server: &str, email: &str, password: &str) -> Result<()> {
    let http = &Client::builder().timeout(TIMEOUT).build()?;
    let credentials = &[("username", email), ("password", password)];
    let (mut token, mut pause) = (None, Duration::from_secs(1));
    loop {
        let windows = store.waiting()?;
        if windows.is_empty() {
            return Ok(());
        }
        let outcome = match &token {
            None => match log_in(http, server, credentials).await? {
                Ok(fresh) => {
                    token = Some(fresh);
                    continue;
                }
                Err(outcome) => outcome,
            },
            Some(token) => post(http, store, server, token, &windows).await?,
        };
        let wait = match outcome {
            Outcome::Settled => {
                pause = Duration::from_secs(1);
                continue;
            }
            Outcome::TokenEnded => {
                token = None;
                pause
            }
            Outcome::Later(wait) => wait.max(pause),
        };
        sleep(wait).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn log_in(http: &Client, server: &str, credentials: &[(&str, &str)]) -> Result<Result<String, Outcome>> {
    let sent = http.post(format!("{server}/api/auth/login")).form(credentials).send().await;
    let Ok(answer) = sent else { return Ok(Err(Outcome::Later(Duration::ZERO))) };
    match answer.status() {
        StatusCode::OK => {
            let answer: Value = answer.json().await?;
            Ok(Ok(answer["access_token"].as_str().context("an answer without a token")?.to_owned()))
        }
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => bail!(answer.text().await?),
        _ => Ok(Err(Outcome::Later(retry_after(&answer)))),
    }
}

async fn post(http: &Client, store: &Store, server: &str, token: &str, windows: &[Value]) -> Result<Outcome> {
    let request = http.post(format!("{server}/api/v1/time-entries/batch")).bearer_auth(token);
    let sent = request.json(&json!({ "windows": windows })).send().await;
    // Without an answer the windows may be recorded or not, so they are sent again.
    let Ok(answer) = sent else { return Ok(Outcome::Later(Duration::ZERO)) };
    let status = answer.status();
    match status {
        StatusCode::OK | StatusCode::ACCEPTED => {
            let Ok(answer) = answer.json::<Value>().await else { return Ok(Outcome::Later(Duration::ZERO)) };
            for item in answer["items"].as_array().context("an answer without items")? {
                store.settle(item)?;
            }
            // A queued window is safe, but not recorded yet. Sending it again returns its outcome.
            Ok(if status == StatusCode::OK { Outcome::Settled } else { Outcome::Later(Duration::ZERO) })
        }
        StatusCode::UNAUTHORIZED => Ok(Outcome::TokenEnded),
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
            bail!(answer.text().await?)
        }
        _ => Ok(Outcome::Later(retry_after(&answer))),
    }
}

fn retry_after(answer: &Response) -> Duration {
    let seconds = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(0))
}
