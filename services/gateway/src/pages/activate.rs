//! The page behind the link in an invitation mail. A GET changes nothing, because mail scanners
//! open links.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use contracts::{Activate, Caller, Code, Email, Failure, GetInvitation, Invitation, Name, Secret};
use maud::html;

use super::{
    later::later,
    layout::{page, page_with_password},
    password_field::{new_password, refused},
    token_form::{Filled, token_form},
};
use crate::{
    App,
    error::Problem,
    extract::{Form, Params},
};

const STILL_GOOD: &str = "Your invitation is still good.";

/// Shows the form to choose a password.
pub(crate) async fn show(State(app): State<Arc<App>>, params: Params) -> Response {
    match params.get("token", "must be that of the link") {
        Ok(Some(token)) => invitation(&app, token, None).await,
        Ok(None) | Err(_) => unknown(),
    }
}

/// Activates the account with the chosen password.
pub(crate) async fn submit(State(app): State<Arc<App>>, Form(form): Form<Filled>) -> Result<Response, Problem> {
    let Some(token) = form.token else { return Ok(unknown()) };
    let request = Activate { token, password: form.password.unwrap_or(Secret::new("")) };
    Ok(match app.ask(Caller::Anonymous, &request).await {
        Ok(employee) => active(&employee.email),
        Err(failure) if failure.code == Code::WeakPassword => invitation(&app, request.token, Some(&failure)).await,
        Err(failure) if failure.code == Code::InvalidToken => invitation(&app, request.token, None).await,
        Err(failure) => later(&failure, STILL_GOOD),
    })
}

/// Shows the form, or a page that explains why the link does not work.
async fn invitation(app: &App, token: Secret, weak: Option<&Failure>) -> Response {
    let request = GetInvitation { token };
    match app.ask(Caller::Anonymous, &request).await {
        Ok(Invitation::Open { name, email }) => form(app, &name, &email, &request.token, weak),
        Ok(Invitation::Used) => used(app),
        Ok(Invitation::Expired) => expired(),
        Ok(Invitation::Unknown) => unknown(),
        Err(failure) => later(&failure, STILL_GOOD),
    }
}

fn form(app: &App, name: &Name, email: &Email, token: &Secret, weak: Option<&Failure>) -> Response {
    let status = if weak.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let content = html! {
        p { "Hello " (name) ", you are invited to track your time with T3. Choose a password to activate your account." }
        (refused(weak))
        (token_form(&app.base.path("/activate"), token, email, &new_password(weak), "Activate my account"))
    };
    page_with_password(status, "Activate your account", &content)
}

fn active(email: &Email) -> Response {
    let content = html! {
        p { "Your account is active." }
        p { "What comes next: open the T3 desktop app and log in with " strong { (email) } " and the password that you have just chosen." }
    };
    page(StatusCode::OK, "Welcome to T3", &content)
}

fn used(app: &App) -> Response {
    let content = html! {
        p { "Your account is active already: this link has done its work." }
        p { "Open the T3 desktop app and log in with your e-mail address and your password. If you do not know the password, " a href=(app.base.path("/forgot")) { "have a link mailed" } " to set a new one." }
    };
    page(StatusCode::GONE, "This invitation has been used", &content)
}

fn expired() -> Response {
    let content = html! {
        p { "An invitation is good for 72 hours, and a new one replaces the older ones." }
        p { "Look for a newer mail from us, or ask your admin for a new invitation." }
    };
    page(StatusCode::GONE, "This invitation is over", &content)
}

fn unknown() -> Response {
    let content = html! {
        p { "We do not know this link. Perhaps it was cut off: copy the whole of it from the mail into the address bar." }
        p { "If that does not help, ask your admin for a new invitation." }
    };
    page(StatusCode::NOT_FOUND, "This is no invitation", &content)
}
