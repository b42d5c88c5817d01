use std::sync::Arc;

use contracts::{Action, AuditSubject, Code, Failure, SendReset};
use kit::{Call, Error};
use serde_json::Value;

use super::{grants, post, require_no_higher};
use crate::{
    App, WAIT,
    domain::{About, Employee, Mail},
};

/// Mails a link to set a new password, at an admin's request. The address need not be confirmed.
pub(crate) async fn send_reset(app: Arc<App>, call: Call, request: SendReset) -> Result<(), Error> {
    call.require_admin()?;
    let (now, maker) = (app.clock.now(), grants(&app, &call).await?);
    kit::change!(app.db.awaited(WAIT), tx => {
        let loaded = app.store.employees.load(tx, request.id).await?;
        let employee = loaded.ok_or_else(|| Failure::not_found("employee"))?;
        require_active(&employee)?;
        require_no_higher(&maker, &employee)?;
        if !app.store.mail_bounds.take(tx, &employee.email.key(), now).await? {
            let detail = "This address was sent three such mails within the last hour. Try again later.";
            return Err(Failure::new(Code::TooManyRequests, detail).into());
        }
        post(&app, tx, Mail::new(About::Reset, &employee, now)).await?;
        tx.audit(Action::ResetRequested, AuditSubject::new("employee", employee.id), None::<Value>).await
    })
}

fn require_active(employee: &Employee) -> Result<(), Failure> {
    if employee.is_active() {
        return Ok(());
    }
    Err(if employee.awaits_activation() {
        Failure::new(Code::NotActive, "This employee has not activated the account yet: send a new invitation.")
    } else {
        Failure::new(Code::EmployeeDeactivated, "This employee is deactivated: reactivate first.")
    })
}
