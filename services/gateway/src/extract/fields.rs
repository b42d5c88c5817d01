//! Turns an error of the parser into a field and what it must be. The parser's messages repeat the input, so only
//! the parts that name the expected type are used.

use contracts::{Failure, FieldError};
use serde_path_to_error::{Path, Segment};
use uuid::Uuid;

/// The most characters of the path of a field.
const PATH_MOST: usize = 100;

/// The error for an invalid field.
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
        // A message of our own types, which never repeats the input.
        text.to_owned()
    } else if text.starts_with("UUID parsing failed") {
        "must be a UUID".to_owned()
    } else {
        // The input may contain these words too, but the last occurrence is the parser's.
        let expected = text.rsplit_once(", expected ").and_then(|(_, expected)| in_words(expected));
        expected.map_or_else(|| "does not fit".to_owned(), |expected| format!("must be {expected}"))
    };
    let field = if path.is_empty() { "body".to_owned() } else { path.chars().take(PATH_MOST).collect() };
    Failure::field(field, message)
}

/// The error for a body that is not JSON.
pub(super) fn malformed(error: &serde_json::Error) -> FieldError {
    let message = format!("must be JSON, which it is not at line {}, column {}", error.line(), error.column());
    FieldError { field: "body".into(), message }
}

/// The expected type in plain words; nothing for messages that are not known.
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
        // The variants of an enum.
        variants if variants.starts_with("one of `") || variants.starts_with('`') => variants.to_owned(),
        _ => return None,
    })
}

fn join(path: String, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

/// The path of a field, such as `payroll.*.billRate`. Only the keys of a payroll are chosen by the client, so these
/// are shown only when they are valid.
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
