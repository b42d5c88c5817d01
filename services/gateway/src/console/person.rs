//! The page of one employee: account, role and work.

use std::collections::BTreeMap;

use axum::response::Response;
use contracts::{
    Adjustment, DeactivateEmployee, Email, Employee, EmployeeChanges, EmployeeId, Failure, Filter, GetEmployee,
    GetTime, Grouping, InviteEmployee, Label, Name, Permission, ReactivateEmployee, Resource, Role, Scope, SetRole,
    UpdateEmployee,
};
use futures::try_join;
use jiff::{ToSpan, civil::Date};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    adjustments,
    approvals::from_person,
    charts::{Figure, figure, year},
    errors,
    forms::{Field, alert, field, said},
    no_rate,
    notice::{Done, notice},
    pay_periods::{self, days, decide, linked_state, may_decide, sums, sums_named},
    people::{role_name, state},
    places,
    visitor::Visitor,
};
use crate::{
    auth::ForManagers,
    error::Problem,
    extract::{Form, Params, PathId},
    names::Ids,
    periods::Period,
};

/// The smallest number of days in the heat map. The map begins with a whole week, so it may have up
/// to six days more.
const DAYS: i32 = 371;
/// The number of pay periods that are shown before the current one.
const PERIODS: usize = 5;

/// The form with the employee's name, e-mail address and title.
#[derive(Deserialize)]
pub(super) struct Filled {
    name: Option<String>,
    email: Option<String>,
    title: Option<String>,
}

/// The form with the employee's role.
#[derive(Deserialize)]
pub(super) struct FilledRole {
    role: Option<Role>,
}

/// Shows the page.
pub(super) async fn show(visitor: Visitor, PathId(id): PathId<EmployeeId>, params: Params) -> Response {
    match content(&visitor, id, &params, None, None).await {
        Ok((name, content)) => visitor.titled(&places::PERSON, &name, Ok(content)),
        Err(failure) => visitor.failed(&failure),
    }
}

/// Changes the employee's name, e-mail address and title.
pub(super) async fn update(
    visitor: Visitor,
    PathId(id): PathId<EmployeeId>,
    params: Params,
    Form(filled): Form<Filled>,
) -> Result<Response, Problem> {
    let outcome = visitor.submit(read(&filled).map(|changes| UpdateEmployee { id, changes, only_check: false })).await;
    Ok(match outcome {
        Ok(_) => errors::see(&places::person_after(id, Done::Saved)),
        Err(failure) => again(&visitor, id, &params, Some(&filled), &failure).await,
    })
}

fn read(filled: &Filled) -> Result<EmployeeChanges, Failure> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let title = text(&filled.title);
    Ok(EmployeeChanges {
        name: Some(Name::parse(&text(&filled.name)).map_err(|error| Failure::field("name", error))?),
        email: Some(Email::parse(&text(&filled.email)).map_err(|error| Failure::field("email", error))?),
        title: Some(match title.trim() {
            "" => None,
            title => Some(Label::parse(title).map_err(|error| Failure::field("title", error))?),
        }),
    })
}

/// Changes the employee's role.
pub(super) async fn set_role(
    visitor: Visitor,
    PathId(id): PathId<EmployeeId>,
    params: Params,
    Form(filled): Form<FilledRole>,
) -> Result<Response, Problem> {
    let Some(role) = filled.role else { return Err(Failure::field("role", "must be given").into()) };
    Ok(after(&visitor, id, &params, SetRole { id, role }, Done::Saved).await)
}

/// Sends a new invitation by mail.
pub(super) async fn invite(visitor: Visitor, PathId(id): PathId<EmployeeId>, params: Params) -> Response {
    after(&visitor, id, &params, InviteEmployee { id }, Done::Invited).await
}

/// Deactivates the employee.
pub(super) async fn deactivate(visitor: Visitor, PathId(id): PathId<EmployeeId>, params: Params) -> Response {
    after(&visitor, id, &params, DeactivateEmployee { id }, Done::Deactivated).await
}

/// Reactivates the employee.
pub(super) async fn reactivate(visitor: Visitor, PathId(id): PathId<EmployeeId>, params: Params) -> Response {
    after(&visitor, id, &params, ReactivateEmployee { id }, Done::Reactivated).await
}

async fn after<R: ForManagers>(visitor: &Visitor, id: EmployeeId, params: &Params, request: R, done: Done) -> Response {
    match visitor.ask(request).await {
        Ok(_) => errors::see(&places::person_after(id, done)),
        Err(failure) => again(visitor, id, params, None, &failure).await,
    }
}

