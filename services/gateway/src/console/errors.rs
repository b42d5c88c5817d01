//! Error pages and redirects.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{Code, Failure};
use maud::{Markup, html};

use super::{address, layout, places, visitor::Visitor};
use crate::{App, error::retry_after};

/// The response header that tells htmx to open another page.
const REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");

/// Redirects to a page of the console. The browser requests it with GET, also after a form.
pub(super) fn see(path: &str) -> Response {
    with_header(StatusCode::SEE_OTHER, header::LOCATION, path)
}

/// Redirects to the log-in page, which returns to `here` after the log-in. If an open page
/// refreshes itself, a header tells htmx to open the log-in page.
pub(super) fn log_in_first(app: &App, here: &str, is_refresh: bool) -> Response {
    let query = serde_urlencoded::to_string([("next", here)]).unwrap_or_default();
    let path = format!("{}?{query}", places::LOG_IN.path);
    if !is_refresh {
        return see(&path);
    }
    with_header(StatusCode::UNAUTHORIZED, REDIRECT, &address(app, &path))
}

/// Whether a response is one of [`log_in_first`], and not an error.
pub(super) fn is_log_in(answer: &Response) -> bool {
    matches!(answer.status(), StatusCode::SEE_OTHER | StatusCode::UNAUTHORIZED)
}

fn with_header(status: StatusCode, name: HeaderName, value: &str) -> Response {
    let mut response = status.into_response();
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// An error page without menu, for a visitor who may not be logged in.
pub(super) fn alone(app: &App, failure: &Failure) -> Response {
    let ErrorPage { status, title, content } = error_page(app, failure);
    later(failure, layout::alone(app, status, title, &content))
}

/// An HTML error page, sent in place of a response whose body is problem JSON. The page has the
/// status of that response.
pub(super) fn in_place_of(app: &App, status: StatusCode) -> Response {
    let code = match status.as_u16() {
        404 => Code::NotFound,
        503 | 504 => Code::Unavailable,
        500.. => Code::Internal,
        _ => Code::Invalid,
    };
    let failure = Failure::new(code, "What was sent cannot be read. Go back, load the page anew and try again.");
    let mut response = alone(app, &failure);
    *response.status_mut() = status;
    response
}

/// The 403 response to a form that was submitted by a page of another origin.
pub(super) fn from_elsewhere() -> Response {
    let text =
        "This form did not come from our own pages, so nothing was done. Go back, load the page anew and try again.\n";
    (StatusCode::FORBIDDEN, text).into_response()
}

impl Visitor {
    /// The 404 error page for a logged-in visitor.
    pub(super) fn missing(&self) -> Response {
        self.failed(&Failure::not_found("page"))
    }

    /// The 403 error page.
    pub(super) fn forbidden(&self) -> Response {
        self.failed(&Failure::new(Code::MissingScope, "Your role does not let you open this page."))
    }

    /// The error page for a failure, for a logged-in visitor.
    pub(super) fn failed(&self, failure: &Failure) -> Response {
        let ErrorPage { status, title, content } = error_page(&self.app, failure);
        later(failure, self.page_as(status, title, None, &content))
    }
}

struct ErrorPage {
    status: StatusCode,
    title: &'static str,
    content: Markup,
}

fn error_page(app: &App, failure: &Failure) -> ErrorPage {
    let status = StatusCode::from_u16(failure.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let start = html! { p { a href=(address(app, places::MY_DAY.path)) { "To my day" } } };
    let (title, content) = match failure.code {
        Code::NotFound => (
            "Nothing here",
            html! {
                p { "There is nothing at this address. Perhaps it was cut off, or what it showed is gone." }
                (start)
            },
        ),
        Code::MissingScope | Code::Forbidden | Code::Unauthorized => (
            "Not for you",
            html! {
                p { "Your role does not let you see this. Ask an owner of the organisation if it should." }
                (start)
            },
        ),
        code if code.is_passing() => (
            "Please try again",
            html! {
                p { "A part of the system does not answer at the moment. Nothing is lost." }
                p { "Load this page again in a few seconds." }
            },
        ),
        Code::Internal => {
            ("Something went wrong", html! { p { "Something went wrong on our side. The log knows more." } })
        }
        _ => ("This does not work", html! { p.error role="alert" { (failure.detail) } (start) }),
    };
    ErrorPage { status, title, content }
}

fn later(failure: &Failure, mut response: Response) -> Response {
    if failure.code.is_passing() {
        response.headers_mut().insert(header::RETRY_AFTER, retry_after());
    }
    response
}
