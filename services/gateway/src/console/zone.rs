//! The page on which a reader chooses their time zone, which is stored in a cookie.

use axum::{http::HeaderMap, response::Response};
use contracts::{Failure, Zone};
use maud::{Markup, html};
use serde::Deserialize;

use super::{cookie, errors, log_in::ours, places, visitor::Visitor};
use crate::{
    error::Problem,
    extract::{Form, Params},
};

/// The form of the page.
#[derive(Deserialize)]
pub(super) struct Filled {
    zone: Option<String>,
    next: Option<String>,
}

/// Shows the form.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let next: String = params.get("next", "must be a page").ok().flatten().unwrap_or_default();
    let content = form(&visitor, &visitor.reader.zone.to_string(), ours(&next), None);
    visitor.page(&places::ZONE, Ok(content))
}

/// Stores the time zone, and redirects to the page from which the visitor came.
pub(super) async fn submit(
    visitor: Visitor,
    headers: HeaderMap,
    Form(filled): Form<Filled>,
) -> Result<Response, Problem> {
    let (typed, next) = (filled.zone.unwrap_or_default(), filled.next.unwrap_or_default());
    let next = ours(&next);
    match typed.trim().parse::<Zone>() {
        Ok(zone) => {
            let mut response = errors::see(next);
            cookie::give_zone(&visitor.app, &headers, &mut response, &zone.to_string());
            Ok(response)
        }
        Err(unknown) => {
            let failure = Failure::field("zone", unknown);
            let content = form(&visitor, &typed, next, Some(&failure));
            let status = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
            Ok(visitor.page_as(status, places::ZONE.name, Some(&places::ZONE), &content))
        }
    }
}

fn form(visitor: &Visitor, zone: &str, next: &str, failure: Option<&Failure>) -> Markup {
    let error = failure.and_then(|failure| failure.errors.first()).map(|error| error.message.as_str());
    html! {
        section {
            form method="post" action=(visitor.address(places::ZONE.path)) {
                input type="hidden" name="next" value=(next);
                label for="zone" { "Show times and begin days in" }
                input #zone name="zone" list="zones" value=(zone) required autocomplete="off" spellcheck="false"
                    aria-invalid=[error.map(|_| "true")] aria-describedby="zone-hint";
                datalist #zones {
                    @for name in jiff::tz::db().available() { option value=(name) {} }
                }
                @if let Some(error) = error { p.error { "The time zone " (error) "." } }
                p.hint #zone-hint { "A city of the zone, such as Europe/Berlin, or UTC. This browser remembers it." }
                p { button type="submit" { "Use this time zone" } }
            }
        }
    }
}
