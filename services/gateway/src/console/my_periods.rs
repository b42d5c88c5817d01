//! The visitor's own pay periods with their states, and the form that submits one.

use axum::response::Response;
use contracts::{Caller, PeriodStatus, SubmitPeriod, Zone};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    errors,
    notice::Done,
    pay_periods::{self, days, has_changed, linked_state},
    places,
    visitor::Visitor,
};
use crate::{auth::Asker, error::Problem, extract::Form, periods::Period};

/// The form with the period to submit.
#[derive(Deserialize)]
pub(super) struct Chosen {
    id: Option<String>,
}

/// Submits a period.
pub(super) async fn submit(visitor: Visitor, Form(chosen): Form<Chosen>) -> Result<Response, Problem> {
    let id = chosen.id.as_deref().unwrap_or_default().parse();
    let id = id.map_err(|error| contracts::Failure::field("id", error))?;
    Ok(match visitor.app.ask(Caller::Employee(visitor.employee), &SubmitPeriod { id }).await {
        Ok(_) => errors::see(&places::after(places::MY_DAY.path, Done::Submitted)),
        Err(failure) => visitor.failed(&failure),
    })
}

/// The visitor's current pay period and the one before, and the next one if there is anything in
/// it. The list is empty if they cannot be read at the moment.
pub(super) async fn latest(visitor: &Visitor) -> Vec<Period> {
    let own = Asker::Own(visitor.employee);
    pay_periods::latest(visitor, &own, visitor.employee, 1).await.unwrap_or_default()
}

/// Renders the pay periods, each with a button to submit it if that is possible.
pub(super) fn shown(visitor: &Visitor, zone: &Zone, periods: &[Period]) -> Markup {
    let reader = &visitor.reader;
    html! {
        section {
            h2 { "Pay periods" }
            div.wide tabindex="0" role="region" aria-label="Pay periods" { table {
                thead { tr {
                    th scope="col" { "From – to" } th.number scope="col" { "Hours" } th scope="col" { "State" }
                    th scope="col" { "Submit" }
                } }
                tbody { @for period in periods { tr {
                    @let days = days(reader, zone, period);
                    th scope="row" { (days) }
                    td.number {
                        (reader.hours(period.time))
                        @if period.adjustments.time != 0 { " and " (reader.hours(period.adjustments.time)) " that came late" }
                    }
                    td.text { (linked_state(visitor, period)) }
                    td { @if can_be_submitted(period) {
                        form method="post" action=(visitor.address(places::MY_SUBMIT.path)) {
                            input type="hidden" name="id" value=(period.id);
                            button type="submit" { "It is complete" span.unseen { ": " (days) } }
                        }
                    } }
                } } }
            } }
        }
    }
}

fn can_be_submitted(period: &Period) -> bool {
    match period.status {
        PeriodStatus::Open => true,
        PeriodStatus::Submitted => has_changed(period),
        PeriodStatus::Approved => false,
    }
}
