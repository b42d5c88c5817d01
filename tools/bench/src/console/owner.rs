//! The owner of the organisation, with whose session the pages are requested.

use std::path::Path;

use anyhow::{Context, Result};
use contracts::Employee;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::{
    analytics::staff::Staff,
    client::{Client, Retry},
    import::Passwords,
};

/// An owner with a session.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) base: String,
    /// The session cookie.
    pub(super) cookie: String,
}

#[derive(Deserialize)]
struct Login {
    access_token: String,
}

impl Owner {
    /// Makes the first employee the owner and logs in again, because the change of role has ended
    /// the session.
    pub(super) async fn appoint(staff: &Staff, data: &Path) -> Result<Self> {
        let client = Client::new(&staff.base)?;
        let path = format!("/api/v1/employee/{}/role", staff.people[0].id);
        let request = client.request(Method::PUT, &path).header("X-API-Key", &staff.key);
        let request = request.json(&json!({ "role": "owner" }));
        let employee: Employee = client.send(request, Retry::Always).await?.ok()?;
        let (address, passwords) = (employee.email.as_str(), Passwords::open(data)?);
        let form = [("username", address), ("password", passwords.get(address).context("no password is kept")?)];
        let login = client.request(Method::POST, "/api/auth/login").form(&form);
        let login: Login = client.send(login, Retry::Always).await?.ok()?;
        Ok(Self { base: staff.base.clone(), cookie: format!("t3={}", login.access_token) })
    }
}
