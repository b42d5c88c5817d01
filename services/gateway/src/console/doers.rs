//! Who did something, as pages tell it.

use contracts::{Actor, Name};
use maud::{Markup, html};

use super::visitor::Visitor;
use crate::names::{Ids, Told};

/// Who acted, as services keep it.
pub(super) fn actor(text: Option<&String>) -> Option<Actor> {
    text?.parse().ok()
}

/// Has their name asked for.
pub(super) fn want(ids: &mut Ids, actor: Option<Actor>) {
    match actor {
        Some(Actor::Person { employee, .. }) => ids.employees.extend([employee]),
        Some(Actor::Key(id)) => ids.keys.extend([id]),
        _ => {}
    }
}

/// Their name, leading to their page for those who may open it.
pub(super) fn doer(visitor: &Visitor, told: &Told, actor: Option<Actor>) -> Markup {
    match actor {
        Some(Actor::Person { employee, .. }) => {
            visitor.person(employee, told.employees.get(&employee).map_or("somebody", Name::as_str))
        }
        Some(Actor::Key(id)) => html! { "the key " (told.keys.get(&id).map_or("without a name", Name::as_str)) },
        Some(Actor::Root) => html! { "the root key" },
        _ => html! { "somebody" },
    }
}
