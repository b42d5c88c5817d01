use std::sync::Arc;

use contracts::{Action, Caller, Code, Failure, MailSays, MintMail, MintedMail};
use kit::{Call, Error, Tx};

use super::{audit, save, send};
use crate::{
    App, WAIT,
    domain::{About, Employee, Mail, TokenHash, token_of},
};

/// Returns the recipient and the content of a mail. If the mail has a link, makes a token for it
/// and stores the token's hash. None for a mail that need not be sent: its address is unknown, it
/// is too late or useless after another change, or an invitation is mailed instead.
pub(crate) async fn mint_mail(app: Arc<App>, call: Call, request: MintMail) -> Result<Option<MintedMail>, Error> {
    if call.caller != Caller::Service {
        return Err(Failure::new(Code::Forbidden, "Only the mailer may do this.").into());
    }
    let (now, token) = (app.clock.now(), token_of(kit::random_bytes()));
    kit::change!(app.db.awaited(WAIT), tx => {
        let Some(mut mail) = app.store.mails.load(tx, request.mail_id).await? else { return Ok(None) };
        let Some(to) = mail.to.clone() else { return Ok(None) };
        let Some(employee) = app.store.employees.load(tx, to.employee).await? else { return Ok(None) };
        if mail.about == About::Reset && employee.awaits_activation() {
            invite_instead(&app, tx, mail, employee).await?;
            return Ok(None);
        }
        if !mail.is_wanted(&employee, now) {
            return Ok(None);
        }
        let mint = |mail: &mut Mail| (token.clone(), mail.add_token(TokenHash::of(&token), now));
        let says = match mail.about {
            About::Reset => {
                let (token, expires_at) = mint(&mut mail);
                MailSays::Reset { token, expires_at }
            }
            About::Confirmation => {
                let (token, expires_at) = mint(&mut mail);
                MailSays::Confirmation { token, expires_at }
            }
            About::PasswordChanged => MailSays::PasswordChanged,
            About::AddressChanged => MailSays::AddressChanged,
        };
        app.store.mails.save(tx, mail).await?;
        Ok(Some(MintedMail { name: employee.name, email: to.email, says }))
    })
}

/// Mails a new invitation to an employee who has requested a new password but has never set one.
async fn invite_instead(app: &App, tx: &mut Tx<'_>, mut mail: Mail, mut employee: Employee) -> Result<(), Error> {
    if mail.closed_at.is_some() {
        return Ok(());
    }
    let (was, now) = (employee.clone(), app.clock.now());
    mail.closed_at = Some(now);
    let invitation = employee.invite(kit::new_id(), now)?;
    app.store.mails.save(tx, mail).await?;
    send(app, tx, &employee, invitation).await?;
    save(app, tx, &employee).await?;
    audit(tx, Action::EmployeeInvited, was, &employee).await
}
