use contracts::{Action, AuditSubject, Link, LinkTo, MailId, Millis, Secret};
use kit::{Error, Tx};

use crate::{
    App,
    domain::{Employee, Mail, TokenHash},
};

/// A valid link that was sent in a mail.
pub(super) struct MailedLink {
    token: TokenHash,
    to: LinkTo,
    mail: MailId,
    /// The employee whom the link was mailed to.
    pub(super) employee: Employee,
}

impl MailedLink {
    /// Finds the link with this token. If the link is not valid, records that in the audit trail
    /// and returns None.
    pub(super) async fn find(app: &App, token: &Secret, to: LinkTo, now: Millis) -> Result<Option<Self>, Error> {
        let (hash, unknown) = (TokenHash::of(token), AuditSubject::hashed("token", token.expose()));
        let refused = async |subject| {
            let action = match to {
                LinkTo::Reset => Action::ResetFailed,
                LinkTo::Confirmation => Action::ConfirmationFailed,
            };
            app.db.audit(action, subject).await.map(|()| None)
        };
        let Some(mail) = app.store.mails.with_token(&hash).await? else { return refused(unknown).await };
        let Some(recipient) = &mail.to else { return refused(unknown).await };
        let Some(employee) = app.store.employees.get(recipient.employee).await? else { return refused(unknown).await };
        let found = Self { token: hash, to, mail: mail.id, employee };
        match found.opens(&mail, &found.employee, now) {
            true => Ok(Some(found)),
            false => refused(AuditSubject::new("employee", found.employee.id)).await,
        }
    }

    /// Loads the employee in this transaction. None if the link is not valid any more.
    pub(super) async fn load(&self, app: &App, tx: &mut Tx<'_>, now: Millis) -> Result<Option<Employee>, Error> {
        let mail = app.store.mails.load(tx, self.mail).await?;
        let employee = app.store.employees.load(tx, self.employee.id).await?;
        Ok(mail.zip(employee).filter(|(mail, employee)| self.opens(mail, employee, now)).map(|(_, employee)| employee))
    }

    fn opens(&self, mail: &Mail, employee: &Employee, now: Millis) -> bool {
        matches!(mail.look_at(&self.token, self.to, employee, now), Link::Open { .. })
    }
}
