use std::sync::Arc;

use contracts::{Action, AuditSubject, Email, ForgotPassword};
use kit::{Call, Error};
use serde_json::Value;

use super::post;
use crate::{
    App, WAIT,
    domain::{Guess, Mail},
};

/// Has a link mailed with which somebody sets a new password; an admin need not be asked.
///
/// For an address that nobody here has the same is looked up and written as for any other, down to a
/// mail that is then sent to nobody. So neither the answer nor the time it takes tells who is known
/// here. Past the bound of an address nothing is written but the entry of the audit trail, whoever it is.
pub(crate) async fn forgot_password(app: Arc<App>, _call: Call, request: ForgotPassword) -> Result<(), Error> {
    let attempt = app.throttle.may_try(Guess::Mail(&request.email)).await?;
    let outcome = ask(&app, request).await;
    // Each mail that is asked for stays counted: nothing shows whether it was right to ask.
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
        // People mistype, and some type a password.
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
