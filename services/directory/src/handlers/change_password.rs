use std::sync::Arc;

use contracts::{Action, AuditSubject, ChangePassword, Code, Failure, FieldError, PASSWORD_MOST, Secret};
use kit::{Call, Error};

use super::{audit, end_sessions, post, require_hard_to_guess, save, sessions::own, until_account_is_known};
use crate::{
    App, WAIT,
    domain::{About, Employee, Guess, Mail, composed, fitting},
    hasher::{HashedPassword, Verdict},
    throttle::Attempt,
};

/// Changes the password of the employee who sends the request, who must also give the old password.
/// Ends all other sessions.
pub(crate) async fn change_password(app: Arc<App>, call: Call, request: ChangePassword) -> Result<(), Error> {
    let (own, session) = own(&call)?;
    if own != request.id {
        return Err(Failure::new(Code::Forbidden, "Employees may do this for themselves only.").into());
    }
    fitting("new", &request.new)?;
    let employee = active(app.store.employees.get(request.id).await?)?;
    let old = require_password(&app, "old", &employee, request.old).await?;
    require_hard_to_guess("new", &request.new, &employee).await?;
    let (hashed, now) = (app.hasher.hash(request.new).await?, app.clock.now());
    let employee = kit::change!(app.db.awaited(WAIT), tx => {
        let mut employee = active(app.store.employees.load(tx, request.id).await?)?;
        // A link may have set another password in the meantime.
        if app.store.credentials.load(tx, employee.id).await?.as_ref() != Some(&old) {
            return Err(wrong("old").into());
        }
        let was = employee.clone();
        end_sessions(&app, tx, &mut employee, session).await?;
        app.store.credentials.set(tx, employee.id, hashed.clone(), now).await?;
        app.store.mails.close(tx, employee.id, now).await?;
        post(&app, tx, Mail::new(About::PasswordChanged, &employee, now)).await?;
        save(&app, tx, &employee).await?;
        audit(tx, Action::PasswordChanged, was, &employee).await?;
        Ok(employee)
    })?;
    until_account_is_known(&app, &employee).await
}

/// Checks the password of an employee, and returns the stored hash. Records each attempt with a
/// wrong password in the audit trail.
pub(super) async fn require_password(
    app: &App,
    field: &'static str,
    employee: &Employee,
    password: Secret,
) -> Result<HashedPassword, Error> {
    let attempt = app.throttle.may_try(Guess::Password(employee.email.as_str())).await?;
    let outcome = check(app, &attempt, field, employee, password).await;
    attempt.settle(&outcome).await;
    outcome
}

async fn check(
    app: &App,
    attempt: &Attempt,
    field: &'static str,
    employee: &Employee,
    password: Secret,
) -> Result<HashedPassword, Error> {
    let stored = app.store.credentials.password(employee.id).await?;
    let fits = composed(password.expose()).chars().count() <= PASSWORD_MOST;
    let verdict = match fits {
        true => app.hasher.verify(attempt.turn(), password, stored.clone()).await?,
        false => Verdict::Wrong,
    };
    match stored.filter(|_| verdict != Verdict::Wrong) {
        Some(stored) => Ok(stored),
        None => {
            app.db.audit(Action::PasswordRefused, AuditSubject::new("employee", employee.id)).await?;
            Err(wrong(field).into())
        }
    }
}

fn active(employee: Option<Employee>) -> Result<Employee, Failure> {
    employee.filter(Employee::is_active).ok_or_else(|| Failure::not_found("employee"))
}

fn wrong(field: &'static str) -> Failure {
    let errors = vec![FieldError { field: field.into(), message: "must be the password of this account".into() }];
    Failure { errors, ..Failure::new(Code::WrongPassword, "This is not the password of this account.") }
}
