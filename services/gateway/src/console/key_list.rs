//! The list of API keys, each with the form that revokes it.

use contracts::{ApiKey, Resource, Scope};
use jiff::civil::Date;
use maud::{Markup, html};

use super::{
    doers::{doer, want},
    people::role_name,
    places,
    visitor::Visitor,
};
use crate::names::Ids;

/// Renders the list of keys.
pub(super) async fn list(visitor: &Visitor, keys: &[ApiKey]) -> Markup {
    let (mut ids, now) = (Ids::default(), visitor.app.clock.now());
    for key in keys {
        want(&mut ids, key.created_by);
    }
    let names = visitor.names(ids).await;
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
                    td.text { (visitor.reader.date(visitor.reader.day(key.created_at))) " by " (doer(visitor, &names, key.created_by)) }
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
