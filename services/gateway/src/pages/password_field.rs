use contracts::{Failure, PASSWORD_LEAST};
use maud::{Markup, html};

/// Shows what is typed for as long as its box is checked, and hides it before it is sent: browsers keep
/// what stands in a plain field. Without scripts there is no box, and the field works as ever.
pub(super) const SCRIPT: &str = "
for (const box of document.querySelectorAll('input[data-shows]')) {
  const field = document.getElementById(box.dataset.shows);
  box.parentElement.hidden = false;
  box.addEventListener('change', () => { field.type = box.checked ? 'text' : 'password'; });
  field.form.addEventListener('submit', () => { field.type = 'password'; });
}
";

/// The field for a password that is to be set, with why the last one was refused.
pub(super) fn new_password(weak: Option<&Failure>) -> Markup {
    html! {
        label for="password" { "Password" }
        input #password type="password" name="password" autocomplete="new-password" required autofocus
            minlength=(PASSWORD_LEAST) aria-describedby="hint" aria-invalid=[weak.map(|_| "true")];
        (show_box())
        p.hint #hint { "At least " (PASSWORD_LEAST) " characters. Three or four words that do not belong together do well." }
    }
}

/// The field for the password that somebody has.
pub(super) fn own_password(wrong: bool) -> Markup {
    html! {
        label for="password" { "Password" }
        input #password type="password" name="password" autocomplete="current-password" required autofocus
            aria-invalid=[wrong.then_some("true")];
        (show_box())
    }
}

/// What is said above the form of a password that is too weak.
pub(super) fn refused(weak: Option<&Failure>) -> Markup {
    html! {
        @if let Some(failure) = weak {
            p.error #error role="alert" { "This password cannot be taken: it " (why(failure)) "." }
        }
    }
}

fn show_box() -> Markup {
    html! {
        label.show hidden { input type="checkbox" data-shows="password" autocomplete="off"; " Show the password" }
    }
}

/// What is wrong with a password, as the field's message says it.
fn why(failure: &Failure) -> &str {
    failure.errors.first().map_or("must have 12 to 128 characters", |error| error.message.as_str())
}