async fn again(
    visitor: &Visitor,
    id: EmployeeId,
    params: &Params,
    filled: Option<&Filled>,
    failure: &Failure,
) -> Response {
    let content = content(visitor, id, params, filled, Some(failure)).await.map(|(_, content)| content);
    visitor.again(&places::PERSON, failure, content)
}

async fn content(
    visitor: &Visitor,
    id: EmployeeId,
    params: &Params,
    filled: Option<&Filled>,
    failure: Option<&Failure>,
) -> Result<(String, Markup), Failure> {
    let reader = &visitor.reader;
    let today = reader.day(visitor.app.clock.now());
    let misfit = || Failure::field("day", "must be a day of the calendar");
    let first = reader.week(today.checked_sub((DAYS - 1).days()).map_err(|_| misfit())?);
    let count = (today - first).get_days() + 1;
    let by_day = GetTime {
        range: reader.days(first, count).ok_or_else(misfit)?,
        group_by: [Grouping::Day].into(),
        timezone: reader.zone.clone(),
        filter: Filter { employees: vec![id], ..Filter::default() },
        after: None,
    };
    let periods = async {
        match visitor.may(Scope::read(Resource::Periods)) {
            true => pay_periods::latest(visitor, &visitor.asker, id, PERIODS).await,
            false => Ok(Vec::new()),
        }
    };
    let (employee, times, periods) =
        try_join!(visitor.ask(GetEmployee { id }), visitor.ask_if(Resource::Analytics, by_day), periods)?;
    let periods = periods_shown(visitor, id, &periods).await;
    let times = times.map(|page| page.items).unwrap_or_default();
    let days: BTreeMap<Date, i64> = times.iter().filter_map(|row| Some((row.day?, row.time))).collect();
    let may_change = visitor.may(Scope::write(Resource::Employees));
    let content = html! {
        (notice(params))
        p { (state(visitor, &employee)) " " span.tag { (role_name(employee.role)) } " " (employee.email) }
        @if let Some(detail) = employee.invitation.as_ref().and_then(|invitation| invitation.detail.as_ref()) {
            p.error { (detail) }
        }
        (alert(failure))
        @if may_change { (invited(visitor, &employee)) }
        section { (worked(visitor, first, today, &days)) }
        (periods)
        @if may_change { (change(visitor, &employee, filled, failure)) (account(visitor, &employee)) }
        @if visitor.may(Scope::write(Resource::Keys)) { (roles(visitor, &employee)) }
        (computers(visitor, &employee))
    };
    Ok((employee.name.to_string(), content))
}

fn worked(visitor: &Visitor, first: Date, today: Date, days: &BTreeMap<Date, i64>) -> Markup {
    let reader = &visitor.reader;
    let total: i64 = days.values().sum();
    if total == 0 {
        return html! { h2 { "The last year" } p.empty { "No time is recorded in it." } };
    }
    let sentence = format!("{} hours on {} days.", reader.hours(total), reader.count(days.len()));
    let table = html! {
        table {
            thead { tr { th scope="col" { "Day" } th.number scope="col" { "Hours" } } }
            tbody { @for (day, time) in days.iter().rev() { tr {
                td { a href={ (visitor.address(places::DAY.path)) "?day=" (day) } { (reader.date(*day)) } }
                td.number { (reader.hours(*time)) }
            } } }
            tfoot { tr { th scope="row" { "All" } td.number { (reader.hours(total)) } } }
        }
    };
    let drawing = year(first, today, days, |day, time| format!("{}: {}", reader.date(day), reader.hours(time)));
    figure(Figure { title: "The last year", sentence: &sentence, drawing, table })
}

/// Renders the employee's pay periods, with the forms to decide about them and the adjustments that
/// count in them.
async fn periods_shown(visitor: &Visitor, id: EmployeeId, periods: &[Period]) -> Markup {
    if periods.is_empty() {
        return html! {};
    }
    let late: Vec<Adjustment> = periods.iter().flat_map(|period| period.late.clone()).collect();
    let mut ids = Ids::default();
    adjustments::want(&mut ids, &late);
    let (names, settings) = (visitor.names(ids).await, visitor.app.organisation.settings().await);
    let (reader, from, may_decide) = (&visitor.reader, from_person(id), may_decide(visitor));
    html! {
        section {
            h2 { "Pay periods" }
            div.wide tabindex="0" role="region" aria-label="Pay periods" { table {
                thead { tr {
                    th scope="col" { "From – to" } th scope="col" { "State" } (sums_named(reader))
                    @if may_decide { th scope="col" { "Decide" } }
                } }
                tbody { @for period in periods { tr {
                    @let days = days(reader, &settings.timezone, period);
                    th scope="row" {
                        a href={ (visitor.address(places::APPROVALS.path)) "?day=" (period.id.first) } { (days) }
                    }
                    td.text { (linked_state(visitor, period)) }
                    (sums(reader, period))
                    @if may_decide { td { (decide(visitor, period, &days, &from)) } }
                } } }
            } }
            (no_rate::hint(visitor, periods.iter().map(|period| (period.time, period.costs))))
        }
        (adjustments::section(visitor, &late, &names, "Hours that came late", true))
    }
}

