//! The page behind the link that confirms a new e-mail address. A GET changes nothing, because mail
//! scanners open links.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use contracts::{Caller, Code, ConfirmEmail, Email, GetLink, Link, LinkTo, Name, Secret};
use maud::html;

use super::{
    later::later,
    layout::{page, page_with_password},
    password_field::own_password,
    token_form::{Filled, token_form},
};
use crate::{
    App,
    error::Problem,
    extract::{Form, Params},
};

const STILL_GOOD: &str = "The link of the mail is still good.";

/// Shows the form that asks for the password.
pub(crate) async fn show(State(app): State<Arc<App>>, params: Params) -> Response {
    match params.get("token", "must be that of the link") {
        Ok(Some(token)) => link(&app, token, false).await,
        Ok(None) | Err(_) => unknown(),
    }
}

/// Confirms the e-mail address.
pub(crate) async fn submit(State(app): State<Arc<App>>, Form(form): Form<Filled>) -> Result<Response, Problem> {
    let Some(token) = form.token else { return Ok(unknown()) };
    let request = ConfirmEmail { token, password: form.password.unwrap_or(Secret::new("")) };
    Ok(match app.ask(Caller::Anonymous, &request).await {
        Ok(employee) => done(&employee.email),
        Err(failure) if failure.code == Code::WrongPassword => link(&app, request.token, true).await,
        Err(failure) if failure.code == Code::InvalidToken => link(&app, request.token, false).await,
        Err(failure) => later(&failure, STILL_GOOD),
    })
}

/// Shows the form, or a page that explains why the link does not work.
async fn link(app: &App, token: Secret, wrong: bool) -> Response {
    let request = GetLink { token, to: LinkTo::Confirmation };
    match app.ask(Caller::Anonymous, &request).await {
        Ok(Link::Open { name, email }) => form(app, &name, &email, &request.token, wrong),
        Ok(Link::Over) => over(),
        Ok(Link::Unknown) => unknown(),
        Err(failure) => later(&failure, STILL_GOOD),
    }
}

fn form(app: &App, name: &Name, email: &Email, token: &Secret, wrong: bool) -> Response {
    let status = if wrong { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let content = html! {
        p { "Hello " (name) ", this is the address that you log in with now. Enter your password to confirm that it is yours." }
        @if wrong {
            p.error #error role="alert" { "This is not the password of your account." }
        }
        (token_form(&app.base.path("/confirm"), token, email, &own_password(wrong), "Confirm my address"))
        p.hint { "If you do not know the password any more, ask your admin for a link to set a new one: it confirms the address too." }
    };
    page_with_password(status, "Confirm your address", &content)
}

fn done(email: &Email) -> Response {
    let content = html! {
        p { strong { (email) } " is confirmed. You log in with it." }
    };
    page(StatusCode::OK, "Your address is confirmed", &content)
}

fn over() -> Response {
    let content = html! {
        p { "This link has been used, is older than 72 hours, or your address was changed once more since." }
        p { "If your address is still to be confirmed, look for a newer mail from us, or ask your admin." }
    };
    page(StatusCode::GONE, "This link is over", &content)
}

fn unknown() -> Response {
    let content = html! {
        p { "We do not know this link. Perhaps it was cut off: copy the whole of it from the mail into the address bar." }
        p { "If that does not help, ask your admin." }
    };
    page(StatusCode::NOT_FOUND, "This is no link of ours", &content)
}
