use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use bench::fleet::ADMIN_KEY;
use reqwest::{Method, header};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::ledger::{Done, Ledger};
use crate::gateways::OpenGateways;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(12);

/// A client of the HTTP API. It sends each request to the next gateway, like a load balancer.
#[derive(Clone, Debug)]
pub(crate) struct ApiClient {
    http: reqwest::Client,
    gateways: OpenGateways,
    ledger: Ledger,
    turn: Arc<AtomicUsize>,
}

/// The credentials of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum As<'a> {
    Admin,
    Employee(&'a str),
    Nobody,
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// The status; 0 if there was no answer.
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl ApiClient {
    pub(crate) fn new(gateways: OpenGateways, ledger: Ledger) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        Ok(Self { http, gateways, ledger, turn: Arc::default() })
    }

    pub(crate) async fn call(&self, method: Method, path: &str, caller: As<'_>, body: Option<&Value>) -> Reply {
        let Some(base) = self.gateways.pick(self.turn.fetch_add(1, Ordering::Relaxed)) else {
            return Reply { status: 0, body: Value::Null };
        };
        let request = self.http.request(method.clone(), format!("{base}{path}"));
        let request = match caller {
            As::Admin => request.header("X-API-Key", ADMIN_KEY),
            As::Employee(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            As::Nobody => request,
        };
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let reply = match request.send().await {
            Ok(answer) => {
                let status = answer.status().as_u16();
                match answer.bytes().await {
                    Ok(body) => Reply { status, body: serde_json::from_slice(&body).unwrap_or_default() },
                    Err(_) => Reply { status: 0, body: Value::Null },
                }
            }
            Err(_) => Reply { status: 0, body: Value::Null },
        };
        let mut book = self.ledger.book();
        *book.statuses.entry(reply.status).or_default() += 1;
        if matches!(reply.status, 500 | 502) {
            book.odd.push(format!("{method} {path}: {} {}", reply.status, reply.body));
        }
        drop(book);
        reply
    }

    /// Logs in and returns the token, or `None` if that fails.
    pub(crate) async fn log_in(&self, email: &str, password: &str) -> Option<String> {
        let base = self.gateways.pick(self.turn.fetch_add(1, Ordering::Relaxed))?;
        let form = [("username", email), ("password", password)];
        let answer = self.http.post(format!("{base}/api/auth/login")).form(&form).send().await.ok()?;
        let body: Value = answer.json().await.ok()?;
        Some(body["access_token"].as_str()?.to_owned())
    }

    /// Returns the base URLs of the gateways that take new requests.
    pub(crate) fn bases(&self) -> Vec<String> {
        self.gateways.all()
    }

    /// Sends a token to one gateway, and returns the status.
    pub(crate) async fn show(&self, base: &str, token: &str) -> u16 {
        let asked = self.http.get(format!("{base}/api/auth/me")).bearer_auth(token).send().await;
        asked.map_or(0, |answer| answer.status().as_u16())
    }
}

impl Reply {
    pub(crate) fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns whether the change was made. That is unknown after a temporary failure or without an
    /// answer, because the system may have made the change all the same.
    pub(crate) fn done(&self) -> Done {
        match self.status {
            200..300 => Done::Yes,
            400..500 if self.status != 429 && self.status != 408 => Done::No,
            _ => Done::Unknown,
        }
    }

    pub(crate) fn read<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_value(self.body.clone()).ok()
    }

    /// Returns the status and the code of the answer as a short text.
    pub(crate) fn words(&self) -> String {
        match self.body["code"].as_str() {
            Some(code) => format!("{} {code}", self.status),
            None => self.status.to_string(),
        }
    }
}
