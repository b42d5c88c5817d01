//! The audit trail, the newest entries first.

use std::collections::BTreeSet;

use axum::response::Response;
use contracts::{
    Action, Actor, AuditEntry, AuditSubject, EmployeeId, Failure, KeyId, ListAuditEntries, Millis, Name, PeriodId,
    ProjectId, ShownActor, TaskId, UnknownActor,
};
use jiff::civil::Date;
use maud::{Markup, html};
use serde_json::Value;
use uuid::Uuid;

use super::{places, reader::Reader, visitor::Visitor};
use crate::{
    error::Problem,
    extract::{Listing, Params},
    names::{Ids, Told},
    routes::trail_as_csv,
};

/// The number of entries on a page.
const ENTRIES: usize = 50;
/// The most characters of a value that are shown.
const LETTERS: usize = 300;
/// The most names of a list that are shown.
const LISTED: usize = 25;
/// The most ids in changes that names are asked for.
const NAMED: usize = 500;
/// The milliseconds of the years 2000 to 2099: a number between them is a moment.
const MOMENTS: std::ops::Range<i64> = 946_684_800_000..4_102_444_800_000;
/// What is counted in milliseconds or cents, and so is no moment however much it is.
const AMOUNTS: [&str; 3] = ["time", "costs", "income"];
/// The filters, by their names in the URL.
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

/// All entries as a CSV table.
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
    let told = visitor.names(ids_of(&page.items)).await;
    let older = page.next.map(|next| next.to_string());
    Ok(html! {
        (form(visitor, params, None))
        @if page.items.is_empty() {
            section { p.empty { "Nothing was done that fits this. Leave out a part of the filter, or choose other days." } }
        } @else {
            section.wide tabindex="0" role="region" aria-label="The trail" { (table(visitor, params, &page.items, &told)) }
            nav.row aria-label="Pages of this list" {
                @if after.is_some() { a.button.quiet href=(here(visitor, params, &[])) { "The newest" } }
                @if let Some(older) = &older {
                    a.button.quiet rel="next" href=(here(visitor, params, &[("after", older)])) { "Older ones" }
                }
            }
        }
    })
}

/// The URL of the page with the present filter, in which these parts are replaced.
fn here(visitor: &Visitor, params: &Params, others: &[(&str, &str)]) -> String {
    let kept = FILTERS.into_iter().filter(|name| others.iter().all(|(other, _)| other != name));
    let mut pairs: Vec<(&str, String)> =
        kept.map(|name| (name, typed(params, name))).filter(|(_, value)| !value.is_empty()).collect();
    pairs.extend(others.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
    format!("{}?{query}", visitor.address(places::AUDIT.path))
}

/// The value of a field of the form.
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

/// An action as words.
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
    // What an id in a change stands for is not said, so each of those who know names is asked.
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

/// The ids in a value, and in the names of its fields.
fn seek(value: &Value, found: &mut BTreeSet<Uuid>) {
    match value {
        Value::String(text) => found.extend(text.split(['/', '_']).filter_map(|part| part.parse::<Uuid>().ok())),
        Value::Array(values) => values.iter().for_each(|value| seek(value, found)),
        Value::Object(fields) => {
            found.extend(fields.keys().filter_map(|name| name.parse::<Uuid>().ok()));
            fields.values().for_each(|value| seek(value, found));
        }
        _ => {}
    }
}

/// The name of whatever has this id.
fn any_name<'a>(told: &'a Told, id: &str) -> Option<&'a Name> {
    let id: Uuid = id.parse().ok()?;
    let of_work = || told.work.projects.get(&ProjectId(id)).or_else(|| told.work.tasks.get(&TaskId(id)));
    told.employees.get(&EmployeeId(id)).or_else(of_work).or_else(|| told.keys.get(&KeyId(id)))
}

fn period(id: &str) -> Option<PeriodId> {
    id.parse().ok()
}

/// The name of the thing with this id, if it is known.
fn name(told: &Told, kind: &str, id: &str) -> Option<String> {
    let name = match kind {
        "person" | "employee" => told.employees.get(&id.parse().ok()?),
        "key" => told.keys.get(&id.parse().ok()?),
        "project" => told.work.projects.get(&id.parse().ok()?),
        "task" => told.work.tasks.get(&id.parse().ok()?),
        _ => None,
    };
    name.map(Name::to_string)
}

