//! Warnings about hours without a rate, which count at 0.00. Pages show a warning before and after
//! such hours are recorded, with a link to the rates.

use std::collections::BTreeMap;

use contracts::{
    Cents, DatedRate, EmployeeId, Failure, ListProjects, ListRates, Payroll, PayrollLine, ProjectId, Rate, RateKind,
    RateScope, Rates, Resource, Scope, TaskId, Window,
};
use jiff::civil::Date;
use maud::{Markup, html};

use super::{
    places,
    reader::{NO_RATE, lacks_rate},
    visitor::Visitor,
};

/// The largest number of rates, and of projects, that are read. If there are more, pages do not
/// warn before hours are recorded.
const MOST: usize = 10_000;

/// Whether some hours lack a pay rate, which gives their cost, and a bill rate, which gives their
/// income.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lacking {
    cost: bool,
    income: bool,
}

impl Lacking {
    /// The rates that are missing for a recorded window, on at least one of its days. Unbilled work
    /// needs no bill rate.
    pub(super) fn of(window: &Window) -> Self {
        let all = || [window.rates()].into_iter().chain(window.rate_parts.iter().map(|part| part.rates()));
        let lacks = |of: fn(&Rates) -> bool| all().any(|rates| of(&rates));
        Self {
            cost: lacks(|rates| rates.pay_rate.is_none()),
            income: window.billable && lacks(|rates| rates.bill_rate.is_none()),
        }
    }

    fn is_nothing(self) -> bool {
        self == Self::default()
    }

    fn words(self) -> &'static str {
        match (self.cost, self.income) {
            (true, true) => "what an hour of it costs, or is billed with: its cost and its income count at 0.00. ",
            (true, false) => "what an hour of it costs: its cost counts at 0.00. ",
            _ => "what an hour of it is billed with: its income counts at 0.00. ",
        }
    }
}

/// All rates, from which pages find out before hours are recorded whether a rate applies to them.
#[derive(Debug, Default)]
pub(super) struct Known {
    rates: Vec<DatedRate>,
    payrolls: BTreeMap<ProjectId, Payroll>,
}

impl Known {
    /// Requests all rates. Returns `None` if the visitor may not see them or there are too many.
    pub(super) async fn ask(visitor: &Visitor) -> Result<Option<Self>, Failure> {
        let all = [Resource::Rates, Resource::Projects];
        if !all.into_iter().all(|resource| visitor.may(Scope::read(resource))) {
            return Ok(None);
        }
        let (rates, projects) = futures::try_join!(
            visitor.first(ListRates { kinds: vec![RateKind::Pay, RateKind::Bill], ..ListRates::default() }, MOST),
            visitor.first(ListProjects::default(), MOST),
        )?;
        let ((rates, more_rates), (projects, more_projects)) = (rates, projects);
        let payrolls = projects.into_iter().map(|project| (project.id, project.payroll)).collect();
        Ok((!more_rates && !more_projects).then_some(Self { rates, payrolls }))
    }

    /// The rates that would be missing for work on this day. A kind of rate (pay or bill) that is
    /// set nowhere does not count as missing, unless both kinds are set nowhere.
    pub(super) fn lacking(&self, employee: EmployeeId, project: ProjectId, task: TaskId, day: Date) -> Lacking {
        let scopes = RateScope::of_work(employee, project, task);
        let line = self.payrolls.get(&project).map(|payroll| payroll.line(employee));
        let lacks = |kind: RateKind| {
            let is_dated = |rate: &DatedRate| {
                // A rate of a task may name the task's project as well, which changes nothing about
                // where the rate applies.
                let scope =
                    if rate.scope.task.is_some() { RateScope { project: None, ..rate.scope } } else { rate.scope };
                rate.kind == kind && rate.valid_from <= day && scopes.contains(&scope)
            };
            line.and_then(|line| rate(&line, kind)).is_none() && !self.rates.iter().any(is_dated)
        };
        let (cost, income) = (lacks(RateKind::Pay), lacks(RateKind::Bill));
        match (self.uses(RateKind::Pay), self.uses(RateKind::Bill)) {
            (true, false) => Lacking { cost, income: false },
            (false, true) => Lacking { cost: false, income },
            _ => Lacking { cost, income },
        }
    }

    fn uses(&self, kind: RateKind) -> bool {
        let in_payroll = |payroll: &Payroll| payroll.0.values().any(|line| rate(line, kind).is_some());
        self.rates.iter().any(|rate| rate.kind == kind) || self.payrolls.values().any(in_payroll)
    }
}

