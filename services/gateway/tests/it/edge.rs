//! A test harness that runs the gateway, with an HTTP client for it.

use contracts::{EmployeeId, Secret, SessionId};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use testkit::{Harness, Running};
use tokio::net::TcpListener;

pub(crate) const KEY: &str = "the admin's key, of which nobody should see a word";
pub(crate) const PREVIOUS_KEY: &str = "the admin's key before that one, good for a while";
pub(crate) const JWT_SECRET: &str = "what tokens are signed with, which nobody knows";

pub(crate) struct Edge {
    pub(crate) harness: Harness,
    pub(crate) gateway: Running,
    pub(crate) http: Client,
    pub(crate) base: String,
}

pub(crate) fn config() -> gateway::Config {
    gateway::Config {
        http_addr: ([127, 0, 0, 1], 0).into(),
        cors_allow_origins: "https://app.example.org".into(),
        jwt_secret_key: Some(Secret::new(JWT_SECRET)),
        jwt_secret_key_file: None,
        jwt_secret_key_previous: None,
        jwt_secret_key_previous_file: None,
        jwt_algorithm: gateway::Algorithm::Hs256,
        access_token_expire_minutes: 10,
        admin_api_key: Some(Secret::new(KEY)),
        admin_api_key_file: None,
        admin_api_key_previous: Some(Secret::new(PREVIOUS_KEY)),
        admin_api_key_previous_file: None,
        trusted_proxies: String::new(),
        limits: gateway::Limits::default(),
        connections: gateway::Connections::default(),
        public_url: None,
    }
}

impl Edge {
    pub(crate) async fn start() -> Self {
        let harness = Harness::start().await;
        let (base, gateway) = start_gateway(&harness).await;
        Self { harness, gateway, http: Client::new(), base }
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(self.base.clone() + path)
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(self.base.clone() + path)
    }

    pub(crate) fn put(&self, path: &str) -> RequestBuilder {
        self.http.put(self.base.clone() + path)
    }

    /// Returns a token that was issued `seconds` seconds ago, is valid for ten more minutes, and
    /// may be renewed for a day.
    pub(crate) fn token_issued_ago(&self, employee: EmployeeId, seconds: i64) -> String {
        let now = self.harness.clock.now().0 / 1_000;
        let claims = json!({ "sub": employee, "epoch": 0, "iat": now - seconds, "exp": now + 600, "end": now + 86_400,
                "iss": "t3", "aud": "t3" });
        sign(&claims, Algorithm::HS256, JWT_SECRET)
    }

    /// Returns a token of this session, as the gateway would issue it now.
    pub(crate) fn token_in(&self, session: SessionId, employee: EmployeeId) -> String {
        let iat = self.harness.clock.now().0 / 1_000;
        let claims = json!({
            "sub": employee, "epoch": 0, "generation": 0, "sid": session, "iss": "t3", "aud": "t3",
            "iat": iat, "exp": iat + 600,
        });
        sign(&claims, Algorithm::HS256, JWT_SECRET)
    }

    /// Returns a token as an earlier version of the gateway, which had no sessions, would have
    /// issued it now.
    pub(crate) fn token(&self, employee: EmployeeId, epoch: i64) -> String {
        let iat = self.harness.clock.now().0 / 1_000;
        sign(&json!({ "sub": employee, "epoch": epoch, "iat": iat, "exp": iat + 600 }), Algorithm::HS256, JWT_SECRET)
    }
}

/// Starts a gateway with the default settings of these tests. Returns its base URL and the running
/// gateway.
pub(crate) async fn start_gateway(harness: &Harness) -> (String, Running) {
    start_gateway_with(harness, config()).await
}

/// Starts a gateway with these settings. Returns its base URL and the running gateway.
pub(crate) async fn start_gateway_with(harness: &Harness, config: gateway::Config) -> (String, Running) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("its port"));
    let run = |deps, shutdown| gateway::run_on(listener, config, deps, shutdown);
    (base, harness.spawn(gateway::needs(), run).await)
}

pub(crate) fn sign(claims: &Value, algorithm: Algorithm, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::new(algorithm), claims, &key).expect("a token")
}

/// The parts of an error response that tests compare, after [`read_problem`] has checked its form.
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: String,
    pub(crate) field: Option<String>,
    pub(crate) text: String,
}

pub(crate) async fn problem_of(request: RequestBuilder) -> Problem {
    read_problem(request.send().await.expect("an answer")).await
}

pub(crate) async fn read_problem(response: Response) -> Problem {
    let status = response.status();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert!(response.headers().contains_key("x-request-id"));
    let comes_again = matches!(status.as_u16(), 429 | 503);
    assert_eq!(response.headers().contains_key("retry-after"), comes_again);
    assert_eq!(response.headers().contains_key("www-authenticate"), status == 401);
    let text = response.text().await.expect("a body");
    let body: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(body["status"], status.as_u16());
    assert!(body["type"].is_string() && body["title"].is_string());
    assert!(body["detail"].as_str().is_some_and(|detail| detail.len() > 10 && detail.ends_with('.')), "{text}");
    let code = body["code"].as_str().expect("a code").to_owned();
    let field = body["errors"][0]["field"].as_str().map(str::to_owned);
    Problem { status, code, field, text }
}
