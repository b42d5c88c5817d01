//! The handlers of requests.

mod activate;
mod change_password;
mod check_password;
mod confirm_email;
mod create_api_key;
mod create_employee;
mod create_team;
mod deactivate_employee;
mod delete_team;
mod end_other_sessions;
mod end_session;
mod forgot_password;
mod get_api_key;
mod get_employee;
mod get_employee_states;
mod get_invitation;
mod get_link;
mod get_mail_address;
mod get_names;
mod get_reach;
mod get_team;
mod grants;
mod invite_employee;
mod list_api_keys;
mod list_employee_states;
mod list_employees;
mod list_managers;
mod list_roster;
mod list_sessions;
mod list_teams;
mod log_out;
mod mailed_link;
mod mark_key_used;
mod mark_sessions_seen;
mod mint_mail;
mod mint_token;
mod reactivate_employee;
mod refresh_session;
mod reset_password;
mod revoke_api_key;
mod send_reset;
mod sessions;
mod set_permissions;
mod set_role;
mod team_members;
mod update_employee;
mod update_team;

use contracts::{
    AccountChanged, Action, ApiKeyChanged, AuditSubject, Code, Failure, IfMatch, InvitationRequested, MailRequested,
    Scopes, Secret,
};
use kit::{Error, Tx};

use crate::{
    App,
    domain::{ApiKey, Employee, Invitation, Mail, hard_to_guess},
};

pub(crate) use activate::activate;
pub(crate) use change_password::change_password;
pub(crate) use check_password::check_password;
pub(crate) use confirm_email::confirm_email;
pub(crate) use create_api_key::create_api_key;
pub(crate) use create_employee::create_employee;
pub(crate) use create_team::create_team;
pub(crate) use deactivate_employee::deactivate_employee;
pub(crate) use delete_team::delete_team;
pub(crate) use end_other_sessions::end_other_sessions;
pub(crate) use end_session::end_session;
pub(crate) use forgot_password::forgot_password;
pub(crate) use get_api_key::get_api_key;
pub(crate) use get_employee::get_employee;
pub(crate) use get_employee_states::get_employee_states;
pub(crate) use get_invitation::get_invitation;
pub(crate) use get_link::get_link;
pub(crate) use get_mail_address::get_mail_address;
pub(crate) use get_names::{get_key_names, get_names};
pub(crate) use get_reach::{get_reach, get_team_members};
pub(crate) use get_team::get_team;
pub(crate) use invite_employee::invite_employee;
pub(crate) use list_api_keys::list_api_keys;
pub(crate) use list_employee_states::list_employee_states;
pub(crate) use list_employees::list_employees;
pub(crate) use list_managers::list_managers;
pub(crate) use list_roster::{count_undelivered, list_roster};
pub(crate) use list_sessions::list_sessions;
pub(crate) use list_teams::list_teams;
pub(crate) use log_out::log_out;
pub(crate) use mark_key_used::mark_key_used;
pub(crate) use mark_sessions_seen::mark_sessions_seen;
pub(crate) use mint_mail::mint_mail;
pub(crate) use mint_token::mint_token;
pub(crate) use reactivate_employee::reactivate_employee;
pub(crate) use refresh_session::refresh_session;
pub(crate) use reset_password::reset_password;
pub(crate) use revoke_api_key::revoke_api_key;
pub(crate) use send_reset::send_reset;
pub(crate) use set_permissions::set_permissions;
pub(crate) use set_role::set_role;
pub(crate) use update_employee::update_employee;
pub(crate) use update_team::update_team;

use grants::grants;
use sessions::end_sessions;
use team_members::{check_managers, name_taken, set_members};

/// Stores a changed employee, and emits the event about the change.
async fn save(app: &App, tx: &mut Tx<'_>, employee: &Employee) -> Result<(), Error> {
    app.store.employees.save(tx, employee).await?;
    tx.emit(&employee.changed()).await
}

/// Refuses a change if the request's condition (If-Match) does not hold, because the employee has
/// changed since the caller read them.
fn require(if_match: &IfMatch, employee: &Employee) -> Result<(), Failure> {
    if_match.require(|| employee.clone().shown().tag())
}

/// Records a change of an employee in the audit trail.
async fn audit(tx: &mut Tx<'_>, action: Action, was: Employee, employee: &Employee) -> Result<(), Error> {
    let changes = contracts::changed(&was.shown(), &employee.clone().shown());
    tx.audit(action, AuditSubject::new("employee", employee.id), changes).await
}

/// Stores a new invitation, and emits the event that makes the mailer send it.
async fn send(app: &App, tx: &mut Tx<'_>, employee: &Employee, invitation: Invitation) -> Result<(), Error> {
    let requested =
        InvitationRequested { invitation_id: invitation.id, employee_id: employee.id, version: employee.version };
    app.store.invitations.insert(tx, invitation).await?;
    tx.emit(&requested).await
}

/// Stores a mail, and emits the event that makes the mailer send it.
async fn post(app: &App, tx: &mut Tx<'_>, mail: Mail) -> Result<(), Error> {
    let requested = MailRequested { mail_id: mail.id };
    app.store.mails.insert(tx, mail).await?;
    tx.emit(&requested).await
}

/// Refuses a password that is easy to guess for somebody who knows the employee. The check runs on
/// a blocking thread, because it takes milliseconds.
async fn require_hard_to_guess(field: &'static str, password: &Secret, employee: &Employee) -> Result<(), Error> {
    let (password, employee) = (password.clone(), employee.clone());
    let judged = tokio::task::spawn_blocking(move || hard_to_guess(field, &password, &employee)).await;
    Ok(judged.map_err(anyhow::Error::from)??)
}

/// Refuses to change the address or the password of an employee with more rights than the caller.
/// Otherwise the caller could take over that account.
fn require_no_higher(maker: &Scopes, employee: &Employee) -> Result<(), Failure> {
    if maker.include(&employee.role.scopes()) {
        return Ok(());
    }
    let detail = "You may not do this for somebody whose role allows more than you may do.";
    Err(Failure::new(Code::MissingScope, detail))
}

/// Writes the state of a key into the KV bucket that gateways watch, as the consumer of the event
/// about the key also does. Waits until no gateway uses an older state.
async fn until_key_is_known(app: &App, key: &ApiKey) -> Result<(), Error> {
    let entry = ApiKeyChanged::entry_key(key.id);
    let revision = app.revocations.keep(&entry, &key.changed(), |key| key.version).await?;
    app.revocations.until_all_know(&entry, revision).await;
    Ok(())
}

/// Writes the state of an account into the KV bucket that gateways watch, as the consumer of the
/// event about the account also does. Waits until no gateway uses an older state.
async fn until_account_is_known(app: &App, employee: &Employee) -> Result<(), Error> {
    let entry = AccountChanged::entry_key(employee.id);
    let revision = app.revocations.keep(&entry, &employee.account_changed(), |account| account.version).await?;
    app.revocations.until_all_know(&entry, revision).await;
    Ok(())
}

/// Turns a duplicate key into the failure `EmailTaken`: a change of an employee can violate no
/// other unique key.
fn email_taken(error: Error) -> Error {
    match error {
        Error::Mongo(error) if kit::mongo::is_duplicate(&error) => is_taken().into(),
        error => error,
    }
}

fn is_taken() -> Failure {
    Failure::new(Code::EmailTaken, "Another employee has this e-mail address.")
}
