//! The page to log in, and logging out.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use contracts::{Caller, CheckPassword, Code, Failure, LogOut, Secret, WantedSession};
use maud::html;
use serde::Deserialize;

use super::{
    address, cookie, errors,
    forms::{Field, field},
    layout::alone,
    places,
    visitor::Visitor,
};
use crate::{
    App,
    error::Problem,
    extract::{Form, Params},
    routes::agent,
};

/// The longest lifetime of a session, in seconds: 30 days, even if the session is in use.
const LONGEST: i64 = 30 * 86_400;

/// The form to log in.
#[derive(Deserialize)]
pub(super) struct Filled {
    email: Option<String>,
    password: Option<Secret>,
    next: Option<String>,
}

/// Why a log-in failed, if it did.
#[derive(Clone, Copy)]
enum Wrong<'a> {
    Nothing,
    /// The password was refused. The message is the same for every cause, so that nobody learns
    /// which addresses have an account.
    Password,
    /// The browser would drop the session cookie, because the page was opened over plain http.
    PlainHttp,
    /// Another failure, whose text is shown.
    Other(&'a Failure),
}

/// Shows the form to log in.
pub(super) async fn show(State(app): State<Arc<App>>, params: Params) -> Response {
    let next: String = params.get("next", "must be a page").ok().flatten().unwrap_or_default();
    form(&app, "", ours(&next), Wrong::Nothing)
}

/// Logs in, and redirects to the page that the visitor wanted to open.
pub(super) async fn submit(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Form(filled): Form<Filled>,
) -> Result<Response, Problem> {
    let Filled { email, password, next } = filled;
    let (email, password) = (email.unwrap_or_default(), password.unwrap_or(Secret::new("")));
    let next = ours(next.as_deref().unwrap_or_default());
    if cookie::is_refused(&app, &headers) {
        return Ok(form(&app, &email, next, Wrong::PlainHttp));
    }
    let session = WantedSession { agent: agent(&headers), refresh: false, token_seconds: LONGEST };
    let request = CheckPassword { email: email.clone(), password, session: Some(session) };
    let who = match app.ask(Caller::Anonymous, &request).await {
        Ok(who) => who,
        Err(failure) if failure.code == Code::TooManyAttempts => {
            return Ok(form(&app, &email, next, Wrong::Other(&failure)));
        }
        Err(failure) if failure.code.is_passing() || failure.code == Code::Internal => {
            return Ok(errors::alone(&app, &failure));
        }
        Err(_) => return Ok(form(&app, &email, next, Wrong::Password)),
    };
    let Ok(token) = app.tokens.issue_for(&who, cookie::SECONDS, app.clock.now()) else {
        let failure = Failure::new(Code::Internal, "Something went wrong on our side.");
        return Ok(errors::alone(&app, &failure));
    };
    let mut response = errors::see(next);
    cookie::give(&app, &headers, &mut response, &token);
    Ok(response)
}

/// Logs out: ends the session and removes the cookie.
pub(super) async fn log_out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    visitor: Result<Visitor, Response>,
) -> Response {
    match visitor {
        Ok(visitor) => {
            if let Err(failure) = app.ask(Caller::Employee(visitor.employee), &LogOut {}).await {
                return visitor.failed(&failure);
            }
        }
        // The visitor has no session that must be ended.
        Err(answer) if errors::is_log_in(&answer) => {}
        // The visitor cannot be identified now, so the session cannot be ended. The cookie is kept,
        // because another attempt to log out needs it to end the session, which lasts for weeks.
        Err(answer) => return answer,
    }
    let mut response = errors::see(places::LOG_IN.path);
    cookie::take(&app, &headers, &mut response);
    response
}

/// The page to open after the log-in: `next`, if that is a page of the console other than the
/// log-in page; otherwise the start page, so that a made-up `next` cannot lead to another site.
pub(super) fn ours(next: &str) -> &str {
    let is_page = |path: &str| {
        next.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
            && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
            && !next.starts_with(places::LOG_IN.path)
    };
    if is_page(places::NOW.path) || is_page(places::MY_DAY.path) { next } else { places::NOW.path }
}

fn form(app: &App, email: &str, next: &str, wrong: Wrong<'_>) -> Response {
    let (status, error) = match wrong {
        Wrong::Nothing => (StatusCode::OK, None),
        Wrong::Password => (StatusCode::UNAUTHORIZED, Some("The e-mail address or the password is wrong.")),
        Wrong::Other(failure) => (
            StatusCode::from_u16(failure.code.status()).unwrap_or(StatusCode::BAD_REQUEST),
            Some(failure.detail.as_str()),
        ),
        Wrong::PlainHttp => (
            StatusCode::BAD_REQUEST,
            Some(
                "Over plain http browsers do not keep a log-in. Open this page with https://, or on the server itself \
                 with http://localhost.",
            ),
        ),
    };
    let input =
        |name, label, kind, value, autocomplete| field(&Field { name, label, kind, value, autocomplete, error: None });
    let content = html! {
        @if let Some(error) = error { p.error role="alert" { (error) } }
        form method="post" action=(address(app, places::LOG_IN.path)) {
            input type="hidden" name="next" value=(next);
            (input("email", "E-mail", "email", email, "username"))
            (input("password", "Password", "password", "", "current-password"))
            button type="submit" { "Log in" }
        }
        p { a href=(address(app, "/forgot")) { "I have forgotten my password" } }
        p.hint { "It is the e-mail address and the password that you log in with in the desktop app. No account yet? An admin invites you by e-mail." }
    };
    alone(app, status, "Log in", &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_in_leads_to_our_own_pages_only() {
        for page in ["/console", "/console/day?day=2026-03-01", "/me", "/me?day=2026-03-01", "/console/people/x"] {
            assert_eq!(ours(page), page);
        }
        for other in [
            "",
            "/",
            "//evil.example",
            "https://evil.example/console",
            "/consolex",
            "/console\\..\\x",
            "/console/x\r\nSet-Cookie: a=b",
            "/me@evil.example",
            "/api/v1/employee",
            "/console/log-in?next=/console/log-in",
        ] {
            assert_eq!(ours(other), "/console", "{other}");
        }
    }
}
