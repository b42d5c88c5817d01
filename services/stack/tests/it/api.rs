//! A client of the HTTP API, for tests of a system that runs in this process or in another one.

use std::path::PathBuf;

use bench::Mailbox;
use contracts::EmployeeId;
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::shapes::assert_problem;

/// The admin key of every system in these tests.
pub const ADMIN_KEY: &str = "the-admin-key-of-a-system-under-test";

/// A client of a system.
pub struct Api {
    /// The base URL of the system, without a slash at the end.
    pub base: String,
    /// The HTTP client, for requests that have no method here.
    pub http: reqwest::Client,
    /// The admin key that is sent.
    pub admin_key: &'static str,
    /// The data folder of the system, with mails and secrets.
    data: PathBuf,
}

/// An employee who has activated the account and logged in.
#[derive(Clone, Debug)]
pub struct Person {
    /// The id of the employee.
    pub id: EmployeeId,
    /// The token of the session.
    pub token: String,
    /// The e-mail address, for logging in.
    pub email: String,
    /// The password.
    pub password: String,
}

/// A response.
#[derive(Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The HTTP headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
    /// The body as JSON; null if it is not JSON.
    pub body: Value,
}

impl Response {
    /// Requires this status, and returns the body.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    /// Requires a problem with this status, and returns its `code`.
    #[track_caller]
    pub fn refused(self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        assert_problem(&self);
        self.body["code"].as_str().expect("a code").to_owned()
    }
}

impl Api {
    /// Creates a client of the system at this URL, with this data folder.
    pub fn new(base: String, data: PathBuf) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { base, http, admin_key: ADMIN_KEY, data }
    }

    /// Returns the data folder.
    pub fn data(&self) -> PathBuf {
        self.data.clone()
    }

    /// Starts a request without credentials.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method: Method = method.parse().unwrap();
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// Sends a request without credentials. With a null body, no body is sent.
    pub async fn anybody(&self, method: &str, path: &str, body: Value) -> Response {
        send(self.request(method, path), body).await
    }

    /// Sends a request with the admin key. With a null body, no body is sent.
    pub async fn admin(&self, method: &str, path: &str, body: Value) -> Response {
        send(self.request(method, path).header("X-API-Key", self.admin_key), body).await
    }

    /// Sends a request with this token. With a null body, no body is sent.
    pub async fn employee(&self, token: &str, method: &str, path: &str, body: Value) -> Response {
        send(self.request(method, path).bearer_auth(token), body).await
    }

    /// Waits for an invitation to this address, and returns the newest token.
    pub async fn invitation_token(&self, email: &str) -> String {
        Mailbox::of(&self.data).invitation(email, None).await.unwrap()
    }

    /// Waits for an invitation to this address with another token than `before`, and returns the
    /// newest token.
    pub async fn next_invitation_token(&self, email: &str, before: &str) -> String {
        Mailbox::of(&self.data).invitation(email, Some(before)).await.unwrap()
    }

    /// Waits for a mail to this address with a link to this page, and returns the newest token.
    pub async fn mailed_token(&self, page: &str, email: &str) -> String {
        Mailbox::of(&self.data).token(page, email, None).await.unwrap()
    }

    /// Activates an invited account with this password.
    pub async fn activate(&self, token: &str, password: &str) -> Response {
        self.anybody("POST", "/api/auth/activate", json!({ "token": token, "password": password })).await
    }

    /// Logs in with this address and password.
    pub async fn login(&self, email: &str, password: &str) -> Response {
        let form = [("username", email), ("password", password)];
        send(self.request("POST", "/api/auth/login").form(&form), Value::Null).await
    }

    /// Creates an employee, activates the account and logs in.
    pub async fn new_employee(&self, name: &str, email: &str) -> Person {
        let password = format!("the long password of {name}");
        let employee = self.admin("POST", "/api/v1/employee", json!({ "name": name, "email": email })).await;
        let id = employee.expect(201)["id"].as_str().unwrap().parse().unwrap();
        let token = self.invitation_token(email).await;
        self.activate(&token, &password).await.expect(200);
        let token = self.login(email, &password).await.expect(200)["access_token"].as_str().unwrap().to_owned();
        Person { id, token, email: email.to_owned(), password }
    }
}

/// Sends a request and reads the response. The body is sent as JSON unless it is null.
pub async fn send(request: RequestBuilder, body: Value) -> Response {
    let request = if body.is_null() { request } else { request.json(&body) };
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or_default();
    Response { status, headers, text, body }
}
