//! The difference that a change has made, as a JSON Patch (RFC 6902) of what the API shows.

use json_patch::{PatchOperation, diff, patch};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Fields with free text, which the trail must not contain. It stores the SHA-256 of such a text,
/// so that somebody who has the text can prove what it was.
const HASHED: [&str; 2] = ["note", "description"];
/// Fields that would contain a secret. The API shows no such field today. If one is ever added, the
/// trail stores `[secret]` instead of its value.
const SECRET: [&str; 6] = ["password", "token", "key", "secret", "access_token", "refresh_token"];
/// The maximum size of a patch, in bytes. A larger patch is replaced by its SHA-256. The limit of a
/// whole event is 256 KiB.
const MOST: usize = 200 * 1024;

/// The patch for something that was created.
pub fn created<T: Serialize>(after: &T) -> Value {
    bounded(json!([{ "op": "add", "path": "", "value": shown(after) }]))
}

/// The patch for something that was deleted.
pub fn deleted<T: Serialize>(before: &T) -> Value {
    bounded(json!([{ "op": "test", "path": "", "value": shown(before) }, { "op": "remove", "path": "" }]))
}

/// The patch between two states. A `test` operation with the old value comes before each operation
/// that removes or replaces something, so that a reader of the entry needs no earlier entries.
pub fn changed<T: Serialize>(before: &T, after: &T) -> Value {
    let (mut now, after) = (shown(before), shown(after));
    let mut all = Vec::new();
    for operation in diff(&now, &after).0 {
        if let PatchOperation::Remove(_) | PatchOperation::Replace(_) = &operation {
            let path = operation.path().as_str();
            all.push(json!({ "op": "test", "path": path, "value": now.pointer(path) }));
        }
        // `patch` cannot fail here, because `diff` computed the operation from the same value.
        let applied = patch(&mut now, std::slice::from_ref(&operation));
        debug_assert!(applied.is_ok(), "{applied:?}");
        all.push(json!(operation));
    }
    bounded(Value::Array(all))
}

fn bounded(patch: Value) -> Value {
    let text = patch.to_string();
    if text.len() <= MOST {
        return patch;
    }
    json!([{ "op": "replace", "path": "", "value": format!("too long to be kept, sha256:{}", sha256(&text)) }])
}

/// The value as the API shows it, with hashes and `[secret]` in place of the texts that the trail
/// must not store.
fn shown<T: Serialize>(value: &T) -> Value {
    // `to_value` cannot fail here: the API writes every such value as JSON.
    let mut value = serde_json::to_value(value).unwrap_or_default();
    mask(&mut value);
    value
}

fn mask(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if HASHED.contains(&name.as_str()) => {
                        *value = format!("sha256:{}", sha256(text)).into();
                    }
                    Value::String(_) if SECRET.contains(&name.as_str()) => *value = "[secret]".into(),
                    value => mask(value),
                }
            }
        }
        _ => {}
    }
}

/// The SHA-256 of a text, in hexadecimal digits.
pub(crate) fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_change_says_what_was_there_and_what_is_there_now() {
        let (before, after) = (json!({"name": "A", "employees": ["x", "y"]}), json!({"name": "B", "employees": ["y"]}));
        let patch = changed(&before, &after);
        let has = |operation: Value| patch.as_array().unwrap().contains(&operation);
        assert!(has(json!({"op": "test", "path": "/name", "value": "A"})), "{patch}");
        assert!(has(json!({"op": "replace", "path": "/name", "value": "B"})), "{patch}");
        assert!(patch.to_string().contains("\"x\""), "who was taken off is named: {patch}");
    }

    #[test]
    fn a_note_is_kept_as_its_hash_and_a_secret_not_at_all() {
        let patch = created(&json!({"note": "she was ill", "inner": [{"description": "x", "password": "hunter2"}]}));
        let text = patch.to_string();
        assert!(!text.contains("ill") && !text.contains("hunter2"), "{text}");
        assert!(text.contains(&format!("sha256:{}", sha256("she was ill"))), "{text}");
        let cleared = changed(&json!({"note": "she was ill"}), &json!({"note": null})).to_string();
        assert!(cleared.contains("\"value\":null") && !cleared.contains("ill"), "{cleared}");
    }

    #[test]
    fn what_is_too_long_for_an_event_is_kept_as_a_hash() {
        let long = json!({"names": vec!["a name of somebody"; 20_000]});
        assert!(created(&long).to_string().len() < 200, "{}", created(&long).to_string().len());
    }

    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), (0..9).prop_map(Value::from)];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c/~]{1,2}", inner, 0..4).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_patch_leads_from_what_was_to_what_is(before in document(), after in document()) {
            let patch: json_patch::Patch = serde_json::from_value(changed(&before, &after)).unwrap();
            let mut document = before;
            prop_assert!(json_patch::patch(&mut document, &patch).is_ok());
            prop_assert_eq!(document, after);
        }
    }
}
