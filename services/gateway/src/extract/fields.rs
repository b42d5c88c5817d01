//! From a parser's error to the field that does not fit and what would. The parser's own words
//! repeat what was sent, so none of them passes but those that say what was expected.

use contracts::{Failure, FieldError};
use serde_path_to_error::{Path, Segment};
use uuid::Uuid;

/// The most characters of a field's path.
const PATH_MOST: usize = 100;

/// The field of a body that does not fit.
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
        // A type of ours: it never repeats the text.
        text.to_owned()
    } else if text.starts_with("UUID parsing failed") {
        "must be a UUID".to_owned()
    } else {
        // What was sent may hold these words too, but it comes first.
        let expected = text.rsplit_once(", expected ").and_then(|(_, expected)| in_words(expected));
        expected.map_or_else(|| "does not fit".to_owned(), |expected| format!("must be {expected}"))
    };
    let field = if path.is_empty() { "body".to_owned() } else { path.chars().take(PATH_MOST).collect() };
    Failure::field(field, message)
}

/// A body that is no JSON.
pub(super) fn malformed(error: &serde_json::Error) -> FieldError {
    let message = format!("must be JSON, which it is not at line {}, column {}", error.line(), error.column());
    FieldError { field: "body".into(), message }
}

/// What a parser expected, as people say it; nothing where it says what we do not know.
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
        // The variants of an enum of ours.
        variants if variants.starts_with("one of `") || variants.starts_with('`') => variants.to_owned(),
        _ => return None,
    })
}

fn join(path: String, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

/// A path such as `payroll.*.billRate`. The keys of a payroll are the only ones that the client
/// makes up: they are shown where they are what they should be.
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
