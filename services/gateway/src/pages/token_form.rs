use contracts::{Email, Secret};
use maud::{Markup, html};
use serde::Deserialize;

/// The submitted form of a page behind a link in a mail.
#[derive(Deserialize)]
pub(crate) struct Filled {
    pub(super) token: Option<Secret>,
    pub(super) password: Option<Secret>,
}

/// The form of a page behind a link in a mail: the token in a hidden field, the e-mail address, and
/// a field for a password.
pub(super) fn token_form(action: &str, token: &Secret, email: &Email, password: &Markup, button: &str) -> Markup {
    html! {
        form method="post" action=(action) {
            input type="hidden" name="token" value=(token.expose());
            label for="email" { "E-mail, to log in with" }
            input #email type="email" value=(email) autocomplete="username" readonly;
            (password)
            button type="submit" { (button) }
        }
    }
}
