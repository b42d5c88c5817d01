//! The HTML layout of every page.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::Failure;
use maud::{DOCTYPE, Markup, html};

use super::{address, assets, places, places::Place, visitor::Visitor};
use crate::App;

/// The configuration of htmx. After a failed request, the page stays as it is.
const HTMX: &str = r#"{"noSwap":[204,304,"4xx","5xx"]}"#;

impl Visitor {
    /// The page `place` with this content, titled with the name of the place; the error page if the
    /// content failed.
    pub(super) fn page(&self, place: &Place, content: Result<Markup, Failure>) -> Response {
        self.titled(place, place.name, content)
    }

    /// The page `place` with this content and title; the error page if the content failed.
    pub(super) fn titled(&self, place: &Place, title: &str, content: Result<Markup, Failure>) -> Response {
        match content {
            Ok(content) => self.page_as(StatusCode::OK, title, Some(place), &content),
            Err(failure) => self.failed(&failure),
        }
    }

    /// A page with this status and title. `place` is marked as the current one in the menu.
    pub(super) fn page_as(&self, status: StatusCode, title: &str, place: Option<&Place>, content: &Markup) -> Response {
        let zone = serde_urlencoded::to_string([("next", &self.here)]).unwrap_or_default();
        let body = html! {
            body {
                a.skip href="#main" { "Skip to the content" }
                header.top {
                    a.brand href=(self.address("/console")) { "T3" }
                    nav aria-label="Pages" {
                        ul {
                            @for other in places::MENU.into_iter().filter(|other| self.may_open(other.access)) {
                                @let is_here = place.is_some_and(|place| place.path == other.path);
                                li { a href=(self.address(other.path)) aria-current=[is_here.then_some("page")] { (other.name) } }
                            }
                        }
                    }
                    form method="post" action=(self.address(places::LOG_OUT)) {
                        button.quiet type="submit" { "Log out" }
                    }
                }
                main #main tabindex="-1" {
                    h1 { (title) }
                    (content)
                }
                footer.foot {
                    "Times are those of " (self.reader.zone.to_string()) ". "
                    a href={ (self.address(places::ZONE.path)) "?" (zone) } { "Another time zone" }
                }
            }
        };
        whole(&self.app, status, title, &body)
    }
}

/// A page without menu, for a visitor who may not be logged in.
pub(super) fn alone(app: &App, status: StatusCode, title: &str, content: &Markup) -> Response {
    let body = html! {
        body.narrow {
            main #main {
                div.sheet {
                    h1 { (title) }
                    (content)
                }
            }
        }
    };
    whole(app, status, title, &body)
}

fn whole(app: &App, status: StatusCode, title: &str, body: &Markup) -> Response {
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                meta name="color-scheme" content="light dark";
                meta name="htmx-config" content=(HTMX);
                title { (title) " – T3" }
                link rel="icon" type="image/svg+xml" href=(address(app, &assets::ICON.path));
                link rel="stylesheet" href=(address(app, &assets::STYLE.path));
                script src=(address(app, &assets::HTMX.path)) defer {}
            }
            (body)
        }
    };
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))];
    (status, headers, html.into_string()).into_response()
}
