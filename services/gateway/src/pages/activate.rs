//! The page that an invitation's mail links to. Looking at it uses nothing up: mail scanners do.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use contracts::{Activate, Caller, Code, Email, Failure, GetInvitation, Invitation, Name, PASSWORD_LEAST, Secret};
use maud::html;
use serde::Deserialize;

use super::layout::page;
use crate::{
    App,
    error::{Problem, retry_after},
    extract::{Form, Params},
};

/// Shows whose invitation a link is, and asks for a password.
pub(crate) async fn show(State(app): State<Arc<App>>, params: Params) -> Response {
    match params.get("token", "must be that of the link") {
        Ok(Some(token)) => invitation(&app, token, None).await,
        Ok(None) | Err(_) => unknown(),
    }
}

/// The form of the page.
#[derive(Deserialize)]
pub(crate) struct Filled {
    token: Option<Secret>,
    password: Option<Secret>,
}

/// Activates the account.
pub(crate) async fn submit(State(app): State<Arc<App>>, Form(form): Form<Filled>) -> Result<Response, Problem> {
    let Some(token) = form.token else { return Ok(unknown()) };
    let request = Activate { token, password: form.password.unwrap_or(Secret::new("")) };
    Ok(match app.ask(Caller::Anonymous, &request).await {
        Ok(employee) => active(&employee.email),
        Err(failure) if failure.code == Code::WeakPassword => invitation(&app, request.token, Some(&failure)).await,
        Err(failure) if failure.code == Code::InvalidToken => invitation(&app, request.token, None).await,
        Err(failure) => later(&failure),
    })
}

/// What a token is good for: a form, or a page that says what to do.
async fn invitation(app: &App, token: Secret, weak: Option<&Failure>) -> Response {
    let request = GetInvitation { token };
    match app.ask(Caller::Anonymous, &request).await {
        Ok(Invitation::Open { name, email }) => form(&name, &email, &request.token, weak),
        Ok(Invitation::Used) => used(),
        Ok(Invitation::Expired) => expired(),
        Ok(Invitation::Unknown) => unknown(),
        Err(failure) => later(&failure),
    }
}

fn form(name: &Name, email: &Email, token: &Secret, weak: Option<&Failure>) -> Response {
    let status = if weak.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let content = html! {
        p { "Hello " (name) ", you are invited to track your time with T3. Choose a password to activate your account." }
        @if let Some(failure) = weak {
            p.error #error role="alert" { "This password cannot be taken: it " (why(failure)) "." }
        }
        form method="post" action="/activate" {
            input type="hidden" name="token" value=(token.expose());
            label for="email" { "E-mail, to log in with" }
            input #email type="email" value=(email) autocomplete="username" readonly;
            label for="password" { "Password" }
            input #password type="password" name="password" autocomplete="new-password" required autofocus
                minlength=(PASSWORD_LEAST) aria-describedby="hint" aria-invalid=[weak.map(|_| "true")];
            p.hint #hint { "At least " (PASSWORD_LEAST) " characters. Three or four words that do not belong together do well." }
            button type="submit" { "Activate my account" }
        }
    };
    page(status, "Activate your account", &content)
}

/// What is wrong with a password, as the field's message says it.
fn why(failure: &Failure) -> &str {
    failure.errors.first().map_or("must have 12 to 128 characters", |error| error.message.as_str())
}

fn active(email: &Email) -> Response {
    let content = html! {
        p { "Your account is active." }
        p { "What comes next: open the T3 desktop app and log in with " strong { (email) } " and the password that you have just chosen." }
    };
    page(StatusCode::OK, "Welcome to T3", &content)
}

fn used() -> Response {
    let content = html! {
        p { "Your account is active already: this link has done its work." }
        p { "Open the T3 desktop app and log in with your e-mail address and your password. If you do not know the password, ask your admin." }
    };
    page(StatusCode::GONE, "This invitation has been used", &content)
}

fn expired() -> Response {
    let content = html! {
        p { "An invitation is good for 72 hours, and a fresh one replaces the older ones." }
        p { "Look for a newer mail from us, or ask your admin for a fresh invitation." }
    };
    page(StatusCode::GONE, "This invitation is over", &content)
}

fn unknown() -> Response {
    let content = html! {
        p { "We do not know this link. Perhaps it was cut off: copy the whole of it from the mail into the address bar." }
        p { "If that does not help, ask your admin for a fresh invitation." }
    };
    page(StatusCode::NOT_FOUND, "This is no invitation", &content)
}

/// Something that is needed is away, or failed: the token is still good.
fn later(failure: &Failure) -> Response {
    let status = StatusCode::from_u16(failure.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content = html! {
        p { "We cannot do this at the moment. Your invitation is still good." }
        p { "Try again in a minute with the link of the mail." }
    };
    let mut response = page(status, "Please try again", &content);
    let seconds = failure.retry_after.map_or_else(retry_after, HeaderValue::from);
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    response
}
