//! What directory answers, each message in a file of its own.

mod activate;
mod check_password;
mod create_employee;
mod deactivate_employee;
mod get_employee;
mod get_invitation;
mod get_standings;
mod invite_employee;
mod list_employees;
mod mint_token;
mod reactivate_employee;
mod set_permissions;
mod update_employee;

use contracts::{Code, Failure, InvitationRequested};
use kit::{Error, Tx};

use crate::{
    App,
    domain::{Employee, Invitation},
};

pub(crate) use activate::activate;
pub(crate) use check_password::check_password;
pub(crate) use create_employee::create_employee;
pub(crate) use deactivate_employee::deactivate_employee;
pub(crate) use get_employee::get_employee;
pub(crate) use get_invitation::get_invitation;
pub(crate) use get_standings::get_standings;
pub(crate) use invite_employee::invite_employee;
pub(crate) use list_employees::list_employees;
pub(crate) use mint_token::mint_token;
pub(crate) use reactivate_employee::reactivate_employee;
pub(crate) use set_permissions::set_permissions;
pub(crate) use update_employee::update_employee;

/// Writes a changed employee, and tells of it.
async fn save(app: &App, tx: &mut Tx<'_>, employee: &Employee) -> Result<(), Error> {
    app.store.employees.save(tx, employee).await?;
    tx.emit(&employee.changed()).await
}

/// Writes a fresh invitation of an employee, and has it mailed.
async fn send(app: &App, tx: &mut Tx<'_>, employee: &Employee, invitation: Invitation) -> Result<(), Error> {
    let requested =
        InvitationRequested { invitation_id: invitation.id, employee_id: employee.id, version: employee.version };
    app.store.invitations.insert(tx, invitation).await?;
    tx.emit(&requested).await
}

/// The only unique key that a change can meet is the address.
fn email_taken(error: Error) -> Error {
    match error {
        Error::Mongo(error) if kit::mongo::is_duplicate(&error) => is_taken().into(),
        error => error,
    }
}

fn is_taken() -> Failure {
    Failure::new(Code::EmailTaken, "Another employee has this e-mail address.")
}
