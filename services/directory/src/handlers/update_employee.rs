use std::sync::Arc;

use contracts::{Action, Conditional, Failure, UpdateEmployee};
use kit::{Call, Error};

use super::{audit, email_taken, grants, is_taken, post, require, require_no_higher, save, send};
use crate::{
    App, WAIT,
    domain::{About, Mail},
};

/// Changes an employee. A new address makes all earlier links invalid. An employee without a
/// password gets a new invitation at the new address. An employee with a password can log in with
/// the new address at once, gets a link to confirm the address there (unless the address has
/// reached its limit of mails), and a notice at the former address. A deactivated employee gets no
/// mail.
///
/// With `only_check`, nothing is written, and the answer shows the employee as the change would
/// make them.
pub(crate) async fn update_employee(
    app: Arc<App>,
    call: Call,
    Conditional { change: request, if_match }: Conditional<UpdateEmployee>,
) -> Result<contracts::Employee, Error> {
    call.require_admin()?;
    let (now, fresh) = (app.clock.now(), kit::new_id());
    let maker = grants(&app, &call).await?;
    let employee = kit::change!(app.db.awaited(WAIT), tx => {
        let loaded = app.store.employees.load(tx, request.id).await?;
        let mut employee = loaded.ok_or_else(|| Failure::not_found("employee"))?;
        require(&if_match, &employee)?;
        let was = employee.clone();
        let has_moved = employee.update(request.changes.clone())?;
        if has_moved {
            require_no_higher(&maker, &was)?;
        }
        if request.only_check {
            let taken = has_moved && app.store.employees.with_email(&employee.email).await?.is_some();
            return if taken { Err(is_taken().into()) } else { Ok(employee) };
        }
        if has_moved && employee.awaits_activation() {
            let invitation = employee.put_invitation(fresh, now);
            send(&app, tx, &employee, invitation).await?;
        }
        if has_moved && employee.is_active() {
            app.store.mails.close(tx, employee.id, now).await?;
            post(&app, tx, Mail::to(About::AddressChanged, &employee, was.email.clone(), now)).await?;
        }
        // An admin can send the same address again, so that the link to confirm it is mailed again.
        let is_asked = request.changes.email.is_some() && employee.email_unconfirmed && employee.is_active();
        if is_asked && app.store.mail_bounds.take(tx, &employee.email.key(), now).await? {
            post(&app, tx, Mail::new(About::Confirmation, &employee, now)).await?;
        }
        save(&app, tx, &employee).await?;
        audit(tx, Action::EmployeeUpdated, was, &employee).await?;
        Ok(employee)
    })
    .map_err(email_taken)?;
    Ok(employee.shown())
}
