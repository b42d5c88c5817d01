//! The page with the list of employees, and the form that invites somebody.

use axum::response::Response;
use contracts::{
    CreateEmployee, DeliveryState, Email, Employee, Failure, ListEmployees, Name, Permission, Resource, Scope,
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    errors,
    forms::{Field, alert, field, said},
    notice::{Done, notice},
    pages::Pager,
    places,
    visitor::Visitor,
};
use crate::{
    error::Problem,
    extract::{Form, Params},
};

/// The number of employees on one page of the list.
const PEOPLE: usize = 100;
/// The largest number of employees that are read.
const MOST: usize = 20_000;

/// The form that invites somebody.
#[derive(Default, Deserialize)]
pub(super) struct Filled {
    name: Option<String>,
    email: Option<String>,
}

/// Shows the page.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = content(&visitor, &params, &Filled::default(), None).await;
    visitor.page(&places::PEOPLE, content)
}

/// Creates an employee, who gets an invitation by mail.
pub(super) async fn submit(visitor: Visitor, params: Params, Form(filled): Form<Filled>) -> Result<Response, Problem> {
    let created = visitor.submit(read(&filled)).await;
    Ok(match created {
        Ok(employee) => errors::see(&places::person_after(employee.id, Done::Created)),
        Err(failure) => {
            let content = content(&visitor, &params, &filled, Some(&failure)).await;
            visitor.again(&places::PEOPLE, &failure, content)
        }
    })
}

fn read(filled: &Filled) -> Result<CreateEmployee, Failure> {
    let name = Name::parse(filled.name.as_deref().unwrap_or_default()).map_err(|e| Failure::field("name", e))?;
    let email = Email::parse(filled.email.as_deref().unwrap_or_default()).map_err(|e| Failure::field("email", e))?;
    Ok(CreateEmployee { name, email })
}

async fn content(
    visitor: &Visitor,
    params: &Params,
    filled: &Filled,
    failure: Option<&Failure>,
) -> Result<Markup, Failure> {
    let sought = params.get::<String>("find", "must be text")?.unwrap_or_default();
    let (everybody, _) = visitor.first(ListEmployees::default(), MOST).await?;
    let mut people: Vec<Employee> = everybody.into_iter().filter(|employee| fits(employee, &sought)).collect();
    people.sort_by_cached_key(|employee| (employee.name.as_str().to_lowercase(), employee.id));
    let pager = Pager::of(params, people.len(), PEOPLE)?;
    let count = people.len();
    let people = pager.part(people);
    Ok(html! {
        (notice(params))
        @if visitor.may(Scope::write(Resource::Employees)) { (invite(visitor, filled, failure)) }
        form.row method="get" action=(visitor.address(places::PEOPLE.path)) role="search" {
            label { "Name, e-mail or title " input type="search" name="find" value=(sought); }
            button type="submit" { "Find" }
        }
        @if people.is_empty() {
            section { p.empty {
                @if sought.is_empty() { "Nobody is here yet. Invite the first employee above." } @else { "Nobody is found by that." }
            } }
        } @else {
            section.wide tabindex="0" role="region" aria-label="People" { (table(visitor, &people, count)) }
            (pager.links(visitor))
        }
    })
}

fn fits(employee: &Employee, sought: &str) -> bool {
    let sought = sought.to_lowercase();
    let title = employee.title.as_ref().map_or("", |title| title.as_str());
    [employee.name.as_str(), employee.email.as_str(), title].iter().any(|text| text.to_lowercase().contains(&sought))
}

fn table(visitor: &Visitor, people: &[Employee], count: usize) -> Markup {
    html! {
        table {
            caption { (visitor.reader.count(count)) " people" }
            thead { tr {
                th scope="col" { "Name" } th scope="col" { "E-mail" } th scope="col" { "Title" } th scope="col" { "Role" }
                th scope="col" { "State" } th scope="col" { "Computers" }
            } }
            tbody { @for employee in people { tr {
                th.text scope="row" { a href=(visitor.address(&places::person(employee.id))) { (employee.name) } }
                td.text { (employee.email) }
                td.text { @if let Some(title) = &employee.title { (title) } }
                td { (role_name(employee.role)) }
                td { (state(visitor, employee)) }
                td { (computers(employee)) }
            } } }
        }
    }
}

/// The name of a role.
pub(super) fn role_name(role: contracts::Role) -> String {
    format!("{role:?}")
}

/// Renders the state of an employee: deactivated, active, or what has become of the invitation.
pub(super) fn state(visitor: &Visitor, employee: &Employee) -> Markup {
    let date = |at| visitor.reader.date(visitor.reader.day(at));
    let mail = employee.invitation.as_ref().map(|invitation| invitation.state);
    html! {
        @if let Some(at) = employee.deactivated_at {
            span.tag { "Deactivated" } " since " (date(at))
        } @else if employee.is_active {
            span.tag.good { "Active" }
        } @else {
            @match mail {
                Some(DeliveryState::Failed) => span.tag.bad { "Mail failed" },
                Some(DeliveryState::Retrying) => span.tag.bad { "Mail is tried again" },
                Some(DeliveryState::Withdrawn) => span.tag.bad { "Not invited" },
                Some(DeliveryState::Queued) => span.tag { "Mail on its way" },
                Some(DeliveryState::Sent) | None => span.tag { "Invited" },
            }
            // The time is shown to the minute, so that a second invitation on the same day looks
            // different from the first.
            " since " (visitor.reader.moment(employee.invited))
        }
    }
}

/// The number of an employee's computers, with a warning if one of them denies the desktop app a
/// permission.
fn computers(employee: &Employee) -> Markup {
    let lacks = employee.system_permissions.iter().any(|entry| {
        let permissions = &entry.permissions;
        [permissions.accessibility, permissions.screen_and_system_audio_recording].contains(&Permission::Denied)
    });
    html! {
        (employee.system_permissions.len())
        @if lacks { " " span.tag.bad { "permission denied" } }
    }
}

fn invite(visitor: &Visitor, filled: &Filled, failure: Option<&Failure>) -> Markup {
    let input = |name, label, kind, value: &Option<String>, error| {
        field(&Field { name, label, kind, value: value.as_deref().unwrap_or_default(), autocomplete: "off", error })
    };
    let taken = failure.filter(|failure| failure.code == contracts::Code::EmailTaken).map(|f| f.detail.as_str());
    html! {
        section {
            details open[failure.is_some()] {
                summary { "Invite somebody" }
                form method="post" action=(visitor.address(places::PEOPLE.path)) {
                    (alert(failure))
                    (input("name", "Name", "text", &filled.name, said(failure, "name")))
                    (input("email", "E-mail", "email", &filled.email, taken.or(said(failure, "email"))))
                    p.hint { "They get a mail with a link, choose a password, and log in with the desktop app." }
                    p { button type="submit" { "Invite" } }
                }
            }
        }
    }
}
