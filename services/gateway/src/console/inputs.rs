//! Form fields for pages with several forms. The HTML id of each field begins with the name of its
//! form.

use std::fmt::Display;

use axum::{http::StatusCode, response::Response};
use contracts::{Code, Conditional, Failure, FieldError, Given, IfMatch, Label, Note, Tag};
use maud::{Markup, html};

use super::{forms, places::Place, visitor::Visitor};

/// A field of a form.
#[derive(Clone, Copy, Default)]
pub(super) struct Input<'a> {
    /// The name of the form. It makes the id of the field unique, because several forms on a page
    /// may have fields with the same name.
    pub(super) form: &'a str,
    pub(super) name: &'a str,
    pub(super) label: &'a str,
    /// The value that the field shows.
    pub(super) value: &'a str,
    /// The error message below the field.
    pub(super) error: Option<&'a str>,
    pub(super) hint: Option<&'a str>,
}

impl Input<'_> {
    fn id(&self) -> String {
        format!("{}-{}", self.form, self.name)
    }

    /// The ids of the HTML elements with the error and the hint, for `aria-describedby`.
    fn described(&self) -> Option<String> {
        let id = self.id();
        let said = [self.error.map(|_| format!("{id}-error")), self.hint.map(|_| format!("{id}-hint"))];
        let said: Vec<String> = said.into_iter().flatten().collect();
        (!said.is_empty()).then(|| said.join(" "))
    }

    fn around(&self, field: &Markup) -> Markup {
        let id = self.id();
        html! {
            label for=(id) { (self.label) }
            (field)
            @if let Some(error) = self.error { p.error id={ (id) "-error" } { (error) } }
            @if let Some(hint) = self.hint { p.hint id={ (id) "-hint" } { (hint) } }
        }
    }

    /// Renders a field for one line of text.
    pub(super) fn line(&self) -> Markup {
        self.typed("text")
    }

    /// Renders a field for a decimal amount. Its text is shown exactly as it was typed.
    pub(super) fn amount(&self) -> Markup {
        self.typed("decimal")
    }

    fn typed(&self, mode: &str) -> Markup {
        self.around(&html! {
            input id=(self.id()) name=(self.name) type="text" inputmode=(mode) value=(self.value) autocomplete="off"
                aria-invalid=[self.error.map(|_| "true")] aria-describedby=[self.described()];
        })
    }

    /// Renders a field for a day, which must be filled in.
    pub(super) fn day(&self) -> Markup {
        self.dated(true)
    }

    /// Renders a field for a day, which may be empty.
    pub(super) fn any_day(&self) -> Markup {
        self.dated(false)
    }

    fn dated(&self, required: bool) -> Markup {
        self.around(&html! {
            input id=(self.id()) name=(self.name) type="date" value=(self.value) required[required]
                aria-invalid=[self.error.map(|_| "true")] aria-describedby=[self.described()];
        })
    }

    /// Renders a field for a text of several lines.
    pub(super) fn lines(&self, rows: usize) -> Markup {
        self.around(&html! {
            // Browsers drop a line break at the beginning of a `textarea`. Without the added one, a
            // text that begins with a line break would lose it.
            textarea id=(self.id()) name=(self.name) rows=(rows)
                aria-invalid=[self.error.map(|_| "true")] aria-describedby=[self.described()] { "\n" (self.value) }
        })
    }

    /// Renders a field to choose one of these values, each with its label.
    pub(super) fn choice(&self, options: &[(String, String)]) -> Markup {
        self.around(&html! {
            select id=(self.id()) name=(self.name)
                aria-invalid=[self.error.map(|_| "true")] aria-describedby=[self.described()] {
                @for (value, label) in options { option value=(value) selected[value == self.value] { (label) } }
            }
        })
    }

    /// Renders a field to choose one of these words. If the current word is no longer among them,
    /// it is added, so that it stays until another is chosen.
    pub(super) fn word(&self, words: &[Label]) -> Markup {
        let mut options: Vec<(String, String)> =
            words.iter().map(|word| (word.to_string(), word.to_string())).collect();
        if !self.value.is_empty() && !options.iter().any(|(word, _)| word == self.value) {
            options.push((self.value.to_owned(), format!("{} (the project no longer has it)", self.value)));
        }
        self.choice(&options)
    }
}

