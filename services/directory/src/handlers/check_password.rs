use std::sync::Arc;

use contracts::{
    Action, Actor, AuditSubject, CheckPassword, Code, Email, EmployeeId, Failure, LoggedIn, PASSWORD_MOST, Secret,
    created,
};
use kit::{Call, Error, Origin};

use crate::{
    App, WAIT,
    domain::{Employee, Guess, RefreshToken, Session, composed},
    hasher::{HashedPassword, Verdict},
    throttle::Attempt,
};

/// Logs an employee in: checks the password and starts a session.
///
/// An unknown address, an account without a password and a deactivated account are handled like a
/// wrong password: the same queries, one verification, the same answer. So neither the answer nor
/// its duration reveals whether an address has an account. Each failure is recorded in the audit
/// trail.
pub(crate) async fn check_password(app: Arc<App>, _call: Call, request: CheckPassword) -> Result<LoggedIn, Error> {
    let attempt = app.throttle.may_try(Guess::Password(&request.email)).await?;
    let outcome = check(&app, &attempt, &request).await;
    attempt.settle(&outcome).await;
    outcome
}

async fn check(app: &App, attempt: &Attempt, request: &CheckPassword) -> Result<LoggedIn, Error> {
    // The typed text is recorded as a hash, because people mistype their address, and some type
    // their password into this field.
    let unknown = AuditSubject::hashed("address", &request.email.trim().to_lowercase());
    if composed(request.password.expose()).chars().count() > PASSWORD_MOST {
        app.db.audit(Action::LoginFailed, unknown).await?;
        return Err(wrong().into());
    }
    let employee = match Email::parse(&request.email) {
        Ok(email) => app.store.employees.with_email(&email).await?,
        Err(_) => None,
    };
    let nobody = EmployeeId(uuid::Uuid::nil());
    let hashed = app.store.credentials.password(employee.as_ref().map_or(nobody, |e| e.id)).await?;
    let verdict = app.hasher.verify(attempt.turn(), request.password.clone(), hashed.clone()).await?;
    let subject = employee.as_ref().map_or(unknown, |employee| AuditSubject::new("employee", employee.id));
    match employee.filter(Employee::is_active) {
        Some(employee) if verdict != Verdict::Wrong => {
            if verdict == Verdict::RightButOutdated {
                hash_anew(app, employee.id, request.password.clone(), hashed).await;
            }
            let Some(wanted) = request.session.clone() else {
                kit::set_actor(Actor::Person { employee: employee.id, session: None });
                app.db.audit(Action::LoginSucceeded, subject).await?;
                return Ok(employee.logged_in(None));
            };
            let token = wanted.refresh.then(|| RefreshToken::first(kit::random_bytes(), kit::random_bytes()));
            let (address, now) = (Origin::current().address, app.clock.now());
            let session = Session::start(kit::new_id(), &employee, wanted, token.as_ref(), address, now);
            kit::set_actor(Actor::Person { employee: employee.id, session: Some(session.id) });
            kit::change!(app.db.awaited(WAIT), tx => {
                app.store.sessions.insert(tx, &session).await?;
                tx.audit(Action::LoginSucceeded, subject.clone(), created(&session.shown(None))).await
            })?;
            Ok(employee.logged_in(Some(session.started(token.map(|token| token.text())))))
        }
        _ => {
            app.db.audit(Action::LoginFailed, subject).await?;
            Err(wrong().into())
        }
    }
}

/// Hashes the password with today's parameters and stores the hash. A failure is harmless: the next
/// log-in tries again.
async fn hash_anew(app: &App, employee: EmployeeId, password: Secret, old: Option<HashedPassword>) {
    let Some(old) = old else { return };
    let stored = match app.hasher.hash(password).await {
        Ok(hashed) => app.store.credentials.replace(employee, &old, hashed).await,
        Err(error) => Err(error),
    };
    if let Err(error) = stored {
        tracing::warn!(%error, "a password is still stored as it was hashed before");
    }
}

fn wrong() -> Failure {
    Failure::new(Code::Unauthorized, "The e-mail address or the password is wrong.")
}
