//! The page of the audit trail, with the newest entries first.

use std::collections::BTreeSet;

use axum::response::Response;
use contracts::{
    Action, Actor, AuditEntry, AuditSubject, EmployeeId, Failure, KeyId, ListAuditEntries, Name, PeriodId, ProjectId,
    ShownActor, TaskId, UnknownActor,
};
use jiff::civil::Date;
use maud::{Markup, html};
use uuid::Uuid;

use super::{
    audit_changes::{changes, seek},
    places,
    visitor::Visitor,
};
use crate::{
    error::Problem,
    extract::{Listing, Params},
    names::{Ids, KnownNames},
    routes::trail_as_csv,
};

/// The number of entries on one page of the trail.
const ENTRIES: usize = 50;
/// The largest number of ids from changed fields for which names are requested.
const NAMED: usize = 500;
/// The filters, by the names of their query parameters.
const FILTERS: [&str; 6] = ["from", "to", "actor", "subject", "action", "requestId"];

/// Shows the page.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    match asked(&visitor, &params) {
        Ok(asked) => {
            let content = content(&visitor, &params, asked).await;
            visitor.page(&places::AUDIT, content)
        }
        Err(failure) => visitor.again(&places::AUDIT, &failure, Ok(form(&visitor, &params, Some(&failure)))),
    }
}

/// Answers with all entries that the filter selects, as CSV.
pub(super) async fn csv(visitor: Visitor, params: Params, listing: Listing) -> Result<Response, Problem> {
    let request = asked(&visitor, &params)?;
    trail_as_csv(visitor.app, visitor.asker, request, listing).await
}

fn asked(visitor: &Visitor, params: &Params) -> Result<ListAuditEntries, Failure> {
    let must = "must be a day such as 2026-03-01";
    let day = |name| params.get::<Date>(name, must);
    let edge = |name, date: Date| visitor.reader.days(date, 1).ok_or_else(|| Failure::field(name, must));
    let start = day("from")?.map(|date| edge("from", date)).transpose()?.map(|range| range.start());
    let end = day("to")?.map(|date| edge("to", date)).transpose()?.map(|range| range.end());
    if start.zip(end).is_some_and(|(start, end)| end <= start) {
        return Err(Failure::field("to", "must not be before the first day"));
    }
    Ok(ListAuditEntries {
        start,
        end,
        actor: params.get::<Actor>("actor", &UnknownActor.to_string())?,
        subject: params.get("subject", "must be an id")?,
        action: params.get("action", "must be an action, such as employee.updated")?,
        request_id: params.get("requestId", "must be the id of a request")?,
        after: None,
        limit: None,
    })
}

async fn content(visitor: &Visitor, params: &Params, asked: ListAuditEntries) -> Result<Markup, Failure> {
    let after = params.whole("after", "must be the place of an entry")?;
    let page = visitor.ask(ListAuditEntries { after, limit: Some(ENTRIES), ..asked }).await?;
    let names = visitor.names(ids_of(&page.items)).await;
    let older = page.next.map(|next| next.to_string());
    Ok(html! {
        (form(visitor, params, None))
        @if page.items.is_empty() {
            section { p.empty { "Nothing was done that fits this. Leave out a part of the filter, or choose other days." } }
        } @else {
            section.wide tabindex="0" role="region" aria-label="The trail" { (table(visitor, params, &page.items, &names)) }
            nav.row aria-label="Pages of this list" {
                @if after.is_some() { a.button.quiet href=(here(visitor, params, &[])) { "The newest" } }
                @if let Some(older) = &older {
                    a.button.quiet rel="next" href=(here(visitor, params, &[("after", older)])) { "Older ones" }
                }
            }
        }
    })
}

/// The URL of this page with the current filter. The parameters in `others` replace those of the
/// same name.
fn here(visitor: &Visitor, params: &Params, others: &[(&str, &str)]) -> String {
    let kept = FILTERS.into_iter().filter(|name| others.iter().all(|(other, _)| other != name));
    let mut pairs: Vec<(&str, String)> =
        kept.map(|name| (name, typed(params, name))).filter(|(_, value)| !value.is_empty()).collect();
    pairs.extend(others.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
    format!("{}?{query}", visitor.address(places::AUDIT.path))
}

/// The value of a form field, from the query parameter of the same name.
fn typed(params: &Params, name: &str) -> String {
    params.get(name, "").ok().flatten().unwrap_or_default()
}

fn form(visitor: &Visitor, params: &Params, failure: Option<&Failure>) -> Markup {
    let input = |name: &str, label: &str, kind: &str| {
        let error = super::forms::said(failure, name);
        let id = format!("{name}-error");
        html! {
            label {
                (label) " "
                input type=(kind) name=(name) value=(typed(params, name)) autocomplete="off"
                    aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| &id)];
            }
            @if let Some(error) = error { p.error id=(id) { (label) ": " (error) "." } }
        }
    };
    let chosen = typed(params, "action");
    let csv = here(visitor, params, &[]).replacen(places::AUDIT.path, places::AUDIT_CSV.path, 1);
    html! {
        form method="get" action=(visitor.address(places::AUDIT.path)) role="search" {
            div.row {
                (input("from", "From", "date")) (input("to", "To", "date"))
                label {
                    "What was done "
                    select name="action" {
                        option value="" { "Anything" }
                        @for action in Action::ALL {
                            option value=(action) selected[action.as_str() == chosen] { (words(action.as_str())) }
                        }
                    }
                }
            }
            div.row {
                (input("actor", "Who (person:…, key:…, root, service:…)", "text"))
                (input("subject", "To what (its id)", "text"))
                (input("requestId", "By which request (its id)", "text"))
            }
            div.row {
                button type="submit" { "Show" }
                a.button.quiet href=(visitor.address(places::AUDIT.path)) { "Everything" }
                a.button.quiet href=(csv) { "Take it as CSV" }
            }
        }
    }
}

