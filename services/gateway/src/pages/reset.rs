//! The page behind the link that sets a new password. A GET changes nothing, because mail scanners
//! open links.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use contracts::{Caller, Code, Email, Failure, GetLink, Link, LinkTo, Name, ResetPassword, Secret};
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

const STILL_GOOD: &str = "The link of the mail is still good.";

/// Shows the form to choose a password.
pub(crate) async fn show(State(app): State<Arc<App>>, params: Params) -> Response {
    match params.get("token", "must be that of the link") {
        Ok(Some(token)) => link(&app, token, None).await,
        Ok(None) | Err(_) => unknown(&app),
    }
}

/// Sets the new password.
pub(crate) async fn submit(State(app): State<Arc<App>>, Form(form): Form<Filled>) -> Result<Response, Problem> {
    let Some(token) = form.token else { return Ok(unknown(&app)) };
    let request = ResetPassword { token, password: form.password.unwrap_or(Secret::new("")) };
    Ok(match app.ask(Caller::Anonymous, &request).await {
        Ok(employee) => done(&employee.email),
        Err(failure) if failure.code == Code::WeakPassword => link(&app, request.token, Some(&failure)).await,
        Err(failure) if failure.code == Code::InvalidToken => link(&app, request.token, None).await,
        Err(failure) => later(&failure, STILL_GOOD),
    })
}

/// Shows the form, or a page that explains why the link does not work.
async fn link(app: &App, token: Secret, weak: Option<&Failure>) -> Response {
    let request = GetLink { token, to: LinkTo::Reset };
    match app.ask(Caller::Anonymous, &request).await {
        Ok(Link::Open { name, email }) => form(app, &name, &email, &request.token, weak),
        Ok(Link::Over) => over(app),
        Ok(Link::Unknown) => unknown(app),
        Err(failure) => later(&failure, STILL_GOOD),
    }
}

fn form(app: &App, name: &Name, email: &Email, token: &Secret, weak: Option<&Failure>) -> Response {
    let status = if weak.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let content = html! {
        p { "Hello " (name) ", choose the password that you log in with from now on. All devices are logged out by it." }
        (refused(weak))
        (token_form(&app.base.path("/reset"), token, email, &new_password(weak), "Set this password"))
    };
    page_with_password(status, "Set a new password", &content)
}

fn done(email: &Email) -> Response {
    let content = html! {
        p { "Your new password is set." }
        p { "What comes next: open the T3 desktop app and log in with " strong { (email) } " and the password that you have just chosen." }
    };
    page(StatusCode::OK, "Your password is set", &content)
}

fn over(app: &App) -> Response {
    let content = html! {
        p { "This link has been used, is older than 30 minutes, or your password was changed in another way since." }
        p { "If you still need one: " a href=(app.base.path("/forgot")) { "have a new link mailed" } "." }
    };
    page(StatusCode::GONE, "This link is over", &content)
}

fn unknown(app: &App) -> Response {
    let content = html! {
        p { "We do not know this link. Perhaps it was cut off: copy the whole of it from the mail into the address bar." }
        p { "If that does not help: " a href=(app.base.path("/forgot")) { "have a new link mailed" } "." }
    };
    page(StatusCode::NOT_FOUND, "This is no link of ours", &content)
}
