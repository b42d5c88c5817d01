//! One's own pay periods: what is open, submitted and approved; and submitting one.

use axum::response::Response;
use contracts::{Caller, GetSettings, PeriodStatus, SubmitPeriod, TimeRange};
use maud::{Markup, html};
use serde::Deserialize;

use super::{errors, notice::Done, places, visitor::Visitor};
use crate::{
    auth::Asker,
    error::Problem,
    extract::Form,
    periods::{self, Period},
};

/// The period that is submitted.
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

/// The visitor's own period of now and the one before it; nothing where they cannot be told at the moment.
pub(super) async fn latest(visitor: &Visitor) -> Option<Vec<Period>> {
    let settings = visitor.app.ask(Caller::Service, &GetSettings {}).await.ok()?;
    let now = visitor.app.clock.now();
    let current = settings.pay_period_of(contracts::day_of(now, settings.timezone.rules()));
    let range = TimeRange::new(current.range.start() - 1, current.range.end()).ok()?;
    let own = Asker::Own(visitor.employee);
    periods::list(&visitor.app, &own, range, vec![visitor.employee]).await.ok()
}

/// The periods, each with what is still to be done about it.
pub(super) fn shown(visitor: &Visitor, periods: &[Period]) -> Markup {
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
                    @let (from, to) = (reader.date(reader.day(period.start)), reader.date(reader.day(period.end - 1)));
                    th scope="row" { (from) " – " (to) }
                    td.number {
                        (reader.hours(period.time))
                        @if period.adjustments.time != 0 { " and " (reader.hours(period.adjustments.time)) " that came late" }
                    }
                    td.text { (state(period)) @if let Some(note) = &period.note { ": " (note) } }
                    td { @if can_be_submitted(period) {
                        form method="post" action=(visitor.address(places::MY_SUBMIT.path)) {
                            input type="hidden" name="id" value=(period.id);
                            button type="submit" { "It is complete" span.unseen { ": " (from) " – " (to) } }
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
        PeriodStatus::Submitted => period.submitted_hash != Some(period.hash),
        PeriodStatus::Approved => false,
    }
}

fn state(period: &Period) -> &'static str {
    match period.status {
        PeriodStatus::Open if period.note.is_some() => "open again",
        PeriodStatus::Open => "open",
        PeriodStatus::Submitted if can_be_submitted(period) => "submitted, and changed since",
        PeriodStatus::Submitted => "submitted",
        PeriodStatus::Approved if period.pay_run.is_some() => "paid",
        PeriodStatus::Approved => "approved",
    }
}
