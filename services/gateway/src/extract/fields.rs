//! Turns an error of the JSON parser into the path of a field and what the field must be. The
//! parser's messages repeat the input, so only their parts about the expected type are used.

use contracts::{Failure, FieldError};
use serde_path_to_error::{Path, Segment};
use uuid::Uuid;

/// The largest number of characters of a field's path in an error.
const PATH_MOST: usize = 100;

/// The failure for a field that cannot be deserialized.
pub(super) fn misfit(error: &serde_path_to_error::Error<serde_json::Error>) -> Failure {
    let text = error.inner().to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    let mut path = shown(error.path());
    let within = |text: &str, before: &str| Some(text.strip_prefix(before)?.strip_suffix('`')?.to_owned());
    let message = if let Some(field) = within(text, "missing field `") {
        path = join(path, &field);
        "must be given".to_owned()
    } else if let Some(field) = within(text, "duplicate field `") {
        path = join(path, &field);
        "must be given once".to_owned()
    } else if text.starts_with("must ") {
        // The message comes from a type of this project. Such messages never repeat the input.
        text.to_owned()
    } else if text.starts_with("UUID parsing failed") {
        "must be a UUID".to_owned()
    } else {
        // The input may also contain the text ", expected ". The last occurrence is the parser's
        // own.
        let expected = text.rsplit_once(", expected ").and_then(|(_, expected)| in_words(expected));
        expected.map_or_else(|| "does not fit".to_owned(), |expected| format!("must be {expected}"))
    };
    let field = if path.is_empty() { "body".to_owned() } else { path.chars().take(PATH_MOST).collect() };
    Failure::field(field, message)
}

/// The error for a body that is not valid JSON.
pub(super) fn malformed(error: &serde_json::Error) -> FieldError {
    let message = format!("must be JSON, which it is not at line {}, column {}", error.line(), error.column());
    FieldError { field: "body".into(), message }
}

/// The parser's name of an expected type in plain words; `None` for names that are not known here.
fn in_words(expected: &str) -> Option<String> {
    Some(match expected {
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number".into(),
        "f32" | "f64" => "a number".into(),
        "a boolean" => "true or false".into(),
        "a string" | "a borrowed string" => "a text".into(),
        "a formatted UUID string" => "a UUID".into(),
        "a sequence" => "a list".into(),
        "a map" => "an object".into(),
        struct_ if struct_.starts_with("struct ") => "an object".into(),
        // The parser lists the names of an enum's variants.
        variants if variants.starts_with("one of `") || variants.starts_with('`') => variants.to_owned(),
        _ => return None,
    })
}

fn join(path: String, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

/// The path of a field, such as `payroll.*.billRate`. The keys of a payroll are the only part of a
/// path that clients can choose freely, so these keys are shown only when they are valid.
fn shown(path: &Path) -> String {
    let mut shown = String::new();
    let mut made_up = false;
    for segment in path {
        match segment {
            Segment::Seq { index } => shown.push_str(&format!("[{index}]")),
            Segment::Map { key } if made_up && key != "*" && Uuid::parse_str(key).is_err() => return shown,
            Segment::Map { key } | Segment::Enum { variant: key } => {
                made_up = shown.is_empty() && key == "payroll";
                shown = join(shown, key);
            }
            Segment::Unknown => {}
        }
    }
    shown
}