/// The name of an action, with spaces instead of dots and underscores.
fn words(action: &str) -> String {
    action.replace(['.', '_'], " ")
}

fn ids_of(entries: &[AuditEntry]) -> Ids {
    let mut ids = Ids::default();
    for entry in entries {
        let actor = entry.actor.id.as_deref().unwrap_or_default();
        for (kind, id) in [(entry.actor.kind.as_str(), actor), (&entry.subject.kind, &entry.subject.id)] {
            match kind {
                "person" | "employee" => ids.employees.extend(id.parse::<EmployeeId>().ok()),
                "key" => ids.keys.extend(id.parse::<KeyId>().ok()),
                "project" => ids.projects.extend(id.parse::<ProjectId>().ok()),
                "task" => ids.tasks.extend(id.parse::<TaskId>().ok()),
                "period" => ids.employees.extend(period(id).map(|period| period.employee)),
                _ => {}
            }
        }
    }
    // A changed field does not say whether its ids are of employees, projects, tasks or keys, so
    // the names are requested for all of these.
    let mut found = BTreeSet::new();
    entries.iter().filter_map(|entry| entry.changes.as_ref()).for_each(|patch| seek(patch, &mut found));
    for id in found.into_iter().take(NAMED) {
        ids.employees.insert(EmployeeId(id));
        ids.projects.insert(ProjectId(id));
        ids.tasks.insert(TaskId(id));
        ids.keys.insert(KeyId(id));
    }
    ids
}

fn period(id: &str) -> Option<PeriodId> {
    id.parse().ok()
}

/// The name of the employee, API key, project or task with this id, if it is known.
fn name(names: &KnownNames, kind: &str, id: &str) -> Option<String> {
    let name = match kind {
        "person" | "employee" => names.employees.get(&id.parse().ok()?),
        "key" => names.keys.get(&id.parse().ok()?),
        "project" => names.work.projects.get(&id.parse().ok()?),
        "task" => names.work.tasks.get(&id.parse().ok()?),
        _ => None,
    };
    name.map(Name::to_string)
}

fn table(visitor: &Visitor, params: &Params, entries: &[AuditEntry], names: &KnownNames) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "What" }
                th scope="col" { "To what" } th scope="col" { "Changes" }
            } }
            tbody { @for entry in entries { tr {
                td { (visitor.reader.moment(entry.at)) }
                td.text { (who(visitor, params, &entry.actor, names)) @if let Some(address) = &entry.address { br; span.hint { "from " (address) } } }
                td {
                    (words(&entry.action))
                    @if let Some(request) = &entry.request_id {
                        br;
                        a.hint href=(here(visitor, params, &[("requestId", request)])) { "the request" span.unseen { " of entry " (entry.seq) } }
                    }
                }
                td.text { (what(visitor, params, &entry.subject, names)) }
                td.text { (changes(&visitor.reader, entry, names)) }
            } } }
        }
    }
}

/// The actor's name, as a link that adds this actor to the current filter.
fn who(visitor: &Visitor, params: &Params, actor: &ShownActor, names: &KnownNames) -> Markup {
    let id = actor.id.as_deref().unwrap_or_default();
    let shown = name(names, &actor.kind, id).or_else(|| actor.name.clone());
    let shown = shown.unwrap_or_else(|| format!("{} without a name", actor.kind));
    let value = if id.is_empty() { actor.kind.clone() } else { format!("{}:{id}", actor.kind) };
    let kind = match actor.kind.as_str() {
        "key" => "the key ",
        "service" => "the service ",
        "root" => "the key ",
        _ => "",
    };
    html! { (kind) a href=(here(visitor, params, &[("actor", &value)])) title=(value) { (shown) } }
}

/// The subject of an entry, as a link that adds this subject to the current filter.
fn what(visitor: &Visitor, params: &Params, subject: &AuditSubject, names: &KnownNames) -> Markup {
    let of_period = || {
        let PeriodId { employee, first } = period(&subject.id)?;
        let name = names.employees.get(&employee).map_or("somebody", Name::as_str);
        Some(format!("of {name} from {}", visitor.reader.date(first)))
    };
    let shown = name(names, &subject.kind, &subject.id).or_else(of_period).unwrap_or_else(|| short(&subject.id));
    html! { (subject.kind) " " a href=(here(visitor, params, &[("subject", &subject.id)])) title=(subject.id) { (shown) } }
}

/// Shortens a UUID to its first 8 characters. Other ids stay as they are.
fn short(id: &str) -> String {
    if id.parse::<Uuid>().is_ok() { format!("{}…", &id[..8]) } else { id.to_owned() }
}