/// The function that returns a field of a submitted form.
type Typed<F> = fn(&F) -> &Option<String>;

/// The values of a form that changes an item. After a failure, the page shows the typed values
/// again.
pub(super) struct Fields<'a, const N: usize> {
    /// The name of the form.
    form: &'static str,
    /// The typed values. Before a form was submitted, these are the stored values.
    values: [String; N],
    /// After a change was refused because another request had changed the item: hints with the
    /// stored values that differ from the typed ones.
    hints: [Option<String>; N],
    failure: Option<&'a Failure>,
}

impl<'a, const N: usize> Fields<'a, N> {
    /// Builds the values from pairs: a function that returns the field of the submitted form, and
    /// the stored value.
    pub(super) fn of<F>(form: &'static str, tried: Option<(&F, &'a Failure)>, fields: [(Typed<F>, String); N]) -> Self {
        let failure = tried.map(|(_, failure)| failure);
        let values = fields.each_ref().map(|(field, now)| match tried {
            Some((filled, _)) => text(field(filled)).to_owned(),
            None => now.clone(),
        });
        let hints = std::array::from_fn(|n| stored(failure, &values[n], &fields[n].1));
        Self { form, values, hints, failure }
    }

    /// The field with the index `n`. It shows `hint` unless it already has a hint about its stored
    /// value.
    pub(super) fn input<'b>(&'b self, n: usize, name: &'b str, label: &'b str, hint: Option<&'b str>) -> Input<'b> {
        let hint = self.hints[n].as_deref().or(hint);
        Input { form: self.form, name, label, value: &self.values[n], error: beside(self.failure, name), hint }
    }
}

/// Renders a check box.
pub(super) fn tick(name: &str, label: &str, ticked: bool) -> Markup {
    html! { p { label.choice { input type="checkbox" name=(name) value="yes" checked[ticked]; " " (label) } } }
}

/// Renders a hidden field with the ETag of the state that the form shows. A change is refused if
/// the state has changed since.
pub(super) fn seen(tag: &Tag) -> Markup {
    html! { input type="hidden" name="seen" value=(tag.as_str()); }
}

/// Makes a change conditional: it is refused if the item has changed since the form was shown. A
/// form without `seen` changes the item in any case.
pub(super) fn on_seen<R>(seen: Option<&String>, change: R) -> Conditional<R> {
    let tags = seen.filter(|seen| !seen.is_empty()).map(|seen| vec![Tag::sent(seen)]);
    Conditional { change, if_match: IfMatch(tags) }
}

/// Collects the errors of form fields that are read one after the other.
#[derive(Default)]
pub(super) struct Misfits(Vec<FieldError>);

impl Misfits {
    /// Returns the value of a field if it is valid. Otherwise records the error.
    pub(super) fn take<T>(&mut self, field: &str, read: Result<T, impl Display>) -> Option<T> {
        read.map_err(|error| self.0.push(FieldError { field: field.to_owned(), message: error.to_string() })).ok()
    }

    /// Fails with the recorded errors, if there are any.
    pub(super) fn check(self) -> Result<(), Failure> {
        if self.0.is_empty() { Ok(()) } else { Err(Failure::fields(self.0)) }
    }
}

/// The typed text of a field; empty when the form lacks the field.
pub(super) fn text(field: &Option<String>) -> &str {
    field.as_deref().unwrap_or_default()
}

/// Reads a text of several lines, with the line ends of browsers (CR LF) converted; `None` if the
/// text is empty.
pub(super) fn note(typed: &str) -> Result<Option<Note>, contracts::InvalidText> {
    let note = Note::parse(&typed.replace("\r\n", "\n"))?;
    Ok(if note.as_str().is_empty() { None } else { Some(note) })
}

