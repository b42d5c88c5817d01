//! The addresses of a project's page and of its forms.

use contracts::ProjectId;

use super::{notice::Done, places, visitor::Visitor};

/// The path to which a form is sent, with the shown days, which are shown afterwards too.
pub(super) fn action(visitor: &Visitor, id: ProjectId, word: &str) -> String {
    visitor.address(&format!("{}/{word}{}", places::project(id), days(visitor, '?')))
}

/// The page with the notice, and with the shown days.
pub(super) fn after(visitor: &Visitor, id: ProjectId, done: Done) -> String {
    format!("{}{}", places::project_after(id, done), days(visitor, '&'))
}

/// The days of the query, for another query; empty if there are none.
fn days(visitor: &Visitor, begins_with: char) -> String {
    let query = visitor.here.split_once('?').map_or("", |(_, query)| query);
    let names_days = |pair: &&str| ["from=", "to=", "bars="].iter().any(|name| pair.starts_with(name));
    let pairs: Vec<&str> = query.split('&').filter(names_days).collect();
    if pairs.is_empty() { String::new() } else { format!("{begins_with}{}", pairs.join("&")) }
}