fn table(visitor: &Visitor, params: &Params, entries: &[AuditEntry], told: &Told) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "What" }
                th scope="col" { "To what" } th scope="col" { "Changes" }
            } }
            tbody { @for entry in entries { tr {
                td { (visitor.reader.moment(entry.at)) }
                td.text { (who(visitor, params, &entry.actor, told)) @if let Some(address) = &entry.address { br; span.hint { "from " (address) } } }
                td {
                    (words(&entry.action))
                    @if let Some(request) = &entry.request_id {
                        br;
                        a.hint href=(here(visitor, params, &[("requestId", request)])) { "the request" span.unseen { " of entry " (entry.seq) } }
                    }
                }
                td.text { (what(visitor, params, &entry.subject, told)) }
                td.text { (changes(&visitor.reader, entry, told)) }
            } } }
        }
    }
}

/// The actor, as a link to all of their entries.
fn who(visitor: &Visitor, params: &Params, actor: &ShownActor, told: &Told) -> Markup {
    let id = actor.id.as_deref().unwrap_or_default();
    let shown = name(told, &actor.kind, id).or_else(|| actor.name.clone());
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

/// The subject, as a link to all of its entries.
fn what(visitor: &Visitor, params: &Params, subject: &AuditSubject, told: &Told) -> Markup {
    let of_period = || {
        let PeriodId { employee, first } = period(&subject.id)?;
        let name = told.employees.get(&employee).map_or("somebody", Name::as_str);
        Some(format!("of {name} from {}", visitor.reader.date(first)))
    };
    let shown = name(told, &subject.kind, &subject.id).or_else(of_period).unwrap_or_else(|| short(&subject.id));
    html! { (subject.kind) " " a href=(here(visitor, params, &[("subject", &subject.id)])) title=(subject.id) { (shown) } }
}

/// An id that has no name, as long as it takes to tell it from others.
fn short(id: &str) -> String {
    if id.parse::<Uuid>().is_ok() { format!("{}…", &id[..8]) } else { id.to_owned() }
}

/// A changed field.
#[derive(Debug, PartialEq)]
struct Change {
    field: String,
    before: Option<Value>,
    after: Option<Value>,
}

/// Reads the changed fields from a JSON Patch with tests.
fn read(patch: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut before: Option<(&str, &Value)> = None;
    for operation in patch.as_array().into_iter().flatten() {
        let path = operation["path"].as_str().unwrap_or_default();
        let (is, value) = (operation["op"].as_str().unwrap_or_default(), &operation["value"]);
        if is == "test" {
            before = Some((path, value));
            continue;
        }
        // Another operation may be between a test and its own.
        let was = before.take_if(|(tested, _)| *tested == path).map(|(_, value)| value);
        let now = if is == "remove" { None } else { Some(value) };
        match (path, was, now) {
            ("", was, now) => changes.extend(whole(was, now)),
            (path, was, now) => {
                changes.push(Change { field: field(path), before: was.cloned(), after: now.cloned() });
            }
        }
    }
    changes
}

/// All fields of something that was created or deleted.
fn whole(was: Option<&Value>, now: Option<&Value>) -> Vec<Change> {
    let empty = serde_json::Map::new();
    let fields = |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_else(|| empty.clone());
    let (was, now) = (fields(was), fields(now));
    let names: BTreeSet<&String> = was.keys().chain(now.keys()).collect();
    let change =
        |name: &String| Change { field: name.clone(), before: was.get(name).cloned(), after: now.get(name).cloned() };
    names.into_iter().map(change).collect()
}

/// The path of a field as words.
fn field(path: &str) -> String {
    path.trim_start_matches('/').replace('/', ", ").replace("~1", "/").replace("~0", "~")
}

/// A value as text, cut if it is long.
fn text(value: &Value) -> String {
    let whole = match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) if text.is_empty() => "an empty text".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    };
    match whole.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}…", &whole[..end]),
        None => whole,
    }
}

/// What ids stand for by name, each with its id as the title; moments in the reader's zone; all else as text.
fn shown(reader: &Reader, told: &Told, field: &str, value: &Value) -> Markup {
    match value {
        Value::String(id) => match any_name(told, id) {
            Some(name) => html! { span title=(id) { (name) } },
            None => html! { (text(value)) },
        },
        Value::Number(number) => match number.as_i64() {
            Some(at) if MOMENTS.contains(&at) && !AMOUNTS.contains(&field) => html! { (reader.moment(Millis(at))) },
            _ => html! { (text(value)) },
        },
        Value::Array(values) if !values.is_empty() => {
            let is_named = |value: &Value| value.as_str().is_some_and(|id| any_name(told, id).is_some());
            match values.iter().any(is_named) {
                true => html! { @for (n, value) in values.iter().take(LISTED).enumerate() {
                    @if n > 0 { ", " } (shown(reader, told, field, value))
                } @if values.len() > LISTED { " and " (reader.count(values.len() - LISTED)) " more" } },
                false => html! { (text(value)) },
            }
        }
        _ => html! { (text(value)) },
    }
}

