//! The page of dated rates, either of one project or for all projects.

use std::collections::BTreeSet;

use axum::response::Response;
use contracts::{
    DatedRate, DeleteRate, EmployeeId, Failure, FieldError, GetProject, ListEmployees, ListRates, ListTasks, Project,
    ProjectId, RateId, RateKind, RateScope, Resource, Scope, SetRate, Task, TaskId, latest_first,
};
use jiff::civil::Date;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    employee_names, errors,
    inputs::{Input, Misfits, alert, beside, text},
    lanes, members,
    notice::{Done, notice},
    payroll, places, tasks,
    visitor::Visitor,
};
use crate::{
    extract::{Form, Params},
    names::{Ids, KnownNames},
};

/// The largest number of rates that are shown.
const MOST: usize = 2_000;

/// The form that sets a rate.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filled {
    project: Option<String>,
    employee: Option<String>,
    task: Option<String>,
    kind: Option<String>,
    amount: Option<String>,
    valid_from: Option<String>,
}

/// The form that deletes a rate.
#[derive(Deserialize)]
pub(super) struct Chosen {
    project: Option<String>,
    rate: Option<String>,
}

/// Shows the page.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = content(&visitor, &params, None).await;
    visitor.page(&places::RATES, content)
}

/// Sets a rate.
pub(super) async fn submit(visitor: Visitor, params: Params, Form(filled): Form<Filled>) -> Response {
    let outcome = visitor.submit(read(&filled)).await.map(drop);
    match outcome {
        Ok(()) => errors::see(&home(project_of(&filled.project), Done::Saved)),
        Err(failure) => {
            let content = content(&visitor, &params, Some((&filled, &failure))).await;
            visitor.again(&places::RATES, &failure, content)
        }
    }
}

/// Deletes a rate whose first day has not come yet.
pub(super) async fn delete(visitor: Visitor, params: Params, Form(chosen): Form<Chosen>) -> Response {
    let outcome = async {
        let must = "must be one of the rates";
        let id: RateId = text(&chosen.rate).parse().map_err(|_| Failure::field("rate", must))?;
        let timezone = visitor.app.organisation.settings().await.timezone.clone();
        visitor.ask(DeleteRate { id, timezone }).await
    };
    match outcome.await {
        Ok(()) => errors::see(&home(project_of(&chosen.project), Done::RateDeleted)),
        Err(failure) => {
            let filled = Filled { project: chosen.project.clone(), ..Filled::default() };
            let content = content(&visitor, &params, Some((&filled, &failure))).await;
            visitor.again(&places::RATES, &failure, content)
        }
    }
}

fn project_of(typed: &Option<String>) -> Option<ProjectId> {
    text(typed).parse().ok()
}

/// The path of the project's page or, without a project, of the page of rates, with the name of a
/// notice in the query.
fn home(project: Option<ProjectId>, done: Done) -> String {
    match project {
        Some(id) => places::project_after(id, done),
        None => places::after(places::RATES.path, done),
    }
}

fn read(filled: &Filled) -> Result<SetRate, Failure> {
    let mut misfits = Misfits::default();
    let id = "must be one of those";
    let employee = misfits.take("employee", chosen(&filled.employee).map_err(|()| id));
    let task = misfits.take("task", chosen(&filled.task).map_err(|()| id));
    let kind = misfits.take("kind", text(&filled.kind).parse::<RateKind>());
    let amount = misfits.take("amount", payroll::rate(text(&filled.amount)));
    let day = "must be a day such as 2026-03-01";
    let valid_from = misfits.take("validFrom", text(&filled.valid_from).trim().parse::<Date>().map_err(|_| day));
    misfits.check()?;
    let missing = |field: &str, message: &str| FieldError { field: field.to_owned(), message: message.to_owned() };
    let project = project_of(&filled.project);
    match (employee, task, kind, amount.flatten(), valid_from) {
        (Some(employee), Some(task), Some(kind), Some(amount), Some(valid_from)) => {
            let scope = RateScope { project, task, employee };
            Ok(SetRate { scope, kind, amount, valid_from })
        }
        _ => Err(Failure::fields(vec![missing("amount", "must be an amount an hour, such as 62.5")])),
    }
}

/// The chosen id; `None` if the rate is for everybody or for all tasks.
fn chosen<T: std::str::FromStr>(typed: &Option<String>) -> Result<Option<T>, ()> {
    match text(typed) {
        "" => Ok(None),
        id => id.parse().map(Some).map_err(|_| ()),
    }
}

type Attempt<'a> = Option<(&'a Filled, &'a Failure)>;

