//! The members of a project with their rates, and the forms that add and remove members.

use std::collections::BTreeSet;

use contracts::{
    Employee, EmployeeId, Failure, GetProject, Payee, PayrollLine, Project, ProjectChanges, ProjectId, Resource, Scope,
    UpdateProject,
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    employee_names,
    forms::said,
    inputs::{Input, beside, on_seen, text},
    payroll,
    project_address::action,
    visitor::Visitor,
};
use crate::names::KnownNames;

/// The largest number of employees that a form offers.
pub(super) const MOST: usize = 20_000;

/// The form with a chosen employee.
#[derive(Deserialize)]
pub(super) struct Chosen {
    employee: Option<String>,
}

impl Chosen {
    /// The id of the chosen employee.
    pub(super) fn employee(&self) -> Result<EmployeeId, Failure> {
        text(&self.employee).parse().map_err(|_| Failure::field("employee", "must be somebody from the list"))
    }

    /// Whether the value `*` was chosen, which means everybody.
    pub(super) fn is_everybody(&self) -> bool {
        text(&self.employee) == "*"
    }
}

/// Adds an employee to a project, unless they are a member already.
pub(super) async fn join(visitor: &Visitor, id: ProjectId, employee: EmployeeId) -> Result<Project, Failure> {
    let add = |employees: &mut Vec<EmployeeId>| {
        if !employees.contains(&employee) {
            employees.push(employee);
        }
    };
    replace(visitor, id, add).await
}

/// Removes an employee from a project and its tasks.
pub(super) async fn leave(visitor: &Visitor, id: ProjectId, employee: EmployeeId) -> Result<Project, Failure> {
    replace(visitor, id, |employees| employees.retain(|other| *other != employee)).await
}

/// Reads the current list of members, changes it, and writes it on the condition that the project
/// has not changed meanwhile. A concurrent change therefore makes this one fail, and is not
/// overwritten.
async fn replace(
    visitor: &Visitor,
    id: ProjectId,
    change: impl FnOnce(&mut Vec<EmployeeId>),
) -> Result<Project, Failure> {
    let project = visitor.ask(GetProject { id }).await?;
    let mut employees = project.employees.clone();
    change(&mut employees);
    let changes = ProjectChanges { employees: Some(employees), ..ProjectChanges::default() };
    let tag = project.tag().as_str().to_owned();
    visitor.ask(on_seen(Some(&tag), UpdateProject { id, changes })).await
}

/// Renders the members with their rates, and the rates for everybody without rates of their own.
pub(super) fn table(visitor: &Visitor, project: &Project, names: &KnownNames) -> Markup {
    let may_change = visitor.may(Scope::write(Resource::Projects));
    let rates = |payee: Payee| project.payroll.0.get(&payee).copied();
    let change = |payee: Payee, who: &str| {
        html! {
            @if may_change { td {
                a href=(payroll::address(visitor, project.id, payee)) { "Change rates" span.unseen { " of " (who) } }
            } }
        }
    };
    html! {
        @if project.employees.is_empty() {
            p.empty { "Nobody is on it yet, so nobody can track on it. " @if may_change { "Put somebody on it below." } }
        }
        @let table = html! {
            table {
                thead { tr {
                    th scope="col" { "Who" }
                    th.number scope="col" { "Billed an hour" } th.number scope="col" { "Billed for overtime" }
                    th.number scope="col" { "Costs an hour" } th.number scope="col" { "Costs in overtime" }
                    @if may_change { th scope="col" { "Rates" } th scope="col" { "On the project" } }
                } }
                tbody {
                    tr {
                        th.text scope="row" { "Everybody without rates of their own" }
                        (cells(rates(Payee::Everybody), "none"))
                        (change(Payee::Everybody, "everybody"))
                        @if may_change { td {} }
                    }
                    @for id in employee_names::sorted(names, &project.employees) { tr {
                        th.text scope="row" { (visitor.person(id, employee_names::name(names, id))) }
                        (cells(rates(Payee::Employee(id)), "as everybody"))
                        (change(Payee::Employee(id), employee_names::name(names, id)))
                        @if may_change { td {
                            button.quiet type="submit" name="employee" value=(id) { "Take off" span.unseen { ": " (employee_names::name(names, id)) } }
                        } }
                    } }
                }
            }
        };
        div.wide tabindex="0" role="region" aria-label="People and rates as a table" {
            @if may_change { form method="post" action=(action(visitor, project.id, "take-off")) { (table) } }
            @else { (table) }
        }
        @if may_change && !project.employees.is_empty() {
            p.hint { "Whoever is taken off is off its tasks too and loses their own rates here. Recorded hours stay." }
        }
    }
}

fn cells(line: Option<PayrollLine>, without: &str) -> Markup {
    let rates = |line: PayrollLine| [line.bill_rate, line.overtime_bill_rate, line.pay_rate, line.overtime_pay_rate];
    html! {
        @match line {
            Some(line) => @for (place, rate) in rates(line).into_iter().enumerate() {
                td.number {
                    @match rate {
                        Some(rate) => (payroll::amount(rate)),
                        None if place % 2 == 1 => "as normal",
                        None => "none",
                    }
                }
            },
            None => @for _ in 0..4 { td.number { (without) } },
        }
    }
}

/// Renders the form that adds an employee to a project.
pub(super) fn put_on_form(
    visitor: &Visitor,
    project: &Project,
    everybody: &[Employee],
    failure: Option<&Failure>,
) -> Markup {
    let on: BTreeSet<EmployeeId> = project.employees.iter().copied().collect();
    let mut others: Vec<&Employee> =
        everybody.iter().filter(|employee| employee.deactivated_at.is_none() && !on.contains(&employee.id)).collect();
    others.sort_by_cached_key(|employee| (employee.name.as_str().to_lowercase(), employee.id));
    let options: Vec<(String, String)> =
        others.iter().map(|employee| (employee.id.to_string(), employee.name.to_string())).collect();
    html! {
        @if options.is_empty() && failure.is_none() {
            p.hint { "Everybody who works here is on it." }
        } @else {
            form method="post" action=(action(visitor, project.id, "put-on")) { (chooser("Put on the project", options, failure)) }
        }
    }
}

/// Renders a field to choose an employee, and the button of its form.
pub(super) fn chooser(label: &str, mut options: Vec<(String, String)>, failure: Option<&Failure>) -> Markup {
    options.insert(0, (String::new(), "Choose somebody".to_owned()));
    let error = beside(failure, "employee").or(said(failure, "employees"));
    let input = Input { form: "put-on", name: "employee", label, value: "", error, hint: None };
    html! {
        (input.choice(&options))
        p { button type="submit" { "Put on" } }
    }
}
