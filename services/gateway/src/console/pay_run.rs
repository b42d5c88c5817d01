//! The page of one pay run, with its periods and the files to download.

use axum::response::Response;
use contracts::{AdjustedSum, EmployeeId, Failure, Name, PaidPeriod, PayRunId, Zone};
use maud::{Markup, html};

use super::{
    doers::{actor, doer, want},
    no_rate,
    notice::notice,
    pages::Pager,
    pay_periods::{apart, sums_named},
    pay_runs::{adjusted, count, days},
    places,
    visitor::Visitor,
};
use crate::{
    error::Problem,
    extract::{Params, PathId},
    names::Ids,
    routes::{pay_run_as_csv, pay_run_as_json, pay_run_as_xlsx, whole_pay_run},
};

/// The number of employees on one page of the list.
const PEOPLE: usize = 200;

/// Shows the page.
pub(super) async fn show(visitor: Visitor, PathId(id): PathId<PayRunId>, params: Params) -> Response {
    match content(&visitor, id, &params).await {
        Ok((title, content)) => visitor.titled(&places::PAY_RUN, &title, Ok(content)),
        Err(failure) => visitor.failed(&failure),
    }
}

/// Answers with the pay run as JSON.
pub(super) async fn json(visitor: Visitor, PathId(id): PathId<PayRunId>) -> Result<Response, Problem> {
    pay_run_as_json(&visitor.app, &visitor.asker, id).await
}

/// Answers with the pay run as CSV.
pub(super) async fn csv(visitor: Visitor, PathId(id): PathId<PayRunId>) -> Result<Response, Problem> {
    pay_run_as_csv(&visitor.app, &visitor.asker, id).await
}

/// Answers with the pay run as a spreadsheet file (XLSX).
pub(super) async fn xlsx(visitor: Visitor, PathId(id): PathId<PayRunId>) -> Result<Response, Problem> {
    pay_run_as_xlsx(&visitor.app, &visitor.asker, id).await
}

async fn content(visitor: &Visitor, id: PayRunId, params: &Params) -> Result<(String, Markup), Failure> {
    let reader = &visitor.reader;
    let (run, mut periods) = whole_pay_run(&visitor.app, &visitor.asker, id).await?;
    let mut ids = Ids { employees: periods.iter().map(|period| period.employee_id).collect(), ..Ids::default() };
    let maker = actor(run.created_by.as_ref());
    want(&mut ids, maker);
    let names = visitor.names(ids).await;
    let name = |id: EmployeeId| names.employees.get(&id).map_or("somebody without a name", Name::as_str);
    periods.sort_by_cached_key(|period| (name(period.employee_id).to_lowercase(), period.id));
    let pager = Pager::of(params, periods.len(), PEOPLE)?;
    let periods = pager.part(periods);
    let zone = visitor.app.organisation.settings().await.timezone.clone();
    let file = |place: &places::Place| visitor.address(&place.path.replace("{id}", &id.to_string()));
    let content = html! {
        (notice(params))
        p {
            "Made " (reader.moment(run.created_at)) " by " (doer(visitor, &names, maker)) ". It pays " (count(visitor, &run))
            @if run.period_count == 1 { " period" } @else { " periods" } ", as approved; what it says never changes."
        }
        p.row {
            a.button href=(file(&places::PAY_RUN_XLSX)) { "Take it to a spreadsheet" }
            a.button.quiet href=(file(&places::PAY_RUN_CSV)) { "Take it as CSV" }
            a.button.quiet href=(file(&places::PAY_RUN_JSON)) { "Take it as JSON" }
        }
        section {
            div.wide tabindex="0" role="region" aria-label="What it pays" { table {
                thead { tr { th scope="col" { "Who" } th scope="col" { "Period" } (sums_named(reader)) } }
                tbody { @for period in &periods { (line(visitor, &zone, period, name(period.employee_id))) } }
                tfoot { tr {
                    th scope="row" colspan="2" { "All" }
                    td.number { (reader.hours(run.time)) }
                    td.number { (reader.cost(run.time, run.costs)) }
                    td.number { (reader.money(run.income)) }
                    td.number { (apart(reader, adjusted(&run))) }
                } }
            } }
            (no_rate::hint(visitor, periods.iter().map(|period| (period.time, period.costs))))
            p.hint { "Adjustments are hours that came when their own time was settled. They are paid here, beside the hours of the period." }
            (pager.links(visitor))
        }
    };
    Ok((format!("Pay run of {}", days(visitor, &zone, &run)), content))
}

fn line(visitor: &Visitor, zone: &Zone, period: &PaidPeriod, name: &str) -> Markup {
    let reader = &visitor.reader;
    let late =
        AdjustedSum { time: period.adjustment_time, costs: period.adjustment_costs, income: period.adjustment_income };
    html! { tr {
        th scope="row" { (visitor.person(period.employee_id, name)) }
        td { (reader.date(period.id.first)) " – " (reader.date(zone.day(period.end - 1))) }
        td.number { (reader.hours(period.time)) }
        td.number { (reader.cost(period.time, period.costs)) }
        td.number { (reader.money(period.income)) }
        td.number { (apart(reader, late)) }
    } }
}
