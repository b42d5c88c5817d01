//! The page for a forgotten password. Its texts do not reveal whether an address belongs to an
//! account.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use contracts::{Caller, ForgotPassword};
use maud::html;
use serde::Deserialize;

use super::{later::later, layout::page};
use crate::{App, error::Problem, extract::Form};

/// Shows the form for the e-mail address.
pub(crate) async fn show(State(app): State<Arc<App>>) -> Response {
    let content = html! {
        p { "Tell us the e-mail address that you log in with. We mail you a link to set a new password." }
        form method="post" action=(app.base.path("/forgot")) {
            label for="email" { "E-mail" }
            input #email type="email" name="email" autocomplete="username" required autofocus;
            button type="submit" { "Mail me a link" }
        }
    };
    page(StatusCode::OK, "Forgot your password?", &content)
}

/// The fields of the form.
#[derive(Deserialize)]
pub(crate) struct Filled {
    email: Option<String>,
}

/// Requests a mail with a link to set a new password.
pub(crate) async fn submit(State(app): State<Arc<App>>, Form(form): Form<Filled>) -> Result<Response, Problem> {
    let request = ForgotPassword { email: form.email.unwrap_or_default() };
    Ok(match app.ask(Caller::Anonymous, &request).await {
        Ok(()) => asked(),
        Err(failure) => later(&failure, "Your password stays as it is."),
    })
}

fn asked() -> Response {
    let content = html! {
        p { "If somebody here logs in with this address, a mail with a link is on its way. The link is valid for 30 minutes." }
        p { "If none comes: look among the spam, see whether you typed the right address, or ask your admin. An address gets at most three such mails an hour." }
    };
    page(StatusCode::OK, "Look into your mail", &content)
}
