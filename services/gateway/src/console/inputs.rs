//! Fields of forms that share a page with other forms: each knows the form that it belongs to.

use std::fmt::Display;

use axum::{http::StatusCode, response::Response};
use contracts::{Code, Conditional, Failure, FieldError, Given, IfMatch, Label, Note, Tag};
use maud::{Markup, html};

use super::{forms, places::Place, visitor::Visitor};

/// A field of a form.
#[derive(Clone, Copy, Default)]
pub(super) struct Input<'a> {
    /// What the form is called: two forms of a page may have fields of the same name.
    pub(super) form: &'a str,
    pub(super) name: &'a str,
    pub(super) label: &'a str,
    /// What stands in it.
    pub(super) value: &'a str,
    /// What is wrong with it.
    pub(super) error: Option<&'a str>,
    pub(super) hint: Option<&'a str>,
}

impl Input<'_> {
    fn id(&self) -> String {
        format!("{}-{}", self.form, self.name)
    }

    /// The ids of what is said about it.
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

    /// As a line of text.
    pub(super) fn line(&self) -> Markup {
        self.typed("text")
    }

    /// As an amount, in whatever way it was typed.
    pub(super) fn amount(&self) -> Markup {
        self.typed("decimal")
    }

    fn typed(&self, mode: &str) -> Markup {
        self.around(&html! {
            input id=(self.id()) name=(self.name) type="text" inputmode=(mode) value=(self.value) autocomplete="off"
                aria-invalid=[self.error.map(|_| "true")] aria-describedby=[self.described()];
        })
    }

    /// As a day.
    pub(super) fn day(&self) -> Markup {
        self.dated(true)
    }

    /// As a day that may be left out.
    pub(super) fn any_day(&self) -> Markup {
        self.dated(false)
    }

    fn dated(&self, required: bool) -> Markup {
        self.around(&html! {
            input id=(self.id()) name=(self.name) type="date" value=(self.value) required[required]
                aria-invalid=[self.error.map(|_| "true")] aria-describedby=[self.described()];
        })
    }

    /// As a text of several lines.
    pub(super) fn lines(&self, rows: usize) -> Markup {
        self.around(&html! {
            // A first line break would be dropped by browsers.
            textarea id=(self.id()) name=(self.name) rows=(rows)
                aria-invalid=[self.error.map(|_| "true")] aria-describedby=[self.described()] { "\n" (self.value) }
        })
    }

    /// As a choice among these, each with its label.
    pub(super) fn choice(&self, options: &[(String, String)]) -> Markup {
        self.around(&html! {
            select id=(self.id()) name=(self.name)
                aria-invalid=[self.error.map(|_| "true")] aria-describedby=[self.described()] {
                @for (value, label) in options { option value=(value) selected[value == self.value] { (label) } }
            }
        })
    }

    /// As a choice among words; a word that is no longer among them stays until another is chosen.
    pub(super) fn word(&self, words: &[Label]) -> Markup {
        let mut options: Vec<(String, String)> =
            words.iter().map(|word| (word.to_string(), word.to_string())).collect();
        if !self.value.is_empty() && !options.iter().any(|(word, _)| word == self.value) {
            options.push((self.value.to_owned(), format!("{} (the project no longer has it)", self.value)));
        }
        self.choice(&options)
    }
}

/// A box to tick.
pub(super) fn tick(name: &str, label: &str, ticked: bool) -> Markup {
    html! { p { label.choice { input type="checkbox" name=(name) value="yes" checked[ticked]; " " (label) } } }
}

/// The state that the reader of a form has seen.
pub(super) fn seen(tag: &Tag) -> Markup {
    html! { input type="hidden" name="seen" value=(tag.as_str()); }
}

/// A change on the condition that the thing is still as the reader of a form has seen it.
pub(super) fn on_seen<R>(seen: Option<&String>, change: R) -> Conditional<R> {
    let tags = seen.filter(|seen| !seen.is_empty()).map(|seen| vec![Tag::sent(seen)]);
    Conditional { change, if_match: IfMatch(tags) }
}

/// Fields that are read one by one, with all that is wrong with them.
#[derive(Default)]
pub(super) struct Misfits(Vec<FieldError>);

impl Misfits {
    /// What a field says, if it fits.
    pub(super) fn take<T>(&mut self, field: &str, read: Result<T, impl Display>) -> Option<T> {
        read.map_err(|error| self.0.push(FieldError { field: field.to_owned(), message: error.to_string() })).ok()
    }

    /// Refuses the form if any field does not fit.
    pub(super) fn check(self) -> Result<(), Failure> {
        if self.0.is_empty() { Ok(()) } else { Err(Failure::fields(self.0)) }
    }
}

/// What was typed into a field; nothing is an empty text.
pub(super) fn text(field: &Option<String>) -> &str {
    field.as_deref().unwrap_or_default()
}

/// A text of several lines, which browsers send with another line end; nothing where it is empty.
pub(super) fn note(typed: &str) -> Result<Option<Note>, contracts::InvalidText> {
    let note = Note::parse(&typed.replace("\r\n", "\n"))?;
    Ok(if note.as_str().is_empty() { None } else { Some(note) })
}

/// Words, one a line.
pub(super) fn words(typed: &str) -> Result<Vec<Label>, String> {
    let lines = typed.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.enumerate().map(|(n, line)| Label::given(line).map_err(|error| format!("{error} (word {})", n + 1))).collect()
}

/// Words as they are typed.
pub(super) fn typed(words: &[Label]) -> String {
    words.iter().map(Label::as_str).collect::<Vec<_>>().join("\n")
}

/// What is wrong with a field, also where the API names the rule and not the field.
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

/// What is wrong with a form as a whole.
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

/// What is stored, where somebody has changed it meanwhile into something else than was typed.
pub(super) fn stored(failure: Option<&Failure>, typed: &str, stored: &str) -> Option<String> {
    let is_stale = failure.is_some_and(|failure| failure.code == Code::PreconditionFailed);
    let same = typed.lines().eq(stored.lines());
    (is_stale && !same).then(|| format!("Now it is: {}", if stored.is_empty() { "nothing" } else { stored }))
}

impl Visitor {
    /// A page with a title of its own once more, with what somebody has typed and what is wrong with it.
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