async fn content(visitor: &Visitor, params: &Params, attempt: Attempt<'_>) -> Result<Markup, Failure> {
    let asked: Option<ProjectId> = match attempt {
        Some((filled, _)) => project_of(&filled.project),
        None => params.get("projectId", "must be a project's id")?,
    };
    let section = match asked {
        Some(id) => {
            let tasks = async {
                let request = ListTasks { project_id: Some(id), after: None };
                let may = visitor.may(Scope::read(Resource::Tasks));
                if may { visitor.first(request, tasks::MOST).await } else { Ok(Default::default()) }
            };
            let (project, (tasks, _)) = futures::try_join!(visitor.ask(GetProject { id }), tasks)?;
            of_project(visitor, &project, &tasks, attempt).await?
        }
        None => everywhere(visitor, attempt).await?,
    };
    Ok(html! {
        (notice(params))
        (alert(attempt.map(|(_, failure)| failure)))
        p.hint {
            "Of an hour the most specific rate counts that has begun: of the task and the person, of the task, of the project and the person, of the project, of the person, of everything. "
            "A new rate counts for the hours that come; what is recorded keeps its own"
            @if visitor.may(Scope::write(Resource::Rates)) {
                ", unless you " a href=(visitor.address(places::REPRICE.path)) { "price it anew" }
            }
            "."
        }
        (section)
    })
}

/// Renders the section with the dated rates of a project and of its tasks.
pub(super) async fn of_project(
    visitor: &Visitor,
    project: &Project,
    tasks: &[Task],
    attempt: Attempt<'_>,
) -> Result<Markup, Failure> {
    let list = ListRates { projects: vec![project.id], ..ListRates::default() };
    let (rates, has_more) = visitor.first(list, MOST).await?;
    let employees = project.employees.iter().copied().chain(rates.iter().filter_map(|rate| rate.scope.employee));
    let ids = Ids {
        employees: employees.collect(),
        tasks: rates.iter().filter_map(|rate| rate.scope.task).collect(),
        ..Ids::default()
    };
    let names = visitor.names(ids).await;
    let people: Vec<(EmployeeId, String)> = employee_names::sorted(&names, &project.employees)
        .into_iter()
        .map(|id| (id, employee_names::name(&names, id).to_owned()))
        .collect();
    let shown = Shown { visitor, project: Some(project), people, tasks, names: &names, attempt };
    Ok(html! {
        section #dated-rates {
            h2 { "Rates from a day on" }
            p.hint { "The rates of people above are such rates too, each from the day on which it was set. " a href=(visitor.address(places::RATES.path)) { "Rates for all projects" } "." }
            (shown.table(rates, has_more).await)
            @if visitor.may(Scope::write(Resource::Rates)) { (shown.form()) }
        }
    })
}

/// Renders the section with the dated rates for all projects.
async fn everywhere(visitor: &Visitor, attempt: Attempt<'_>) -> Result<Markup, Failure> {
    let list = ListRates { everywhere: true, ..ListRates::default() };
    let everybody = async {
        let may = visitor.may(Scope::read(Resource::Employees)) && visitor.may(Scope::write(Resource::Rates));
        if may { visitor.first(ListEmployees::default(), members::MOST).await } else { Ok(Default::default()) }
    };
    let ((rates, has_more), (everybody, _)) = futures::try_join!(visitor.first(list, MOST), everybody)?;
    let employees: BTreeSet<EmployeeId> = rates.iter().filter_map(|rate| rate.scope.employee).collect();
    let names = visitor.names(Ids { employees, ..Ids::default() }).await;
    let mut people: Vec<(EmployeeId, String)> =
        everybody.iter().map(|employee| (employee.id, employee.name.to_string())).collect();
    people.sort_by_cached_key(|(id, name)| (name.to_lowercase(), *id));
    let shown = Shown { visitor, project: None, people, tasks: &[], names: &names, attempt };
    Ok(html! {
        section #dated-rates {
            h2 { "Rates for all projects" }
            (shown.table(rates, has_more).await)
            @if visitor.may(Scope::write(Resource::Rates)) { (shown.form()) }
        }
    })
}

/// The name of a kind of rate on the page.
fn kind_name(kind: RateKind) -> &'static str {
    match kind {
        RateKind::Bill => "An hour is billed with",
        RateKind::Pay => "An hour costs",
        RateKind::OvertimeBill => "An hour of overtime is billed with",
        RateKind::OvertimePay => "An hour of overtime costs",
    }
}

/// What is needed to show a list of rates, and the form that sets a rate.
struct Shown<'a> {
    visitor: &'a Visitor,
    project: Option<&'a Project>,
    people: Vec<(EmployeeId, String)>,
    tasks: &'a [Task],
    names: &'a KnownNames,
    attempt: Attempt<'a>,
}

