use std::sync::Arc;

use contracts::{Action, AuditSubject, Email, ForgotPassword};
use kit::{Call, Error};
use serde_json::Value;

use super::post;
use crate::{
    App, WAIT,
    domain::{Guess, Mail},
};

/// Mails a link to set a new password; to an unconfirmed address, a link to confirm the address.
///
/// An unknown address causes the same queries and writes as a known one, and even a stored mail
/// without a recipient. So neither the answer nor its duration reveals whether an address has an
/// account. Once an address has reached its limit of mails, no further mail is stored, whether the
/// address is known or not.
pub(crate) async fn forgot_password(app: Arc<App>, _call: Call, request: ForgotPassword) -> Result<(), Error> {
    let attempt = app.throttle.may_try(Guess::Mail(&request.email)).await?;
    let outcome = ask(&app, request).await;
    // A successful request stays counted as an attempt, because nothing proves that the sender owns
    // the account.
    if outcome.is_err() {
        attempt.settle(&outcome).await;
    }
    outcome
}

async fn ask(app: &App, request: ForgotPassword) -> Result<(), Error> {
    let now = app.clock.now();
    let (email, typed) = (Email::parse(&request.email).ok(), request.email.trim().to_lowercase());
    let employee = match &email {
        Some(email) => app.store.employees.with_email(email).await?,
        None => None,
    };
    let address = email.map_or(typed, |email| email.key());
    let subject = match &employee {
        Some(employee) => AuditSubject::new("employee", employee.id),
        // The typed text is recorded as a hash, because people mistype their address, and some type
        // their password into this field.
        None => AuditSubject::hashed("address", &address),
    };
    let mail = Mail::for_forgotten(employee.as_ref(), now);
    kit::change!(app.db.awaited(WAIT), tx => {
        if app.store.mail_bounds.take(tx, &address, now).await? {
            post(app, tx, mail.clone()).await?;
        }
        tx.audit(Action::PasswordForgotten, subject.clone(), None::<Value>).await
    })
}
