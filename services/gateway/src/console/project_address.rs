//! The URLs of a project's page and of the forms on it. They keep the days that the page shows, and
//! what its bars show.

use contracts::ProjectId;

use super::{notice::Done, places, visitor::Visitor};

/// The URL to which a form is submitted. It contains the parameters of [`days`], so that the page
/// can show the same days again.
pub(super) fn action(visitor: &Visitor, id: ProjectId, word: &str) -> String {
    visitor.address(&format!("{}/{word}{}", places::project(id), days(visitor, '?')))
}

/// The URL of the project's page with a notice, and with the parameters of [`days`].
pub(super) fn after(visitor: &Visitor, id: ProjectId, done: Done) -> String {
    format!("{}{}", places::project_after(id, done), days(visitor, '&'))
}

/// The query parameters of the current URL about the days and about the bars, beginning with
/// `begins_with`; empty if there are none.
fn days(visitor: &Visitor, begins_with: char) -> String {
    let query = visitor.here.split_once('?').map_or("", |(_, query)| query);
    let names_days = |pair: &&str| ["from=", "to=", "bars="].iter().any(|name| pair.starts_with(name));
    let pairs: Vec<&str> = query.split('&').filter(names_days).collect();
    if pairs.is_empty() { String::new() } else { format!("{begins_with}{}", pairs.join("&")) }
}
