use std::sync::Arc;

use contracts::{GetLink, Link};
use kit::{Call, Error};

use crate::{App, domain::TokenHash};

/// Says what the token in the link of a mail can be used for. This changes nothing, because mail
/// scanners follow links.
pub(crate) async fn get_link(app: Arc<App>, _call: Call, request: GetLink) -> Result<Link, Error> {
    let token = TokenHash::of(&request.token);
    let Some(mail) = app.store.mails.with_token(&token).await? else { return Ok(Link::Unknown) };
    let Some(to) = &mail.to else { return Ok(Link::Unknown) };
    let Some(employee) = app.store.employees.get(to.employee).await? else { return Ok(Link::Unknown) };
    Ok(mail.look_at(&token, request.to, &employee, app.clock.now()))
}