/// Reads words, one from each line.
pub(super) fn words(typed: &str) -> Result<Vec<Label>, String> {
    let lines = typed.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.enumerate().map(|(n, line)| Label::given(line).map_err(|error| format!("{error} (word {})", n + 1))).collect()
}

/// Writes words as text, one on each line.
pub(super) fn typed(words: &[Label]) -> String {
    words.iter().map(Label::as_str).collect::<Vec<_>>().join("\n")
}

/// The error message of a field, from the failure's field errors or from a failure code that
/// belongs to this field.
pub(super) fn beside<'a>(failure: Option<&'a Failure>, field: &str) -> Option<&'a str> {
    let of_rule = || failure.filter(|failure| field_of(failure.code) == Some(field)).map(|f| f.detail.as_str());
    forms::said(failure, field).or_else(of_rule)
}

fn field_of(code: Code) -> Option<&'static str> {
    match code {
        Code::UnknownStatus => Some("status"),
        Code::UnknownPriority => Some("priority"),
        Code::UnknownProject | Code::ProjectArchived => Some("project"),
        Code::UnknownEmployee | Code::EmployeeDeactivated | Code::NotOnProject => Some("employee"),
        _ => None,
    }
}

/// Renders an alert about the failure of a form.
pub(super) fn alert(failure: Option<&Failure>) -> Markup {
    if failure.is_some_and(|failure| failure.code == Code::PreconditionFailed) {
        return html! {
            p.error role="alert" {
                "Somebody changed this meanwhile, so nothing is saved yet. The page shows it as it is now; what you typed "
                "still stands in its form. Look at both, and send it again if it should still be so."
            }
        };
    }
    forms::alert(failure)
}

/// A hint with the stored value, if a change was refused because another request had changed the
/// item, and the stored value differs from what was typed.
pub(super) fn stored(failure: Option<&Failure>, typed: &str, stored: &str) -> Option<String> {
    let is_stale = failure.is_some_and(|failure| failure.code == Code::PreconditionFailed);
    let same = typed.lines().eq(stored.lines());
    (is_stale && !same).then(|| format!("Now it is: {}", if stored.is_empty() { "nothing" } else { stored }))
}

impl Visitor {
    /// Shows a page that has its own title again after a failed form, with the typed values and the
    /// errors.
    pub(super) fn titled_again(
        &self,
        place: &Place,
        failure: &Failure,
        content: Result<(String, Markup), Failure>,
    ) -> Response {
        let status = StatusCode::from_u16(failure.code.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
        match content {
            Ok((title, content)) => self.page_as(status, &title, Some(place), &content),
            Err(failure) => self.failed(&failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_lines_and_what_does_not_fit_is_counted() {
        let read = |typed: &str| words(typed).map(|words| words.iter().map(Label::to_string).collect::<Vec<_>>());
        assert_eq!(read("To Do\r\n\r\n  Done \n"), Ok(vec!["To Do".to_owned(), "Done".to_owned()]));
        assert_eq!(read(" \n"), Ok(Vec::new()));
        let misfit = read(&format!("Fine\n{}", "x".repeat(256))).expect_err("too long");
        assert!(misfit.contains("255") && misfit.ends_with("(word 2)"), "{misfit}");
    }

    #[test]
    fn what_is_stored_is_told_only_after_a_change_by_somebody_else() {
        let stale = Failure::new(Code::PreconditionFailed, "");
        assert_eq!(stored(Some(&stale), "a\r\nb", "a\nb"), None);
        assert_eq!(stored(Some(&stale), "a", "b"), Some("Now it is: b".to_owned()));
        assert_eq!(stored(Some(&Failure::field("name", "")), "a", "b"), None);
        assert_eq!(stored(None, "a", "b"), None);
    }
}