impl Shown<'_> {
    async fn table(&self, mut rates: Vec<DatedRate>, has_more: bool) -> Markup {
        let (visitor, reader) = (self.visitor, &self.visitor.reader);
        let today = visitor.app.organisation.settings().await.timezone.day(visitor.app.clock.now());
        latest_first(&mut rates);
        let may_change = visitor.may(Scope::write(Resource::Rates));
        let state = |place: usize, rate: &DatedRate| {
            let next = place.checked_sub(1).and_then(|place| rates.get(place));
            let next = next.filter(|next| (next.scope, next.kind) == (rate.scope, rate.kind));
            match next {
                _ if rate.valid_from > today => html! { span.tag { "Not yet" } },
                Some(next) if next.valid_from <= today => html! { "until " (reader.date(next.valid_from)) },
                _ => html! { span.tag.good { "Holds" } },
            }
        };
        let table = html! {
            table {
                thead { tr {
                    th scope="col" { "For" } th scope="col" { "What" } th.number scope="col" { (reader.in_currency("Amount")) }
                    th scope="col" { "From" } th scope="col" { "Now" }
                    @if may_change { th scope="col" { "Change" } }
                } }
                tbody {
                    @for (place, rate) in rates.iter().enumerate() { tr {
                        th.text scope="row" { (self.scope(rate.scope)) }
                        td.text { (kind_name(rate.kind)) }
                        td.number { (payroll::amount(rate.amount)) }
                        td { (reader.date(rate.valid_from)) }
                        td { (state(place, rate)) }
                        @if may_change { td {
                            @if rate.valid_from > today {
                                button.quiet type="submit" name="rate" value=(rate.id) { "Delete" span.unseen { ": " (self.scope(rate.scope)) ", " (kind_name(rate.kind)) } }
                            }
                        } }
                    } }
                }
            }
        };
        html! {
            @if rates.is_empty() { p.empty { "No such rate is set." } }
            @else {
                div.wide tabindex="0" role="region" aria-label="Rates as a table" {
                    @if may_change {
                        form method="post" action=(visitor.address(places::RATE_DELETE.path)) { (self.project_field()) (table) }
                    } @else { (table) }
                }
                @if has_more { p.hint { "There are more rates than are shown." } }
            }
        }
    }

    fn project_field(&self) -> Markup {
        html! { @if let Some(project) = self.project { input type="hidden" name="project" value=(project.id); } }
    }

    /// The work that a rate is for, in words.
    fn scope(&self, scope: RateScope) -> String {
        let who = scope.employee.map_or("Everybody", |id| employee_names::name(self.names, id));
        let on = |task: TaskId| {
            let known = self.tasks.iter().find(|known| known.id == task);
            known.map_or_else(|| lanes::task(self.names, task).to_owned(), |task| task.name.to_string())
        };
        match scope.task {
            Some(task) => format!("{who} on {}", on(task)),
            None if scope.project.is_some() => format!("{who} on the whole project"),
            None => who.to_owned(),
        }
    }

    fn form(&self) -> Markup {
        let (filled, failure) = self.attempt.unzip();
        let typed = |of: fn(&Filled) -> &Option<String>| filled.map_or("", |filled| text(of(filled)));
        let input =
            |name, label, value| Input { form: "rate", name, label, value, error: beside(failure, name), hint: None };
        let mut people = vec![(String::new(), "Everybody".to_owned())];
        people.extend(self.people.iter().map(|(id, name)| (id.to_string(), name.clone())));
        let mut tasks = vec![(String::new(), "The whole project".to_owned())];
        tasks.extend(self.tasks.iter().map(|task| (task.id.to_string(), task.name.to_string())));
        let kinds = RateKind::ALL.map(|kind| (kind.name().to_owned(), kind_name(kind).to_owned()));
        let amount = self.visitor.reader.in_currency("Amount");
        let day = input("validFrom", "From this day on", typed(|f| &f.valid_from));
        html! {
            form method="post" action=(self.visitor.address(places::RATE_SET.path)) {
                (self.project_field())
                (input("employee", "Whose hours", typed(|f| &f.employee)).choice(&people))
                @if self.project.is_some() { (input("task", "On", typed(|f| &f.task)).choice(&tasks)) }
                (input("kind", "What", typed(|f| &f.kind)).choice(&kinds))
                (input("amount", &amount, typed(|f| &f.amount)).amount())
                (day.day())
                p { button type="submit" { "Set the rate" } }
            }
        }
    }
}
