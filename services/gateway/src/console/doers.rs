//! Shows on a page who has done something.

use contracts::{Actor, Name};
use maud::{Markup, html};

use super::visitor::Visitor;
use crate::names::{Ids, KnownNames};

/// Parses an actor that a service has stored as text.
pub(super) fn actor(text: Option<&String>) -> Option<Actor> {
    text?.parse().ok()
}

/// Adds the id of the actor to the ids whose names are requested.
pub(super) fn want(ids: &mut Ids, actor: Option<Actor>) {
    match actor {
        Some(Actor::Person { employee, .. }) => ids.employees.extend([employee]),
        Some(Actor::Key(id)) => ids.keys.extend([id]),
        _ => {}
    }
}

/// The actor's name. The name of a person is a link to the person's page, for visitors who may open
/// that page.
pub(super) fn doer(visitor: &Visitor, names: &KnownNames, actor: Option<Actor>) -> Markup {
    match actor {
        Some(Actor::Person { employee, .. }) => {
            visitor.person(employee, names.employees.get(&employee).map_or("somebody", Name::as_str))
        }
        Some(Actor::Key(id)) => html! { "the key " (names.keys.get(&id).map_or("without a name", Name::as_str)) },
        Some(Actor::Root) => html! { "the root key" },
        _ => html! { "somebody" },
    }
}