/// The name of a field, with those of the ids in it.
fn shown_field(told: &Told, field: &str) -> Markup {
    html! {
        @for (n, part) in field.split(", ").enumerate() {
            @if n > 0 { ", " }
            @match any_name(told, part) { Some(name) => span title=(part) { (name) }, None => (part) }
        }
    }
}

fn changes(reader: &Reader, entry: &AuditEntry, told: &Told) -> Markup {
    let changes = entry.changes.as_ref().map(read).unwrap_or_default();
    html! {
        @if !changes.is_empty() {
            details {
                summary { (changes.len()) @if changes.len() == 1 { " field" } @else { " fields" } span.unseen { " of entry " (entry.seq) } }
                table {
                    thead { tr { th scope="col" { "Field" } th scope="col" { "Before" } th scope="col" { "After" } } }
                    tbody { @for change in &changes { tr {
                        th.text scope="row" { (shown_field(told, &change.field)) }
                        td.text { @if let Some(before) = &change.before { (shown(reader, told, &change.field, before)) } }
                        td.text { @if let Some(after) = &change.after { (shown(reader, told, &change.field, after)) } }
                    } } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::{changed, created, deleted};
    use serde_json::json;

    use super::*;

    fn told(patch: &Value) -> Vec<(String, Option<String>, Option<String>)> {
        let shown = |value: Option<Value>| value.as_ref().map(text);
        read(patch).into_iter().map(|change| (change.field, shown(change.before), shown(change.after))).collect()
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_change_is_told_by_what_was_and_what_is() {
        let (was, now) = (json!({"name": "A", "title": "x"}), json!({"name": "B", "billable": true}));
        let mut rows = told(&changed(&was, &now));
        rows.sort();
        let expected = [
            ("billable".to_owned(), None, some("yes")),
            ("name".to_owned(), some("A"), some("B")),
            ("title".to_owned(), some("x"), None),
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn what_is_new_or_gone_is_told_field_by_field() {
        let thing = json!({"name": "A", "note": null});
        let nothing = || some("nothing");
        let new = [("name".to_owned(), None, some("A")), ("note".to_owned(), None, nothing())];
        assert_eq!(told(&created(&thing)), new);
        let gone = [("name".to_owned(), some("A"), None), ("note".to_owned(), nothing(), None)];
        assert_eq!(told(&deleted(&thing)), gone);
    }

    #[test]
    fn a_reason_stands_beside_what_is_gone() {
        let patch = json!([
            {"op": "test", "path": "", "value": {"name": "A"}},
            {"op": "add", "path": "/reason", "value": "twice"},
            {"op": "remove", "path": ""},
        ]);
        assert_eq!(told(&patch), [("reason".to_owned(), None, some("twice")), ("name".to_owned(), some("A"), None)]);
    }

    #[test]
    fn ids_have_their_names_and_moments_are_told_in_the_zone() {
        let (ann, unknown) = (kit::new_id::<EmployeeId>(), kit::new_id::<EmployeeId>());
        let employees = [(ann, Name::parse("Ann <Example>").expect("a name"))].into();
        let told = Told { employees, ..Told::default() };
        let settings = contracts::Settings { timezone: "Asia/Kolkata".parse().expect("a zone"), ..Default::default() };
        let reader = Reader::of(&axum::http::HeaderMap::new(), &settings);
        let html = |field: &str, value: Value| shown(&reader, &told, field, &value).into_string();
        let named = format!("<span title=\"{ann}\">Ann &lt;Example&gt;</span>");
        assert_eq!(html("employees", json!([ann, unknown])), format!("{named}, {unknown}"));
        assert_eq!(html("employeeId", json!(unknown)), unknown.to_string());
        assert_eq!(shown_field(&told, &format!("payroll, {ann}")).into_string(), format!("payroll, {named}"));
        assert_eq!(html("start", json!(1_772_321_400_000_i64)), "2026-03-01 05:00");
        assert_eq!(html("time", json!(1_772_321_400_000_i64)), "1772321400000");
        assert_eq!(html("version", json!(7)), "7");

        let patch = json!([{"op": "add", "path": format!("/payroll/{ann}"), "value": {"by": [unknown]}}]);
        let mut found = BTreeSet::new();
        seek(&patch, &mut found);
        assert_eq!(found, BTreeSet::from([ann.0, unknown.0]));
    }

    #[test]
    fn a_long_value_is_cut_and_a_strange_patch_breaks_nothing() {
        assert_eq!(text(&"ü".repeat(LETTERS + 1).into()).chars().count(), LETTERS + 1);
        assert_eq!(told(&json!("no patch")), []);
        assert_eq!(told(&json!([{"op": "remove"}, 5])), []);
    }
}