fn change(visitor: &Visitor, employee: &Employee, filled: Option<&Filled>, failure: Option<&Failure>) -> Markup {
    let typed = |of: fn(&Filled) -> &Option<String>, stored: &str| {
        filled.and_then(|filled| of(filled).clone()).unwrap_or_else(|| stored.to_owned())
    };
    let title = employee.title.as_ref().map_or("", Label::as_str);
    let taken = failure.filter(|failure| failure.code == contracts::Code::EmailTaken).map(|f| f.detail.as_str());
    let input =
        |name, label, kind, value: &str, error| field(&Field { name, label, kind, value, autocomplete: "off", error });
    html! {
        section {
            h2 { "Name, e-mail and title" }
            form method="post" action=(visitor.address(&places::person_action(employee.id, "update"))) {
                (input("name", "Name", "text", &typed(|f| &f.name, employee.name.as_str()), said(failure, "name")))
                (input("email", "E-mail", "email", &typed(|f| &f.email, employee.email.as_str()), taken.or(said(failure, "email"))))
                (input("title", "Title", "text", &typed(|f| &f.title, title), said(failure, "title")))
                p { button type="submit" { "Save" } }
            }
        }
    }
}

/// Renders the form that sends a new invitation, if the account is not activated yet. It comes
/// first, because it is the usual reason for opening the page of such an employee.
fn invited(visitor: &Visitor, employee: &Employee) -> Markup {
    html! {
        @if !employee.is_active && employee.deactivated_at.is_none() {
            section {
                h2 { "Invitation" }
                form method="post" action=(visitor.address(&places::person_action(employee.id, "invite"))) {
                    p { "The account is not activated yet. A new invitation replaces the older one." }
                    p { button type="submit" { "Send a new invitation" } }
                }
            }
        }
    }
}

fn account(visitor: &Visitor, employee: &Employee) -> Markup {
    let action = |word| visitor.address(&places::person_action(employee.id, word));
    html! {
        section {
            h2 { "Account" }
            @if employee.deactivated_at.is_some() {
                form method="post" action=(action("reactivate")) {
                    p { "Reactivated, they log in with their old password and are on no project." }
                    button type="submit" { "Reactivate" }
                }
            } @else {
                details {
                    summary { "Deactivate " (employee.name) "…" }
                    form method="post" action=(action("deactivate")) {
                        p { "They are taken off every project and task at once, and logged out everywhere. Recorded hours stay." }
                        button.grave type="submit" { "Deactivate" }
                    }
                }
            }
        }
    }
}

fn roles(visitor: &Visitor, employee: &Employee) -> Markup {
    html! {
        section {
            h2 { "Role" }
            form method="post" action=(visitor.address(&places::person_action(employee.id, "role"))) {
                label for="role" { "What they may do" }
                select #role name="role" aria-describedby="role-hint" {
                    @for role in Role::ALL {
                        option value=(format!("{role:?}").to_lowercase()) selected[role == employee.role] { (role_name(role)) }
                    }
                }
                p.hint #role-hint { "Owners may do everything, admins everything but keys and roles, auditors look only, managers look and decide about the hours of the teams that they manage, employees see themselves. Another role logs them out." }
                p { button type="submit" { "Save the role" } }
            }
        }
    }
}

fn computers(visitor: &Visitor, employee: &Employee) -> Markup {
    let word = |permission| match permission {
        Permission::Authorized => html! { span.tag.good { "allowed" } },
        Permission::Denied => html! { span.tag.bad { "denied" } },
        Permission::Undetermined => html! { span.tag { "not asked yet" } },
    };
    html! {
        section {
            h2 { "Computers" }
            @if employee.system_permissions.is_empty() {
                p.empty { "The desktop app has not told of any computer yet." }
            } @else {
                div.wide tabindex="0" role="region" aria-label="Computers" { table {
                    thead { tr { th scope="col" { "Computer" } th scope="col" { "Accessibility" } th scope="col" { "Screen recording" } th scope="col" { "Told" } } }
                    tbody { @for entry in &employee.system_permissions { tr {
                        th.text scope="row" { (entry.computer) }
                        td { (word(entry.permissions.accessibility)) }
                        td { (word(entry.permissions.screen_and_system_audio_recording)) }
                        td { @if let Some(at) = entry.updated_at { (visitor.reader.moment(at)) } }
                    } } }
                } }
            }
        }
    }
}
