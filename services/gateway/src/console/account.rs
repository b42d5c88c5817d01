//! The page of the visitor's own account: sessions and password.

use axum::response::Response;
use contracts::{
    Caller, ChangePassword, EndOtherSessions, EndSession, Failure, ListSessions, Request, Secret, Session, SessionId,
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    errors,
    forms::{Field, alert, field, said},
    notice::{Done, notice},
    places,
    visitor::Visitor,
};
use crate::{
    error::Problem,
    extract::{Form, Params, required},
};

/// The form that changes the password.
#[derive(Deserialize)]
pub(super) struct FilledPassword {
    old: Option<Secret>,
    new: Option<Secret>,
}

/// The form that ends a session.
#[derive(Deserialize)]
pub(super) struct Chosen {
    id: Option<SessionId>,
}

/// Shows the page.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = content(&visitor, &params, None).await;
    visitor.page(&places::ACCOUNT, content)
}

/// Changes the visitor's password. The current session stays valid.
pub(super) async fn change_password(
    visitor: Visitor,
    params: Params,
    Form(filled): Form<FilledPassword>,
) -> Result<Response, Problem> {
    let none = || Secret::new("");
    let (old, new) = (filled.old.unwrap_or_else(none), filled.new.unwrap_or_else(none));
    let request = ChangePassword { id: visitor.employee, old, new };
    Ok(after(&visitor, &params, request, Done::PasswordChanged).await)
}

/// Ends one of the visitor's sessions.
pub(super) async fn end_session(
    visitor: Visitor,
    params: Params,
    Form(chosen): Form<Chosen>,
) -> Result<Response, Problem> {
    let id = required("id", chosen.id)?;
    Ok(after(&visitor, &params, EndSession { id }, Done::SessionEnded).await)
}

/// Ends all sessions of the visitor except the current one.
pub(super) async fn end_others(visitor: Visitor, params: Params) -> Response {
    after(&visitor, &params, EndOtherSessions {}, Done::SessionsEnded).await
}

async fn after<R: Request>(visitor: &Visitor, params: &Params, request: R, done: Done) -> Response {
    match visitor.app.ask(own(visitor), &request).await {
        Ok(_) => errors::see(&places::after(places::ACCOUNT.path, done)),
        Err(failure) => {
            let content = content(visitor, params, Some(&failure)).await;
            visitor.again(&places::ACCOUNT, &failure, content)
        }
    }
}

/// The visitor as an employee who acts for themselves, whatever their role.
fn own(visitor: &Visitor) -> Caller {
    Caller::Employee(visitor.employee)
}

async fn content(visitor: &Visitor, params: &Params, failure: Option<&Failure>) -> Result<Markup, Failure> {
    let sessions = visitor.app.ask(own(visitor), &ListSessions {}).await?;
    let has_others = sessions.iter().any(|session| !session.current);
    Ok(html! {
        (notice(params))
        (alert(failure))
        section {
            h2 { "Where you are logged in" }
            div.wide tabindex="0" role="region" aria-label="Sessions" { (table(visitor, &sessions)) }
            @if has_others {
                form method="post" action=(visitor.address(places::END_OTHERS.path)) {
                    p.hint { "The desktop app is one of them: ended, it asks for your password again." }
                    p { button.quiet type="submit" { "End all but this one" } }
                }
            }
        }
        section { (password(visitor, failure)) }
    })
}

fn table(visitor: &Visitor, sessions: &[Session]) -> Markup {
    let reader = &visitor.reader;
    html! {
        table {
            thead { tr {
                th scope="col" { "Program" } th scope="col" { "From" } th scope="col" { "Logged in" }
                th scope="col" { "Last seen" } th scope="col" { "End it" }
            } }
            tbody { @for session in sessions { tr {
                th.text scope="row" { @if let Some(agent) = &session.agent { (agent) } @else { "unknown" } }
                td { @if let Some(address) = &session.address { (address) } }
                td { (reader.moment(session.created_at)) }
                td { (reader.moment(session.last_seen_at)) }
                td {
                    @if session.current {
                        span.tag.good { "this one" }
                    } @else {
                        form method="post" action=(visitor.address(places::END_SESSION.path)) {
                            input type="hidden" name="id" value=(session.id);
                            button.quiet type="submit" { "End" span.unseen { " the session of " (reader.moment(session.created_at)) } }
                        }
                    }
                }
            } } }
        }
    }
}

fn password(visitor: &Visitor, failure: Option<&Failure>) -> Markup {
    let input = |name, label, autocomplete| {
        field(&Field { name, label, kind: "password", value: "", autocomplete, error: said(failure, name) })
    };
    html! {
        h2 { "Password" }
        form method="post" action=(visitor.address(places::PASSWORD.path)) {
            (input("old", "The password of today", "current-password"))
            (input("new", "The one from now on", "new-password"))
            p.hint { "At least 12 characters: three or four words do well. Everybody else who is logged in as you is logged out." }
            p { button type="submit" { "Change the password" } }
        }
    }
}
