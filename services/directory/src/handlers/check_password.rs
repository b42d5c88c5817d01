use std::sync::Arc;

use contracts::{CheckPassword, Code, Email, EmployeeId, Failure, LoggedIn, PASSWORD_MOST};
use kit::{Call, Error};

use crate::{App, domain::Employee};

/// Says who logs in, where the password is right.
///
/// An unknown address, an account without a password and a deactivated one take the same way as a
/// wrong password: the same look-ups, one verification, one answer. So neither the answer nor the
/// time it takes tells who is known here.
pub(crate) async fn check_password(app: Arc<App>, _call: Call, request: CheckPassword) -> Result<LoggedIn, Error> {
    if request.password.expose().chars().count() > PASSWORD_MOST {
        return Err(wrong().into());
    }
    let employee = match Email::parse(&request.email) {
        Ok(email) => app.store.employees.with_email(&email).await?,
        Err(_) => None,
    };
    let nobody = EmployeeId(uuid::Uuid::nil());
    let hashed = app.store.credentials.password(employee.as_ref().map_or(nobody, |e| e.id)).await?;
    let is_right = app.hasher.verify(request.password, hashed).await?;
    match employee.filter(Employee::is_active) {
        Some(employee) if is_right => Ok(employee.logged_in()),
        _ => Err(wrong().into()),
    }
}

fn wrong() -> Failure {
    Failure::new(Code::Unauthorized, "The e-mail address or the password is wrong.")
}
