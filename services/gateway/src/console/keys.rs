//! API keys, a section of the settings: listing, making and revoking them.

use axum::response::Response;
use contracts::{
    ApiKey, CreateApiKey, Failure, Given, KeyId, Millis, Name, NewApiKey, Resource, RevokeApiKey, Role, Scope, Scopes,
};
use jiff::civil::Date;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    HoldsSecret,
    doers::{doer, want},
    errors,
    forms::{Field, alert, choice, field, said},
    notice::Done,
    people::role_name,
    places,
    settings::{Misfit, again},
    visitor::Visitor,
};
use crate::{
    error::Problem,
    extract::{Form, Params, required},
    names::Ids,
};

/// The form for a new key, as pairs of name and value: each ticked scope is one pair.
pub(super) struct Filled(Vec<(String, String)>);

/// The form that revokes a key.
#[derive(Deserialize)]
pub(super) struct Chosen {
    id: Option<KeyId>,
}

impl Filled {
    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.trim())
    }

    fn ticks(&self, scope: &str) -> bool {
        self.0.iter().any(|(field, value)| field == "scopes" && value == scope)
    }

    fn read(&self, visitor: &Visitor) -> Result<CreateApiKey, Failure> {
        let name = Name::given(self.get("name")).map_err(|error| Failure::field("name", error))?;
        let role = match self.get("role") {
            "" => None,
            word => {
                let role = Role::ALL.into_iter().find(|role| role_word(*role) == word);
                Some(role.ok_or_else(|| Failure::field("role", "must be one of those"))?)
            }
        };
        let ticked = self.0.iter().filter(|(field, _)| field == "scopes").map(|(_, scope)| scope.parse::<Scope>());
        let scopes: Scopes = ticked.collect::<Result<_, _>>().map_err(|error| Failure::field("scopes", error))?;
        match (role, scopes.0.is_empty()) {
            (Some(_), false) => {
                return Err(Failure::field("role", "must be left out, or the rights below must be: one of both"));
            }
            (None, true) => return Err(Failure::field("role", "must be chosen, or one of the rights below")),
            _ => {}
        }
        let scopes = Some(scopes).filter(|scopes| !scopes.0.is_empty());
        Ok(CreateApiKey { name, role, scopes, expires_at: self.expires_at(visitor)? })
    }

    /// The end of the chosen day.
    fn expires_at(&self, visitor: &Visitor) -> Result<Option<Millis>, Failure> {
        let misfit = || Failure::field("expiresAt", "must be a day such as 2026-03-01");
        match self.get("expiresAt") {
            "" => Ok(None),
            day => {
                let day: Date = day.parse().map_err(|_| misfit())?;
                Ok(Some(visitor.reader.days(day, 1).ok_or_else(misfit)?.end()))
            }
        }
    }
}

fn role_word(role: Role) -> String {
    format!("{role:?}").to_lowercase()
}

/// Makes a key. The answer is the only page that ever shows it.
pub(super) async fn make(
    visitor: Visitor,
    params: Params,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let filled = Filled(pairs);
    let outcome = match filled.read(&visitor) {
        Ok(request) => visitor.ask(request).await,
        Err(failure) => Err(failure),
    };
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

/// The list of keys.
pub(super) async fn list(visitor: &Visitor, keys: &[ApiKey]) -> Markup {
    let (mut ids, now) = (Ids::default(), visitor.app.clock.now());
    for key in keys {
        want(&mut ids, key.created_by);
    }
    let told = visitor.names(ids).await;
    let may_change = visitor.may(Scope::write(Resource::Keys));
    html! {
        @if keys.is_empty() {
            p.empty { "There are none yet, but for the root key of whoever runs this. A program that calls the API should have one of its own." }
        } @else {
            div.wide tabindex="0" role="region" aria-label="API keys" { table {
                thead { tr {
                    th scope="col" { "Name" } th scope="col" { "May" } th scope="col" { "Made" }
                    th scope="col" { "Last used" } th scope="col" { "Ends" }
                    @if may_change { th scope="col" { "Revoke" } }
                } }
                tbody { @for key in keys { tr {
                    th.text scope="row" { (key.name) }
                    td.text { (allows(key)) }
                    td.text { (visitor.reader.date(visitor.reader.day(key.created_at))) " by " (doer(visitor, &told, key.created_by)) }
                    td { (last_used(visitor, key)) }
                    td { @match key.expires_at {
                        Some(at) if at <= now => span.tag.bad { "has ended" },
                        Some(at) => (visitor.reader.moment(at)),
                        None => "never",
                    } }
                    @if may_change { td { (revoking(visitor, key)) } }
                } } }
            } }
        }
    }
}

fn allows(key: &ApiKey) -> String {
    match key.role {
        Some(role) => role_name(role),
        None => key.scopes.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn last_used(visitor: &Visitor, key: &ApiKey) -> Markup {
    let day = key.last_used_on.as_deref().and_then(|day| day.parse::<Date>().ok());
    html! { @if let Some(day) = day { (visitor.reader.date(day)) } @else { "never" } }
}

fn revoking(visitor: &Visitor, key: &ApiKey) -> Markup {
    html! {
        details {
            summary { "Revoke" span.unseen { " " (key.name) } "…" }
            form method="post" action=(visitor.address(places::REVOKE_KEY.path)) {
                input type="hidden" name="id" value=(key.id);
                p { "Whatever uses it is refused from then on." }
                button.grave type="submit" { "Revoke it" span.unseen { ": " (key.name) } }
            }
        }
    }
}

/// The form for a new key.
pub(super) fn form(visitor: &Visitor, filled: Option<&Filled>, failure: Option<&Failure>) -> Markup {
    let typed = |name: &str| filled.map_or("", |filled| filled.get(name));
    let input = |name, label, kind| {
        field(&Field { name, label, kind, value: typed(name), autocomplete: "off", error: said(failure, name) })
    };
    let roles: Vec<(String, String)> = Role::ALL.map(|role| (role_word(role), role_name(role))).into();
    let mut choices = vec![("", "None: the rights below".to_owned())];
    choices.extend(roles.iter().map(|(word, name)| (word.as_str(), name.clone())));
    let scopes = Resource::ALL.map(|resource| (resource, [Scope::read(resource), Scope::write(resource)]));
    html! {
        details open[failure.is_some()] {
            summary { "Make a key" }
            (alert(failure))
            form method="post" action=(visitor.address(places::MAKE_KEY.path)) {
                (input("name", "What it is for", "text"))
                (choice("role", "Role", &choices, typed("role"), said(failure, "role")))
                fieldset {
                    legend { "Or these rights, one by one" }
                    @for (resource, both) in &scopes {
                        div.row role="group" aria-label=(resource.name()) {
                            @for scope in both {
                                @let word = scope.to_string();
                                label.choice {
                                    input type="checkbox" name="scopes" value=(word) checked[filled.is_some_and(|filled| filled.ticks(&word))];
                                    " " @if scope.write { "change " } @else { "read " } (resource.name())
                                }
                            }
                        }
                    }
                }
                @if let Some(error) = said(failure, "scopes") { p.error { (error) } }
                (input("expiresAt", "Last day on which it is good", "date"))
                p.hint { "Left out, it is good until somebody revokes it." }
                p { button type="submit" { "Make the key" } }
            }
        }
    }
}
