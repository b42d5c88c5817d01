use std::sync::Arc;

use contracts::{Action, Actor, Code, Failure, LinkTo, ResetPassword};
use kit::{Call, Error};

use super::{audit, end_sessions, mailed_link::MailedLink, post, require_hard_to_guess, save, until_account_is_known};
use crate::{
    App, WAIT,
    domain::{About, Guess, Mail, fitting},
};

/// Sets a new password with the token of a mailed link. The token works only once: of two
/// concurrent requests, the transaction of one conflicts, and finds the token used when it runs
/// again. Ends all other links and all sessions.
///
/// As in an activation, cheap checks come first, and a request with a weak password leaves the link
/// valid.
pub(crate) async fn reset_password(
    app: Arc<App>,
    _call: Call,
    request: ResetPassword,
) -> Result<contracts::Employee, Error> {
    fitting("password", &request.password)?;
    let attempt = app.throttle.may_try(Guess::Token(&request.token)).await?;
    let outcome = reset(&app, request).await;
    attempt.settle(&outcome).await;
    outcome
}

async fn reset(app: &App, request: ResetPassword) -> Result<contracts::Employee, Error> {
    let now = app.clock.now();
    let link = MailedLink::find(app, &request.token, LinkTo::Reset, now).await?.ok_or_else(invalid_token)?;
    require_hard_to_guess("password", &request.password, &link.employee).await?;
    kit::set_actor(Actor::Person { employee: link.employee.id, session: None });
    let hashed = app.hasher.hash(request.password).await?;
    let employee = kit::change!(app.db.awaited(WAIT), tx => {
        let mut employee = link.load(app, tx, now).await?.ok_or_else(invalid_token)?;
        let was = employee.clone();
        // The link was mailed to this address, so whoever used it reads the mails there.
        employee.email_unconfirmed = false;
        end_sessions(app, tx, &mut employee, None).await?;
        app.store.credentials.set(tx, employee.id, hashed.clone(), now).await?;
        app.store.mails.close(tx, employee.id, now).await?;
        post(app, tx, Mail::new(About::PasswordChanged, &employee, now)).await?;
        save(app, tx, &employee).await?;
        audit(tx, Action::PasswordReset, was, &employee).await?;
        Ok(employee)
    })?;
    until_account_is_known(app, &employee).await?;
    Ok(employee.shown())
}

fn invalid_token() -> Failure {
    Failure::new(Code::InvalidToken, "This link is wrong, used or older than 30 minutes. Ask for a new one.")
}
