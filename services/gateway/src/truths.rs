//! What the derived description cannot know of the requests: which fields take `null`, how long a
//! password is.

use contracts::{PASSWORD_LEAST, PASSWORD_MOST};
use serde_json::{Value, json};

/// Fields that `null` clears, in requests that change something.
const CLEARED: [&str; 7] =
    ["title", "description", "note", "billRate", "overtimeBillRate", "payRate", "overtimePayRate"];
/// The requests whose other fields refuse `null`.
const STRICT: [&str; 7] = [
    "CreateProject",
    "ProjectChanges",
    "CreateTask",
    "TaskChanges",
    "EmployeeChanges",
    "WindowChanges",
    "WindowCorrection",
];
/// Answers that differ by who asks or by what became of a thing. One object may fit several forms.
const SEEN: [&str; 3] = ["ProjectSeen", "TasksSeen", "WindowSeen"];

/// The description with these truths in it.
pub(crate) fn with_truths(mut api: Value) -> Value {
    let schemas = &mut api["components"]["schemas"];
    for name in STRICT {
        let Some(fields) = schemas[name]["properties"].as_object_mut() else { continue };
        for (_, field) in fields.iter_mut().filter(|(name, _)| !CLEARED.contains(&name.as_str())) {
            refuse_null(field);
        }
    }
    if let Some(kind) = schemas.pointer_mut("/WindowSent/properties/type") {
        refuse_null(kind);
    }
    for name in SEEN {
        if let Some(seen) = schemas[name].as_object_mut()
            && let Some(forms) = seen.remove("oneOf")
        {
            seen.insert("anyOf".to_owned(), forms);
        }
    }
    if let Some(password) = schemas.pointer_mut("/Activate/properties/password") {
        password["minLength"] = json!(PASSWORD_LEAST);
        password["maxLength"] = json!(PASSWORD_MOST);
    }
    api
}

/// Takes `null` out of what a field may be.
fn refuse_null(field: &mut Value) {
    let Some(field) = field.as_object_mut() else { return };
    if field.get("default").is_some_and(Value::is_null) {
        field.remove("default");
    }
    if let Some(Value::Array(types)) = field.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [one] = &types[..] {
            let one = one.clone();
            field.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(mut forms)) = field.remove("oneOf") {
        forms.retain(|form| form["type"] != "null");
        match (forms.pop(), forms.is_empty()) {
            (Some(Value::Object(only)), true) => field.extend(only),
            (last, _) => {
                forms.extend(last);
                field.insert("oneOf".to_owned(), Value::Array(forms));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::{
        CreateProject, CreateTask, EmployeeChanges, ProjectChanges, TaskChanges, WindowChanges, WindowCorrection,
        WindowSent,
    };
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::{extract::parse, routes};

    /// Fields whose description and whose reader differ about `null`.
    fn untrue<T: DeserializeOwned>(api: &Value, name: &str, least: Value) -> Vec<String> {
        let schema = &api["components"]["schemas"][name];
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let fields = schema["properties"].as_object().expect("fields");
        let differs = fields.iter().filter(|(field, described)| {
            let says_null = described.to_string().contains("\"null\"");
            let mut sent = least.clone();
            sent[field.as_str()] = Value::Null;
            let takes_null = parse::<T>(sent.to_string().as_bytes()).is_ok();
            !required.contains(&json!(field)) && says_null != takes_null
        });
        differs.map(|(field, _)| format!("{name}.{field}")).collect()
    }

    #[test]
    fn a_field_is_described_as_nullable_where_null_is_taken_and_nowhere_else() {
        let api = routes::described();
        let id = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071";
        let window = json!({
            "start": 1, "end": 2, "timezoneOffset": 0, "projectId": id, "taskId": id,
            "computer": "a", "user": "a", "os": "a", "osVersion": "a", "hwid": "a",
        });
        let untrue = [
            untrue::<CreateProject>(&api, "CreateProject", json!({ "name": "a" })),
            untrue::<ProjectChanges>(&api, "ProjectChanges", json!({})),
            untrue::<CreateTask>(&api, "CreateTask", json!({ "name": "a", "projectId": id })),
            untrue::<TaskChanges>(&api, "TaskChanges", json!({})),
            untrue::<EmployeeChanges>(&api, "EmployeeChanges", json!({})),
            untrue::<WindowChanges>(&api, "WindowChanges", json!({})),
            untrue::<WindowCorrection>(&api, "WindowCorrection", json!({})),
            untrue::<WindowSent>(&api, "WindowSent", window),
        ];
        assert_eq!(untrue.concat(), Vec::<String>::new());
    }

    #[test]
    fn no_object_is_described_as_one_of_forms_that_fit_together() {
        let api = routes::described();
        for name in SEEN {
            let seen = &api["components"]["schemas"][name];
            assert!(seen["anyOf"].is_array() && seen["oneOf"].is_null(), "{name}");
        }
    }
}