fn rate(line: &PayrollLine, kind: RateKind) -> Option<Rate> {
    match kind {
        RateKind::Bill => line.bill_rate,
        RateKind::Pay => line.pay_rate,
        RateKind::OvertimeBill => line.overtime_bill_rate,
        RateKind::OvertimePay => line.overtime_pay_rate,
    }
}

/// Renders a warning, if hours that are not recorded yet would have no rate.
pub(super) fn before(visitor: &Visitor, lacking: Lacking, project: ProjectId) -> Markup {
    html! {
        @if !lacking.is_nothing() {
            p {
                span.tag.bad { "No rate" } " No rate says " (lacking.words())
                (to_rates(visitor, Some(project), "Set a rate first"))
            }
        }
    }
}

/// Renders a note, if a recorded window has no rate.
pub(super) fn after(visitor: &Visitor, window: &Window) -> Markup {
    let lacking = Lacking::of(window);
    html! {
        @if !lacking.is_nothing() {
            p {
                span.tag.bad { "No rate" } " No rate says " (lacking.words())
                (to_rates(visitor, Some(window.project_id), "Set a rate"))
                @if visitor.may(Scope::write(Resource::Rates)) {
                    ", then " a href=(visitor.address(places::REPRICE.path)) { "price the recorded hours anew" } "."
                }
            }
        }
    }
}

/// Renders the explanation of `no rate` below a table, if a row of the table shows `no rate`.
pub(super) fn hint(visitor: &Visitor, mut sums: impl Iterator<Item = (i64, Cents)>) -> Markup {
    html! {
        @if sums.any(|(time, costs)| lacks_rate(time, costs)) {
            p.hint {
                "“" (NO_RATE) "”: nobody has said what these hours cost, or that they cost nothing. "
                (to_rates(visitor, None, "The rates"))
            }
        }
    }
}

/// Renders a link to the rates of a project, or to all rates, if the visitor may see them.
fn to_rates(visitor: &Visitor, project: Option<ProjectId>, words: &str) -> Markup {
    let query = project.map(|id| format!("?projectId={id}")).unwrap_or_default();
    html! {
        @if visitor.may_open(places::RATES.access) {
            a href={ (visitor.address(places::RATES.path)) (query) } { (words) }
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::{Millis, Payee};

    use super::*;

    fn dated(scope: RateScope, kind: RateKind, day: Date) -> DatedRate {
        let amount = Rate::from_units(10).expect("a rate");
        DatedRate { id: kit::new_id(), scope, kind, amount, valid_from: day, created_at: Millis(0) }
    }

    #[test]
    fn work_lacks_what_no_rate_of_it_says_on_its_day() {
        let (ann, bob): (EmployeeId, EmployeeId) = (kit::new_id(), kit::new_id());
        let (project, task): (ProjectId, TaskId) = (kit::new_id(), kit::new_id());
        let (day, both) = (jiff::civil::date(2026, 3, 2), Lacking { cost: true, income: true });
        let nothing = Known::default();
        assert_eq!(nothing.lacking(ann, project, task, day), both);

        let rates = vec![
            dated(RateScope::task(task).of(ann), RateKind::Pay, day),
            dated(RateScope { task: Some(task), ..RateScope::project(project) }, RateKind::Bill, day),
        ];
        let known = Known { rates, ..Known::default() };
        assert_eq!(known.lacking(ann, project, task, day), Lacking::default());
        assert_eq!(known.lacking(bob, project, task, day), Lacking { cost: true, income: false });
        assert_eq!(known.lacking(ann, project, task, day.yesterday().expect("a day")), both);
        assert_eq!(known.lacking(ann, project, kit::new_id(), day), both);
    }

    #[test]
    fn a_line_of_the_payroll_is_a_rate_and_a_kind_that_nobody_uses_is_not_missed() {
        let (ann, bob): (EmployeeId, EmployeeId) = (kit::new_id(), kit::new_id());
        let (project, day) = (kit::new_id(), jiff::civil::date(2026, 3, 2));
        let line = PayrollLine { bill_rate: Rate::from_units(50).ok(), ..PayrollLine::default() };
        let payroll = Payroll([(Payee::Employee(ann), line)].into());
        let known = Known { payrolls: [(project, payroll)].into(), ..Known::default() };
        assert_eq!(known.lacking(ann, project, kit::new_id(), day), Lacking::default());
        assert_eq!(known.lacking(bob, project, kit::new_id(), day), Lacking { cost: false, income: true });
    }
}
