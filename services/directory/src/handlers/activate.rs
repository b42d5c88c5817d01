use std::sync::Arc;

use contracts::{Action, Activate, Actor, AuditSubject, Code, Failure, Invitation};
use kit::{Call, Error};

use super::{audit, require_hard_to_guess, save};
use crate::{
    App, WAIT,
    domain::{Guess, TokenHash, fitting},
};

/// Activates the account that a token belongs to. A token works only once: of two concurrent
/// requests, the transaction of one conflicts, and finds the token used when it runs again.
///
/// The length of the password is checked first, because that takes no time. The token is checked
/// before the strength and the hashing of the password, so that only somebody with a valid token
/// can cause this work. A request with a weak password leaves the token valid.
pub(crate) async fn activate(app: Arc<App>, _call: Call, request: Activate) -> Result<contracts::Employee, Error> {
    fitting("password", &request.password)?;
    let attempt = app.throttle.may_try(Guess::Token(&request.token)).await?;
    let outcome = accept(&app, request).await;
    attempt.settle(&outcome).await;
    outcome
}

async fn accept(app: &App, request: Activate) -> Result<contracts::Employee, Error> {
    let (token, now) = (TokenHash::of(&request.token), app.clock.now());
    let Some(invitation) = app.store.invitations.with_token(&token).await? else {
        return Err(refused(app, AuditSubject::hashed("token", request.token.expose())).await);
    };
    let employee = app.store.employees.get(invitation.employee).await?.ok_or_else(invalid_token)?;
    if !matches!(invitation.look_at(&token, &employee, now), Invitation::Open { .. }) {
        return Err(refused(app, AuditSubject::new("employee", employee.id)).await);
    }
    require_hard_to_guess("password", &request.password, &employee).await?;
    kit::set_actor(Actor::Person { employee: employee.id, session: None });
    let hashed = app.hasher.hash(request.password).await?;
    let employee = kit::change!(app.db.awaited(WAIT), tx => {
        let mut employee = app.store.employees.load(tx, employee.id).await?.ok_or_else(invalid_token)?;
        let mut invitation = app.store.invitations.load(tx, invitation.id).await?.ok_or_else(invalid_token)?;
        if !matches!(invitation.look_at(&token, &employee, now), Invitation::Open { .. }) {
            return Err(invalid_token().into());
        }
        let was = employee.clone();
        invitation.used_at = Some(now);
        employee.activate(now);
        app.store.invitations.save(tx, invitation).await?;
        app.store.credentials.insert(tx, employee.id, hashed.clone(), now).await?;
        save(app, tx, &employee).await?;
        audit(tx, Action::EmployeeActivated, was, &employee).await?;
        Ok(employee)
    })?;
    Ok(employee.shown())
}

/// Records an attempt with an invalid token in the audit trail. Returns the error for the answer.
async fn refused(app: &App, of: AuditSubject) -> Error {
    app.db.audit(Action::ActivationFailed, of).await.err().unwrap_or_else(|| invalid_token().into())
}

fn invalid_token() -> Failure {
    Failure::new(Code::InvalidToken, "This link is wrong, used or expired. Ask your admin for a new invitation.")
}
