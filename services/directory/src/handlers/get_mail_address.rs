use std::sync::Arc;

use contracts::{Caller, Code, Failure, GetMailAddress, MailAddress};
use kit::{Call, Error};

use crate::App;

/// Returns the address for mails about an employee's time. None if the employee is not active, or
/// if the address is not confirmed: it may be a stranger's.
pub(crate) async fn get_mail_address(
    app: Arc<App>,
    call: Call,
    request: GetMailAddress,
) -> Result<Option<MailAddress>, Error> {
    if call.caller != Caller::Service {
        return Err(Failure::new(Code::Forbidden, "Only the mailer may do this.").into());
    }
    let found = app.store.employees.get(request.employee_id).await?;
    let reachable = found.filter(|employee| employee.is_active() && !employee.email_unconfirmed);
    Ok(reachable.map(|employee| MailAddress { name: employee.name, email: employee.email }))
}
