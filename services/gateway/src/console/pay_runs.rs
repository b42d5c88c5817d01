//! The page with the list of pay runs, and the form that makes one.

use axum::response::Response;
use contracts::{AdjustedSum, CreatePayRun, Failure, ListPayRuns, MadePayRun, PayRun, Resource, Settings, Zone};
use jiff::civil::Date;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    doers::{actor, doer, want},
    errors,
    inputs::{Input, Misfits, alert, beside, text},
    no_rate,
    notice::{Done, notice},
    pages::Pager,
    pay_periods::{apart, sums_named},
    places,
    visitor::Visitor,
};
use crate::{
    extract::{Form, Params},
    names::{Ids, KnownNames},
    routes::PAY_RUN_PATIENCE,
};

/// The number of pay runs on one page of the list.
const RUNS: usize = 50;
/// The largest number of pay runs that are read.
const MOST: usize = 5_000;

/// The form for a new pay run.
#[derive(Default, Deserialize)]
pub(super) struct Filled {
    from: Option<String>,
    to: Option<String>,
}

/// Shows the page.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = content(&visitor, &params, None).await;
    visitor.page(&places::PAY_RUNS, content)
}

/// Makes a pay run of the approved periods that lie within the chosen days and that no run has
/// paid.
pub(super) async fn make(visitor: Visitor, params: Params, Form(filled): Form<Filled>) -> Response {
    let outcome = async {
        let request = filled.read(&visitor.app.organisation.settings().await.timezone)?;
        visitor.asker.ask_within(&visitor.app, PAY_RUN_PATIENCE, request).await
    };
    match outcome.await {
        Ok(MadePayRun { run, is_new }) => {
            let done = if is_new { Done::Paid } else { Done::PaidBefore };
            errors::see(&places::after(&places::pay_run(run.id), done))
        }
        Err(failure) => {
            let content = content(&visitor, &params, Some((&filled, &failure))).await;
            visitor.again(&places::PAY_RUNS, &failure, content)
        }
    }
}

impl Filled {
    /// Reads the request: from the start of the first day to the end of the last day, in the
    /// organisation's time zone.
    fn read(&self, zone: &Zone) -> Result<CreatePayRun, Failure> {
        let mut misfits = Misfits::default();
        let day =
            |typed: &Option<String>| text(typed).trim().parse::<Date>().map_err(|_| "must be a day such as 2026-03-01");
        let (from, to) = (misfits.take("from", day(&self.from)), misfits.take("to", day(&self.to)));
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            misfits.take::<()>("to", Err("must not be before the first day"));
        }
        misfits.check()?;
        let (Some(from), Some(end)) = (from, to.and_then(|to| to.tomorrow().ok())) else {
            return Err(Failure::field("to", "must be an earlier day"));
        };
        Ok(CreatePayRun { start: zone.beginning(from), end: zone.beginning(end) })
    }
}

type Attempt<'a> = Option<(&'a Filled, &'a Failure)>;

async fn content(visitor: &Visitor, params: &Params, attempt: Attempt<'_>) -> Result<Markup, Failure> {
    let (mut runs, has_more) = visitor.first(ListPayRuns::default(), MOST).await?;
    runs.reverse();
    let pager = Pager::of(params, runs.len(), RUNS)?;
    let runs = pager.part(runs);
    let mut ids = Ids::default();
    runs.iter().for_each(|run| want(&mut ids, actor(run.created_by.as_ref())));
    let names = visitor.names(ids).await;
    let settings = visitor.app.organisation.settings().await;
    Ok(html! {
        (notice(params))
        @if visitor.may_for_all(Resource::Periods) { (form(visitor, &settings, attempt)) }
        section {
            @if runs.is_empty() {
                p.empty { "There are none yet. " a href=(visitor.address(places::APPROVALS.path)) { "Approve pay periods" } ", then make one." }
            } @else {
                div.wide tabindex="0" role="region" aria-label="Pay runs" { (table(visitor, &settings.timezone, &runs, &names)) }
                (no_rate::hint(visitor, runs.iter().map(|run| (run.time, run.costs))))
                @if has_more { p.hint { "There are more, later ones than are shown here: the API lists all." } }
                (pager.links(visitor))
            }
        }
    })
}

/// The first and the last day of a pay run, in the organisation's time zone.
pub(super) fn days(visitor: &Visitor, zone: &Zone, run: &PayRun) -> String {
    let date = |day| visitor.reader.date(day);
    format!("{} – {}", date(zone.day(run.start)), date(zone.day(run.end - 1)))
}

/// The sum of the adjustments that a pay run pays.
pub(super) fn adjusted(run: &PayRun) -> AdjustedSum {
    AdjustedSum { time: run.adjustment_time, costs: run.adjustment_costs, income: run.adjustment_income }
}

/// The number of periods that a pay run pays, in the reader's number format.
pub(super) fn count(visitor: &Visitor, run: &PayRun) -> String {
    visitor.reader.count(usize::try_from(run.period_count).unwrap_or(usize::MAX))
}

fn table(visitor: &Visitor, zone: &Zone, runs: &[PayRun], names: &KnownNames) -> Markup {
    let reader = &visitor.reader;
    html! {
        table {
            thead { tr {
                th scope="col" { "From – to" } th scope="col" { "Made" } th.number scope="col" { "Periods" }
                (sums_named(reader))
            } }
            tbody { @for run in runs { tr {
                th scope="row" { a href=(visitor.address(&places::pay_run(run.id))) { (days(visitor, zone, run)) } }
                td.text { (reader.moment(run.created_at)) " by " (doer(visitor, names, actor(run.created_by.as_ref()))) }
                td.number { (count(visitor, run)) }
                td.number { (reader.hours(run.time)) }
                td.number { (reader.cost(run.time, run.costs)) }
                td.number { (reader.money(run.income)) }
                td.number { (apart(reader, adjusted(run))) }
            } } }
        }
    }
}

fn form(visitor: &Visitor, settings: &Settings, attempt: Attempt<'_>) -> Markup {
    let (filled, failure) = attempt.unzip();
    // The form proposes the days of the last pay period that has ended.
    let current = settings.pay_period_of(settings.timezone.day(visitor.app.clock.now())).first;
    let last = current.yesterday().unwrap_or(current);
    let first = settings.pay_period_of(last).first;
    let value = |of: fn(&Filled) -> &Option<String>, day: Date| {
        filled.map_or_else(|| day.to_string(), |filled| text(of(filled)).to_owned())
    };
    let (from, to) = (value(|f| &f.from, first), value(|f| &f.to, last));
    let input =
        |name, label, value| Input { form: "pay-run", name, label, value, error: beside(failure, name), hint: None };
    html! {
        section {
            h2 { "Make a pay run" }
            p { "It pays every approved period that lies in these days and that no run has paid, at the sums that it was approved with. A period that is approved later is paid by the next run." }
            (alert(failure))
            form method="post" action=(visitor.address(places::PAY_RUNS.path)) {
                (input("from", "First day", &from).day())
                (input("to", "Last day", &to).day())
                p { button type="submit" { "Make the pay run" } }
            }
        }
    }
}
