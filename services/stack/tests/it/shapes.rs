//! Checks the exact fields of responses.

use std::collections::BTreeSet;

use serde_json::Value;
use uuid::Uuid;

use crate::support::Response;

/// The names of an object's fields, each with a check of its value.
pub type Shape = [(&'static str, fn(&Value) -> bool)];

pub const EMPLOYEE: &Shape = &[
    ("id", uuid),
    ("name", Value::is_string),
    ("email", Value::is_string),
    ("accountId", uuid),
    ("organizationId", default_org),
    ("identifier", Value::is_string),
    ("type", |value| value == "personal"),
    ("title", text_or_null),
    ("role", Value::is_string),
    ("teamId", text_or_null),
    ("projects", uuids),
    ("systemPermissions", Value::is_array),
    ("is_active", Value::is_boolean),
    ("createdAt", Value::is_i64),
    ("invited", Value::is_i64),
    ("deactivated_at", whole_or_null),
    ("deactivated", Value::is_i64),
];

pub const PROJECT: &Shape = &[
    ("id", uuid),
    ("name", Value::is_string),
    ("description", text_or_null),
    ("billable", Value::is_boolean),
    ("employees", uuids),
    ("screenshotSettings", |value| value["screenshotEnabled"].is_boolean()),
    ("payroll", Value::is_object),
    ("creatorId", Value::is_string),
    ("organizationId", default_org),
    ("archived", Value::is_boolean),
    ("statuses", texts),
    ("priorities", texts),
    ("createdAt", Value::is_i64),
];

pub const PROJECT_SUMMARY: &Shape = &[
    ("id", uuid),
    ("name", Value::is_string),
    ("description", text_or_null),
    ("billable", Value::is_boolean),
    ("employees", uuids),
    ("archived", Value::is_boolean),
    ("statuses", texts),
    ("priorities", texts),
];

pub const TASK: &Shape = &[
    ("id", uuid),
    ("name", Value::is_string),
    ("projectId", uuid),
    ("description", text_or_null),
    ("billable", Value::is_boolean),
    ("employees", uuids),
    ("status", Value::is_string),
    ("priority", Value::is_string),
    ("creatorId", Value::is_string),
    ("organizationId", default_org),
    ("createdAt", Value::is_i64),
];

pub const TASK_SUMMARY: &Shape = &[
    ("id", uuid),
    ("name", Value::is_string),
    ("projectId", uuid),
    ("status", Value::is_string),
    ("priority", Value::is_string),
    ("employees", uuids),
];

pub const WINDOW: &Shape = &[
    ("id", uuid),
    ("employeeId", uuid),
    ("shiftId", Value::is_string),
    ("organizationId", default_org),
    ("type", |value| value == "manual" || value == "tracked"),
    ("start", Value::is_i64),
    ("end", Value::is_i64),
    ("timezoneOffset", Value::is_i64),
    ("startTranslated", Value::is_i64),
    ("endTranslated", Value::is_i64),
    ("negativeTime", Value::is_i64),
    ("projectId", uuid),
    ("taskId", uuid),
    ("taskStatus", Value::is_string),
    ("taskPriority", Value::is_string),
    ("note", text_or_null),
    ("billable", Value::is_boolean),
    ("overtime", Value::is_boolean),
    ("paid", Value::is_boolean),
    ("billRate", amount_or_null),
    ("overtimeBillRate", amount_or_null),
    ("payRate", amount_or_null),
    ("overtimePayRate", amount_or_null),
    ("computer", Value::is_string),
    ("user", Value::is_string),
    ("domain", text_or_null),
    ("os", Value::is_string),
    ("osVersion", Value::is_string),
    ("hwid", Value::is_string),
    ("createdAt", Value::is_i64),
    ("updatedAt", Value::is_i64),
];

/// Fails the test if a field is missing, unknown or has a wrong value.
#[track_caller]
pub fn assert_shape(value: &Value, shape: &Shape) {
    assert_keys(value, &shape.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for (name, fits) in shape {
        assert!(fits(&value[*name]), "{name} in {value}");
    }
}

/// Returns employees without the delivery state of their invitations, which changes while mails are
/// sent.
pub fn without_invitations(mut employees: Value) -> Value {
    match &mut employees {
        Value::Array(all) => all.iter_mut().for_each(|one| *one = without_invitations(one.take())),
        Value::Object(fields) => drop(fields.remove("invitation")),
        _ => {}
    }
    employees
}

/// Fails the test if a field is missing or unknown.
#[track_caller]
pub fn assert_keys(value: &Value, keys: &[&str]) {
    let object = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
    let (has, wants): (BTreeSet<&str>, BTreeSet<&str>) =
        (object.keys().map(String::as_str).collect(), keys.iter().copied().collect());
    assert_eq!(has, wants, "{value}");
}

/// Fails the test unless the response is a problem document (RFC 9457) as the API defines it.
#[track_caller]
pub fn assert_problem(response: &Response) {
    let Response { status, headers, text, body } = response;
    assert_eq!(headers["content-type"], "application/problem+json", "{text}");
    let mut keys = vec!["type", "title", "status", "detail", "code"];
    if body.get("errors").is_some() {
        keys.push("errors");
        for error in body["errors"].as_array().expect("a list") {
            assert_keys(error, &["field", "message"]);
        }
    }
    // A trace id exists only if the system runs as a separate process: see secrets.rs.
    if let Some(id) = body.get("traceId") {
        keys.push("traceId");
        assert!(id.as_str().is_some_and(|id| id.len() == 32), "{text}");
    }
    assert_keys(body, &keys);
    assert_eq!(body["status"], *status, "{text}");
    assert!(body["detail"].as_str().is_some_and(|detail| detail.ends_with('.')), "no sentence: {text}");
    assert_eq!(headers.contains_key("www-authenticate"), *status == 401, "{headers:?}");
    assert_eq!(headers.contains_key("retry-after"), matches!(status, 429 | 503), "{headers:?}");
}

fn uuid(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() == 36 && Uuid::parse_str(text).is_ok())
}

fn uuids(value: &Value) -> bool {
    value.as_array().is_some_and(|all| all.iter().all(uuid))
}

fn texts(value: &Value) -> bool {
    value.as_array().is_some_and(|all| all.iter().all(Value::is_string))
}

fn default_org(value: &Value) -> bool {
    value == "default-org"
}

fn text_or_null(value: &Value) -> bool {
    value.is_string() || value.is_null()
}

fn whole_or_null(value: &Value) -> bool {
    value.is_i64() || value.is_null()
}

fn amount_or_null(value: &Value) -> bool {
    value.is_number() || value.is_null()
}
