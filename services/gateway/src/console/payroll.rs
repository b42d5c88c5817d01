//! The form for one line of a project's payroll: the rates of everybody, or of one employee.

use contracts::{
    Failure, GetProject, InvalidRate, Payee, PayrollLine, Project, ProjectChanges, ProjectId, Rate, Tag, UpdateProject,
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    employee_names,
    inputs::{Input, Misfits, beside, on_seen, seen, text},
    places,
    project_address::action,
    visitor::Visitor,
};
use crate::{extract::Params, names::KnownNames};

/// The submitted rates of one payroll line.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filled {
    seen: Option<String>,
    payee: Option<String>,
    bill_rate: Option<String>,
    overtime_bill_rate: Option<String>,
    pay_rate: Option<String>,
    overtime_pay_rate: Option<String>,
}

/// Sets the rates of one payroll line. A line without rates is removed.
pub(super) async fn set(visitor: &Visitor, id: ProjectId, filled: &Filled) -> Result<Project, Failure> {
    let payee: Payee = text(&filled.payee).parse().map_err(|error| Failure::field("payee", error))?;
    let line = read(filled)?;
    let project = visitor.ask(GetProject { id }).await?;
    let mut payroll = project.payroll.clone();
    if line == PayrollLine::default() {
        payroll.0.remove(&payee);
    } else {
        payroll.0.insert(payee, line);
    }
    let changes = ProjectChanges { payroll: Some(payroll), ..ProjectChanges::default() };
    // If the form has no ETag of the state that it showed, the change depends on the state that was
    // just read. A change between this read and the write is then not overwritten.
    let read = Some(project.tag().as_str().to_owned());
    visitor.ask(on_seen(filled.seen.as_ref().or(read.as_ref()), UpdateProject { id, changes })).await
}

fn read(filled: &Filled) -> Result<PayrollLine, Failure> {
    let mut misfits = Misfits::default();
    let mut take = |name: &str, typed: &Option<String>| misfits.take(name, rate(text(typed))).flatten();
    let line = PayrollLine {
        bill_rate: take("billRate", &filled.bill_rate),
        overtime_bill_rate: take("overtimeBillRate", &filled.overtime_bill_rate),
        pay_rate: take("payRate", &filled.pay_rate),
        overtime_pay_rate: take("overtimePayRate", &filled.overtime_pay_rate),
    };
    misfits.check()?;
    Ok(line)
}

/// Parses a typed rate; `None` if the text is empty.
pub(super) fn rate(typed: &str) -> Result<Option<Rate>, InvalidRate> {
    match typed.trim() {
        "" => Ok(None),
        typed => typed.parse::<f64>().map_err(|_| InvalidRate)?.try_into().map(Some),
    }
}

/// A rate as text: without decimals if it is a whole number, otherwise with two to four.
pub(super) fn amount(rate: Rate) -> String {
    let (whole, rest) = (rate.units() / 10_000, rate.units() % 10_000);
    let rest = format!("{rest:04}");
    match rest.trim_end_matches('0') {
        "" => whole.to_string(),
        // Cents have two digits, so 62.5 is written as 62.50.
        rest => format!("{whole}.{rest:0<2}"),
    }
}

/// The URL of the project's page, at the form for this payroll line.
pub(super) fn address(visitor: &Visitor, id: ProjectId, payee: Payee) -> String {
    let query = serde_urlencoded::to_string([("rates", payee.to_string())]).unwrap_or_default();
    format!("{}?{query}#rates", visitor.address(&places::project(id)))
}

/// The payroll line that the form shows: that of the employee whom the submitted form or the query
/// parameter `rates` names, if the employee is a member; otherwise the line for everybody.
pub(super) fn chosen(params: &Params, project: &Project, tried: Option<(&Filled, &Failure)>) -> Result<Payee, Failure> {
    let asked: Option<Payee> = match tried {
        Some((filled, _)) => text(&filled.payee).parse().ok(),
        None => params.get("rates", "must be an employee's id or *")?,
    };
    let is_on = |payee: &Payee| match payee {
        Payee::Everybody => true,
        Payee::Employee(id) => project.employees.contains(id),
    };
    Ok(asked.filter(is_on).unwrap_or(Payee::Everybody))
}

/// Renders the form for a payroll line.
pub(super) fn form(
    visitor: &Visitor,
    project: &Project,
    tag: &Tag,
    names: &KnownNames,
    payee: Payee,
    tried: Option<(&Filled, &Failure)>,
) -> Markup {
    let line = project.payroll.0.get(&payee).copied().unwrap_or_default();
    let (filled, failure) = tried.unzip();
    let value = |of: fn(&Filled) -> &Option<String>, stored: Option<Rate>| {
        filled.map_or_else(|| stored.map(amount).unwrap_or_default(), |filled| text(of(filled)).to_owned())
    };
    let input = |name: &'static str, label: &'static str, value: String| {
        Input { form: "rates", name, label, value: &value, error: beside(failure, name), hint: None }.amount()
    };
    let who = match payee {
        Payee::Everybody => "everybody without rates of their own",
        Payee::Employee(id) => employee_names::name(names, id),
    };
    html! {
        h2 { "Rates of " (who) }
        form method="post" action=(action(visitor, project.id, "rates")) {
            (seen(tag))
            input type="hidden" name="payee" value=(payee.to_string());
            (input("billRate", "An hour is billed with", value(|f| &f.bill_rate, line.bill_rate)))
            (input("overtimeBillRate", "An hour of overtime is billed with", value(|f| &f.overtime_bill_rate, line.overtime_bill_rate)))
            (input("payRate", "An hour costs", value(|f| &f.pay_rate, line.pay_rate)))
            (input("overtimePayRate", "An hour of overtime costs", value(|f| &f.overtime_pay_rate, line.overtime_pay_rate)))
            p.hint {
                "An amount such as 62.5; overtime left empty is as the normal hour. "
                @if payee == Payee::Everybody { "All empty: nothing is billed, and nothing costs, unless somebody has rates of their own. " }
                @else { "All empty: the rates of everybody count for them. " }
                "A new rate counts from today on: hours of days before have the rates of those days, and what is recorded keeps its own."
            }
            p {
                button type="submit" { "Save the rates" }
                @if payee != Payee::Everybody {
                    " " a.button.quiet href=(address(visitor, project.id, Payee::Everybody)) { "Those of everybody" }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_amount_has_as_many_decimals_as_it_needs() {
        let amount = |units| amount(Rate::from_units(units).expect("a rate"));
        assert_eq!([0, 500_000, 625_000, 12_345, 1].map(amount), ["0", "50", "62.50", "1.2345", "0.0001"]);
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for bad in ["five", "1,5", "-1", "NaN", "inf", "0.00001", "1e300"] {
            assert_eq!(rate(bad), Err(InvalidRate), "{bad}");
        }
        assert_eq!(rate(" "), Ok(None));
    }

    proptest! {
        #[test]
        fn an_amount_that_is_shown_is_read_as_the_same(units in 0..=1_000_000_000_000_i64) {
            let shown = Rate::from_units(units).expect("a rate");
            prop_assert_eq!(rate(&amount(shown)), Ok(Some(shown)));
        }
    }
}
