//! Makes the developers of the sheet employees: they are created, invited by mail, activated and
//! logged in.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use contracts::{CreateEmployee, Email, Employee, EmployeeId, Name};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::{admin::Admin, passwords::Passwords};
use crate::client::{Client, Retry};
use crate::mailbox::Mailbox;
use crate::progress::{Phase, Progress};

/// An employee who is logged in.
#[derive(Clone, Debug)]
pub struct Person {
    /// The id of the employee.
    pub id: EmployeeId,
    /// The value of the header `Authorization`.
    pub authorization: String,
    /// The user name on the employee's computer.
    pub user: String,
}

#[derive(Deserialize)]
struct Login {
    access_token: String,
}

/// Makes each developer an employee with an activated account, logs them in, and returns them in
/// the same order. An employee who exists already is not created again.
///
/// # Errors
/// When the system refuses a request, no invitation arrives, or a password is unknown.
pub async fn invite(
    admin: &Admin<'_>,
    mailbox: &Mailbox,
    passwords: &mut Passwords,
    developers: &[u32],
) -> Result<(Vec<Person>, Phase)> {
    let there: Vec<Employee> = admin.list("/api/v1/employee").await?;
    let mut there: HashMap<String, Employee> = there.into_iter().map(|found| (found.email.key(), found)).collect();
    let progress = Progress::of("employees", developers.len());
    let mut people = Vec::with_capacity(developers.len());
    for developer in developers {
        let user = format!("developer-{developer}");
        let email = Email::parse(&format!("{user}@sip.example"))?;
        let employee = match there.remove(&email.key()) {
            Some(found) => found,
            None => {
                let name = Name::parse(&format!("Developer {developer}"))?;
                admin.create("/api/v1/employee", &CreateEmployee { name, email }).await?
            }
        };
        let person = enter(admin, mailbox, passwords, &employee, user).await;
        people.push(person.with_context(|| format!("{} cannot log in", employee.email))?);
        progress.one();
    }
    Ok((people, progress.done()))
}

async fn enter(
    admin: &Admin<'_>,
    mailbox: &Mailbox,
    passwords: &mut Passwords,
    employee: &Employee,
    user: String,
) -> Result<Person> {
    let address = employee.email.as_str();
    if employee.deactivated_at.is_some() {
        bail!("somebody has deactivated this employee");
    }
    if employee.is_active && passwords.get(address).is_none() {
        bail!("the account is activated, but its password is not kept in the data folder: import into another one");
    }
    let password = passwords.get_or_make(address)?;
    if !employee.is_active {
        activate(admin, mailbox, employee, &password).await?;
    }
    let form = [("username", address), ("password", password.as_str())];
    let login = admin.client.request(Method::POST, "/api/auth/login").form(&form);
    let login: Login = admin.client.send(login, Retry::Always).await?.ok()?;
    Ok(Person { id: employee.id, authorization: format!("Bearer {}", login.access_token), user })
}

async fn activate(admin: &Admin<'_>, mailbox: &Mailbox, employee: &Employee, password: &str) -> Result<()> {
    let address = employee.email.as_str();
    let token = mailbox.invitation(address, None).await?;
    let answer = try_token(admin.client, &token, password).await?;
    if answer == StatusCode::OK {
        return Ok(());
    }
    // The token has expired, or a newer invitation has replaced it. So a new invitation is
    // requested.
    admin.post(&format!("/api/v1/employee/{}/invite", employee.id)).await?;
    let token = mailbox.invitation(address, Some(&token)).await?;
    match try_token(admin.client, &token, password).await? {
        StatusCode::OK => Ok(()),
        status => bail!("a fresh invitation was refused with {status}"),
    }
}

async fn try_token(client: &Client, token: &str, password: &str) -> Result<StatusCode> {
    let body = json!({ "token": token, "password": password });
    let activate = client.request(Method::POST, "/api/auth/activate").json(&body);
    // This request is not idempotent, because a token works once.
    Ok(client.send(activate, Retry::WhenRefused).await?.status)
}
