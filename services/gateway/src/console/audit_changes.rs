//! Shows the changed fields of an audit entry.

use std::collections::BTreeSet;

use contracts::{AuditEntry, EmployeeId, KeyId, Millis, Name, ProjectId, TaskId};
use maud::{Markup, html};
use serde_json::Value;
use uuid::Uuid;

use super::reader::Reader;
use crate::names::KnownNames;

/// The largest number of characters of a value that are shown.
const LETTERS: usize = 300;
/// The largest number of items that are shown of a list that has ids with known names.
const LISTED: usize = 25;
/// The milliseconds since 1970 of the years 2000 to 2099. A number in this range is shown as a
/// moment.
const MOMENTS: std::ops::Range<i64> = 946_684_800_000..4_102_444_800_000;
/// The fields that contain milliseconds of work or amounts of money. Their values are never shown
/// as moments.
const AMOUNTS: [&str; 3] = ["time", "costs", "income"];

/// Adds to `found` all ids in a JSON value, also those in field names.
pub(super) fn seek(value: &Value, found: &mut BTreeSet<Uuid>) {
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

/// The name of the employee, project, task or API key with this id, if it is known.
fn any_name<'a>(names: &'a KnownNames, id: &str) -> Option<&'a Name> {
    let id: Uuid = id.parse().ok()?;
    let of_work = || names.work.projects.get(&ProjectId(id)).or_else(|| names.work.tasks.get(&TaskId(id)));
    names.employees.get(&EmployeeId(id)).or_else(of_work).or_else(|| names.keys.get(&KeyId(id)))
}

/// A changed field, with its values before and after the change.
#[derive(Debug, PartialEq)]
struct Change {
    field: String,
    before: Option<Value>,
    after: Option<Value>,
}

/// Reads the changed fields from a JSON Patch, in which `test` operations contain the values before
/// the change.
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
        // Another operation may come between a `test` and the change that it belongs to, so the
        // paths are compared.
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

/// All fields of an item that was created or deleted.
fn whole(was: Option<&Value>, now: Option<&Value>) -> Vec<Change> {
    let empty = serde_json::Map::new();
    let fields = |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_else(|| empty.clone());
    let (was, now) = (fields(was), fields(now));
    let names: BTreeSet<&String> = was.keys().chain(now.keys()).collect();
    let change =
        |name: &String| Change { field: name.clone(), before: was.get(name).cloned(), after: now.get(name).cloned() };
    names.into_iter().map(change).collect()
}

/// The JSON Pointer of a field as text, with commas between its parts.
fn field(path: &str) -> String {
    path.trim_start_matches('/').replace('/', ", ").replace("~1", "/").replace("~0", "~")
}

/// A value as text, cut after [`LETTERS`] characters.
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

/// Shows a value: an id as its name, with the id as the HTML title; a moment in the reader's time
/// zone; a list that has ids with known names item by item, up to [`LISTED`] items; any other value
/// as text.
fn shown(reader: &Reader, names: &KnownNames, field: &str, value: &Value) -> Markup {
    match value {
        Value::String(id) => match any_name(names, id) {
            Some(name) => html! { span title=(id) { (name) } },
            None => html! { (text(value)) },
        },
        Value::Number(number) => match number.as_i64() {
            Some(at) if MOMENTS.contains(&at) && !AMOUNTS.contains(&field) => html! { (reader.moment(Millis(at))) },
            _ => html! { (text(value)) },
        },
        Value::Array(values) if !values.is_empty() => {
            let is_named = |value: &Value| value.as_str().is_some_and(|id| any_name(names, id).is_some());
            match values.iter().any(is_named) {
                true => html! { @for (n, value) in values.iter().take(LISTED).enumerate() {
                    @if n > 0 { ", " } (shown(reader, names, field, value))
                } @if values.len() > LISTED { " and " (reader.count(values.len() - LISTED)) " more" } },
                false => html! { (text(value)) },
            }
        }
        _ => html! { (text(value)) },
    }
}

/// Shows the path of a field. Ids in the path are replaced by their names.
fn shown_field(names: &KnownNames, field: &str) -> Markup {
    html! {
        @for (n, part) in field.split(", ").enumerate() {
            @if n > 0 { ", " }
            @match any_name(names, part) { Some(name) => span title=(part) { (name) }, None => (part) }
        }
    }
}

/// The changed fields of an entry as a table in a closed `details` element.
pub(super) fn changes(reader: &Reader, entry: &AuditEntry, names: &KnownNames) -> Markup {
    let changes = entry.changes.as_ref().map(read).unwrap_or_default();
    html! {
        @if !changes.is_empty() {
            details {
                summary { (changes.len()) @if changes.len() == 1 { " field" } @else { " fields" } span.unseen { " of entry " (entry.seq) } }
                table {
                    thead { tr { th scope="col" { "Field" } th scope="col" { "Before" } th scope="col" { "After" } } }
                    tbody { @for change in &changes { tr {
                        th.text scope="row" { (shown_field(names, &change.field)) }
                        td.text { @if let Some(before) = &change.before { (shown(reader, names, &change.field, before)) } }
                        td.text { @if let Some(after) = &change.after { (shown(reader, names, &change.field, after)) } }
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

    fn changes_in(patch: &Value) -> Vec<(String, Option<String>, Option<String>)> {
        let shown = |value: Option<Value>| value.as_ref().map(text);
        read(patch).into_iter().map(|change| (change.field, shown(change.before), shown(change.after))).collect()
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_change_is_told_by_what_was_and_what_is() {
        let (was, now) = (json!({"name": "A", "title": "x"}), json!({"name": "B", "billable": true}));
        let mut rows = changes_in(&changed(&was, &now));
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
        assert_eq!(changes_in(&created(&thing)), new);
        let gone = [("name".to_owned(), some("A"), None), ("note".to_owned(), nothing(), None)];
        assert_eq!(changes_in(&deleted(&thing)), gone);
    }

    #[test]
    fn a_reason_stands_beside_what_is_gone() {
        let patch = json!([
            {"op": "test", "path": "", "value": {"name": "A"}},
            {"op": "add", "path": "/reason", "value": "twice"},
            {"op": "remove", "path": ""},
        ]);
        assert_eq!(
            changes_in(&patch),
            [("reason".to_owned(), None, some("twice")), ("name".to_owned(), some("A"), None)]
        );
    }

    #[test]
    fn ids_have_their_names_and_moments_are_told_in_the_zone() {
        let (ann, unknown) = (kit::new_id::<EmployeeId>(), kit::new_id::<EmployeeId>());
        let employees = [(ann, Name::parse("Ann <Example>").expect("a name"))].into();
        let names = KnownNames { employees, ..KnownNames::default() };
        let settings = contracts::Settings { timezone: "Asia/Kolkata".parse().expect("a zone"), ..Default::default() };
        let reader = Reader::of(&axum::http::HeaderMap::new(), &settings);
        let html = |field: &str, value: Value| shown(&reader, &names, field, &value).into_string();
        let named = format!("<span title=\"{ann}\">Ann &lt;Example&gt;</span>");
        assert_eq!(html("employees", json!([ann, unknown])), format!("{named}, {unknown}"));
        assert_eq!(html("employeeId", json!(unknown)), unknown.to_string());
        assert_eq!(shown_field(&names, &format!("payroll, {ann}")).into_string(), format!("payroll, {named}"));
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
        assert_eq!(changes_in(&json!("no patch")), []);
        assert_eq!(changes_in(&json!([{"op": "remove"}, 5])), []);
    }
}
