use std::sync::Arc;

use contracts::{Action, Actor, Code, ConfirmEmail, Failure, LinkTo};
use kit::{Call, Error};

use super::{audit, change_password::require_password, mailed_link::MailedLink, save};
use crate::{App, WAIT, domain::Guess};

/// Confirms a new address with the token of a link that was mailed to that address. The password
/// proves that the employee has followed the link, and not a stranger at a mistyped address.
pub(crate) async fn confirm_email(
    app: Arc<App>,
    _call: Call,
    request: ConfirmEmail,
) -> Result<contracts::Employee, Error> {
    let attempt = app.throttle.may_try(Guess::Token(&request.token)).await?;
    let outcome = confirm(&app, request).await;
    attempt.settle(&outcome).await;
    outcome
}

async fn confirm(app: &App, request: ConfirmEmail) -> Result<contracts::Employee, Error> {
    let now = app.clock.now();
    let link = MailedLink::find(app, &request.token, LinkTo::Confirmation, now).await?.ok_or_else(invalid_token)?;
    require_password(app, "password", &link.employee, request.password).await?;
    kit::set_actor(Actor::Person { employee: link.employee.id, session: None });
    let employee = kit::change!(app.db.awaited(WAIT), tx => {
        let mut employee = link.load(app, tx, now).await?.ok_or_else(invalid_token)?;
        let was = employee.clone();
        employee.confirm_email();
        app.store.mails.close(tx, employee.id, now).await?;
        save(app, tx, &employee).await?;
        audit(tx, Action::EmailConfirmed, was, &employee).await?;
        Ok(employee)
    })?;
    Ok(employee.shown())
}

fn invalid_token() -> Failure {
    let detail = "This link is wrong, used or too old. Ask your admin to send the address once more.";
    Failure::new(Code::InvalidToken, detail)
}
