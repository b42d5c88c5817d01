use contracts::{Failure, PASSWORD_LEAST};
use maud::{Markup, html};

/// The script of a password field. It shows the password as plain text while a box is checked. It
/// hides the password again before the form is submitted, because browsers remember the content of
/// plain text fields. Without JavaScript the box is hidden.
pub(super) const SCRIPT: &str = "
for (const box of document.querySelectorAll('input[data-shows]')) {
  const field = document.getElementById(box.dataset.shows);
  box.parentElement.hidden = false;
  box.addEventListener('change', () => { field.type = box.checked ? 'text' : 'password'; });
  field.form.addEventListener('submit', () => { field.type = 'password'; });
}
";

/// The field for a new password. It is marked as invalid if the previous attempt was refused.
pub(super) fn new_password(weak: Option<&Failure>) -> Markup {
    html! {
        label for="password" { "Password" }
        input #password type="password" name="password" autocomplete="new-password" required autofocus
            minlength=(PASSWORD_LEAST) aria-describedby="hint" aria-invalid=[weak.map(|_| "true")];
        (show_box())
        p.hint #hint { "At least " (PASSWORD_LEAST) " characters. Three or four words that do not belong together do well." }
    }
}

/// The field for the account's current password.
pub(super) fn own_password(wrong: bool) -> Markup {
    html! {
        label for="password" { "Password" }
        input #password type="password" name="password" autocomplete="current-password" required autofocus
            aria-invalid=[wrong.then_some("true")];
        (show_box())
    }
}

/// The message that a password was refused, which stands above the form.
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

/// The reason why a password was refused.
fn why(failure: &Failure) -> &str {
    failure.errors.first().map_or("must have 12 to 128 characters", |error| error.message.as_str())
}
