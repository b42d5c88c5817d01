//! Tests that the OpenAPI document agrees with the API.

use std::collections::BTreeSet;

use contracts::{
    CorrectionSent, CreateApiKey, CreateProject, CreateTask, CreateTeam, ProjectChanges, SystemPermissions,
    TaskChanges, TeamChanges, WindowChanges, WindowCorrection, WindowSent,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    extract::parse,
    routes::{EmployeeUpdate, NewEmployee, described},
};

const ID: &str = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071";

/// The fields of a body for which the OpenAPI document and the deserializer disagree about null.
/// `least` is the smallest valid body.
fn untrue<T: DeserializeOwned>(api: &Value, name: &str, least: Value) -> Vec<String> {
    let schema = &api["components"]["schemas"][name];
    let fields = schema["properties"].as_object().expect("fields");
    let differs = fields.iter().filter(|(field, described)| {
        let says_null = described.to_string().contains("\"null\"");
        let mut sent = least.clone();
        sent[field.as_str()] = Value::Null;
        says_null != parse::<T>(sent.to_string().as_bytes()).is_ok()
    });
    differs.map(|(field, _)| format!("{name}.{field}")).collect()
}

#[test]
fn a_field_may_be_null_where_the_description_says_so_and_nowhere_else() {
    let api = described();
    let window = json!({ "start": 1, "end": 2, "timezoneOffset": 0, "projectId": ID, "taskId": ID });
    let permissions = json!({ "accessibility": "denied", "screenAndSystemAudioRecording": "denied" });
    let untrue = [
        untrue::<CreateApiKey>(&api, "CreateApiKey", json!({ "name": "a" })),
        untrue::<NewEmployee>(&api, "CreateEmployee", json!({ "name": "a", "email": "a@example.org" })),
        untrue::<CreateProject>(&api, "CreateProject", json!({ "name": "a" })),
        untrue::<ProjectChanges>(&api, "ProjectChanges", json!({})),
        untrue::<CreateTask>(&api, "CreateTask", json!({ "name": "a", "projectId": ID })),
        untrue::<TaskChanges>(&api, "TaskChanges", json!({})),
        untrue::<CreateTeam>(&api, "CreateTeam", json!({ "name": "a" })),
        untrue::<TeamChanges>(&api, "TeamChanges", json!({})),
        untrue::<EmployeeUpdate>(&api, "EmployeeChanges", json!({})),
        untrue::<SystemPermissions>(&api, "SystemPermissions", json!({ "computer": "a", "permissions": permissions })),
        untrue::<WindowChanges>(&api, "WindowChanges", json!({})),
        untrue::<WindowCorrection>(&api, "WindowCorrection", json!({})),
        untrue::<WindowSent>(&api, "WindowSent", window),
        untrue::<CorrectionSent>(&api, "CorrectionSent", json!({ "reason": "a" })),
    ];
    assert_eq!(untrue.concat(), Vec::<String>::new());
}

#[test]
fn numbers_and_truth_values_are_described_in_the_spellings_that_are_taken() {
    let api = described();
    for (schema, field, taken) in [
        ("MomentSent", "start", vec![json!(5), json!("5")]),
        ("RateSent", "billRate", vec![json!(5.5), json!("5.5")]),
        ("TruthSent", "paid", vec![json!(true), json!(1), json!("true")]),
    ] {
        let forms = api["components"]["schemas"][schema]["oneOf"].as_array().expect("forms");
        let mut described: Vec<&str> = forms.iter().filter_map(|form| form["type"].as_str()).collect();
        for sent in taken {
            assert!(parse::<WindowCorrection>(json!({ field: sent }).to_string().as_bytes()).is_ok(), "{field} {sent}");
            described.retain(|kind| !is_of(kind, &sent));
        }
        assert!(described.is_empty(), "{schema} is not taken as {described:?}");
    }
}

fn is_of(kind: &str, sent: &Value) -> bool {
    match kind {
        "boolean" => sent.is_boolean(),
        "integer" | "number" => sent.is_number(),
        _ => sent.is_string(),
    }
}

/// Calls `visit` for every part of the OpenAPI document, with the path of the part.
fn walk(part: &Value, place: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(place, part);
    match part {
        Value::Object(fields) => fields.iter().for_each(|(name, part)| walk(part, &format!("{place}/{name}"), visit)),
        Value::Array(items) => items.iter().for_each(|part| walk(part, place, visit)),
        _ => {}
    }
}

#[test]
fn everything_that_is_referred_to_is_described() {
    let api = described();
    walk(&api, "", &mut |place, part| {
        if place.ends_with("/$ref") {
            let target = part.as_str().and_then(|target| target.strip_prefix('#'));
            assert!(target.is_some_and(|target| api.pointer(target).is_some()), "{place}: {part}");
        }
    });
}

#[test]
fn no_description_quotes_our_code() {
    let mut quoting = BTreeSet::new();
    walk(&described(), "", &mut |place, part| {
        let is_text = place.ends_with("/description") || place.ends_with("/summary");
        if let Some(text) = part.as_str().filter(|_| is_text)
            && ["`]", "::", "crate", "Option", "Vec<"].iter().any(|code| text.contains(code))
        {
            quoting.insert(format!("{place}: {text}"));
        }
    });
    assert_eq!(quoting, BTreeSet::new());
}

#[test]
fn no_answer_is_one_of_two_types_that_one_object_can_both_be() {
    let api = described();
    for name in ["ProjectSeen", "TasksSeen", "WindowSeen"] {
        let seen = &api["components"]["schemas"][name];
        assert!(seen["anyOf"].is_array() && seen["oneOf"].is_null(), "{name}");
    }
}
