//! Creating and revoking API keys, on the page of the settings.

use axum::response::Response;
use contracts::{KeyId, NewApiKey, RevokeApiKey};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    HoldsSecret, errors,
    key_form::Filled,
    notice::Done,
    places,
    settings::{Misfit, again},
    visitor::Visitor,
};
use crate::{
    error::Problem,
    extract::{Form, Params, required},
};

/// The form that revokes a key.
#[derive(Deserialize)]
pub(super) struct Chosen {
    id: Option<KeyId>,
}

/// Creates a key. The response is the only page that ever shows the text of the key.
pub(super) async fn make(
    visitor: Visitor,
    params: Params,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let filled = Filled(pairs);
    let outcome = visitor.submit(filled.read(&visitor)).await;
    Ok(match outcome {
        Ok(made) => {
            let mut page = visitor.page(&places::MAKE_KEY, Ok(shown(&visitor, &made)));
            page.extensions_mut().insert(HoldsSecret);
            page
        }
        Err(failure) => again(&visitor, &params, Misfit::Key(&filled, &failure), &failure).await,
    })
}

fn shown(visitor: &Visitor, made: &NewApiKey) -> Markup {
    html! {
        p.done role="status" { "The key " strong { (made.about.name) } " is made." }
        section {
            h2 { "Keep it now: it is shown this once" }
            p { code #key { (made.key.expose()) } }
            p { "Programs send it as the header " code { "X-API-Key" } ". Put it where they keep their secrets, never into a mail or a repository." }
            p { a.button href=(visitor.address(places::SETTINGS.path)) { "I have kept it" } }
        }
    }
}

/// Revokes a key.
pub(super) async fn revoke(visitor: Visitor, Form(chosen): Form<Chosen>) -> Result<Response, Problem> {
    let id = required("id", chosen.id)?;
    Ok(match visitor.ask(RevokeApiKey { id }).await {
        Ok(()) => errors::see(&places::after(places::SETTINGS.path, Done::Revoked)),
        Err(failure) => visitor.failed(&failure),
    })
}
