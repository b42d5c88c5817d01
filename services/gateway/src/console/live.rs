//! Pages whose content refreshes itself in browsers with JavaScript.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::Failure;
use maud::{Markup, html};
use sha2::{Digest, Sha256};

use super::{places::Place, visitor::Visitor};
use crate::extract::Params;

impl Visitor {
    /// A page whose content is refreshed every ten seconds. The response to a refresh is 204 if
    /// nothing has changed.
    pub(super) fn live(&self, place: &Place, params: &Params, content: Result<Markup, Failure>) -> Response {
        let content = match content {
            Ok(content) => content,
            Err(failure) => return self.failed(&failure),
        };
        let mark: String = Sha256::digest(&content.0).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let seen: Option<String> = params.get("seen", "must be a mark").ok().flatten();
        if self.is_refresh && seen.as_ref() == Some(&mark) {
            return StatusCode::NO_CONTENT.into_response();
        }
        let again = format!("{}?seen={mark}", self.address(place.path));
        let part = html! {
            div #live hx-get=(again) hx-trigger="every 10s" hx-swap="outerMorph" { (content) }
        };
        if self.is_refresh {
            let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))];
            return (kind, part.into_string()).into_response();
        }
        self.page(place, Ok(part))
    }
}
