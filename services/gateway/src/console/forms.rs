//! Form fields, with the errors of the API next to them.

use axum::{http::StatusCode, response::Response};
use contracts::Failure;
use maud::{Markup, html};

use super::{places::Place, visitor::Visitor};

/// A field of a form, with its error.
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    pub(super) label: &'a str,
    pub(super) kind: &'a str,
    /// The value that the field shows.
    pub(super) value: &'a str,
    pub(super) autocomplete: &'a str,
    pub(super) error: Option<&'a str>,
}

/// Renders a field with its label and error.
pub(super) fn field(field: &Field<'_>) -> Markup {
    let Field { name, label, kind, value, autocomplete, error } = field;
    let id = format!("{name}-error");
    html! {
        label for=(name) { (label) }
        input id=(name) name=(name) type=(kind) value=(value) autocomplete=(autocomplete)
            aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| &id)];
        @if let Some(error) = error { p.error id=(id) { (error) } }
    }
}

/// Renders a field to choose one of several values, each with a label.
pub(super) fn choice(name: &str, label: &str, all: &[(&str, String)], chosen: &str, error: Option<&str>) -> Markup {
    let id = format!("{name}-error");
    html! {
        label for=(name) { (label) }
        select id=(name) name=(name) aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| &id)] {
            @for (word, text) in all { option value=(word) selected[*word == chosen] { (text) } }
        }
        @if let Some(error) = error { p.error id=(id) { (error) } }
    }
}

/// The error message of a field, if the failure has one.
pub(super) fn said<'a>(failure: Option<&'a Failure>, field: &str) -> Option<&'a str> {
    failure?.errors.iter().find(|error| error.field == field).map(|error| error.message.as_str())
}

/// Renders an alert about the failure of a form.
pub(super) fn alert(failure: Option<&Failure>) -> Markup {
    html! {
        @if let Some(failure) = failure {
            p.error role="alert" {
                @if failure.errors.is_empty() { (failure.detail) } @else { "Nothing is saved yet: something does not fit." }
            }
        }
    }
}

impl Visitor {
    /// Shows a page again after a failed form, with the typed values and the errors.
    pub(super) fn again(&self, place: &Place, failure: &Failure, content: Result<Markup, Failure>) -> Response {
        let status = StatusCode::from_u16(failure.code.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
        match content {
            Ok(content) => self.page_as(status, place.name, Some(place), &content),
            Err(failure) => self.failed(&failure),
        }
    }
}
