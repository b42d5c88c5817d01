//! Parts of pages about pay periods: states, sums, and the forms that decide about a period.

use contracts::{AdjustedSum, EmployeeId, Failure, PeriodStatus, Resource, Scope, TimeRange, Zone};
use maud::{Markup, html};

use super::{
    places,
    reader::{NO_RATE, Reader, lacks_rate},
    visitor::Visitor,
};
use crate::{
    auth::Asker,
    periods::{self, Period},
};

/// The employee's current pay period and `before` earlier ones, the latest first. The next pay
/// period is included if it has time or adjustments or is no longer open.
pub(super) async fn latest(
    visitor: &Visitor,
    asker: &Asker,
    employee: EmployeeId,
    before: usize,
) -> Result<Vec<Period>, Failure> {
    let (settings, now) = (visitor.app.organisation.settings().await, visitor.app.clock.now());
    let current = settings.pay_period_of(settings.timezone.day(now));
    let earlier = |day: jiff::civil::Date| settings.pay_period_of(day.yesterday().unwrap_or(day)).first;
    let first = (0..before).fold(current.first, |day, _| earlier(day));
    let (start, end) = (settings.timezone.beginning(first), current.range.end() + 1);
    let range = TimeRange::new(start, end).map_err(|error| Failure::field("range", error))?;
    let mut periods = periods::list(&visitor.app, asker, range, vec![employee]).await?;
    periods.retain(|period| period.start <= now || has_anything(period));
    periods.reverse();
    Ok(periods)
}

/// Whether the period has time or adjustments, or was submitted or approved.
pub(super) fn has_anything(period: &Period) -> bool {
    period.time != 0 || period.status != PeriodStatus::Open || period.adjustments != AdjustedSum::default()
}

/// Whether the period waits for approval, and its time has changed since it was submitted.
pub(super) fn has_changed(period: &Period) -> bool {
    period.status == PeriodStatus::Submitted && period.submitted_hash != Some(period.hash)
}

/// The state of a period in words.
pub(super) fn state(period: &Period) -> &'static str {
    match period.status {
        PeriodStatus::Open if period.note.is_some() => "open again",
        PeriodStatus::Open => "open",
        PeriodStatus::Submitted if has_changed(period) => "submitted, changed since",
        PeriodStatus::Submitted => "submitted",
        PeriodStatus::Approved if period.pay_run.is_some() => "paid",
        PeriodStatus::Approved => "approved",
    }
}

/// The state of a period, followed by its note if it has one. The state "paid" is a link to the pay
/// run, for visitors who may open it.
pub(super) fn linked_state(visitor: &Visitor, period: &Period) -> Markup {
    let run = period.pay_run.filter(|_| visitor.may_open(places::PAY_RUN.access));
    html! {
        @match run {
            Some(run) => a href=(visitor.address(&places::pay_run(run))) { (state(period)) span.unseen { " by this pay run" } },
            None => (state(period)),
        }
        @if let Some(note) = &period.note { ": " (note) }
    }
}

/// The first and the last day of the period, in the organisation's time zone.
pub(super) fn days(reader: &Reader, zone: &Zone, period: &Period) -> String {
    format!("{} – {}", reader.date(period.id.first), reader.date(zone.day(period.end - 1)))
}

/// Renders the sum of adjustments, which is shown separately from the other sums.
pub(super) fn apart(reader: &Reader, sum: AdjustedSum) -> Markup {
    html! {
        @if sum == AdjustedSum::default() { "none" }
        @else if lacks_rate(sum.time, sum.costs) { (reader.hours(sum.time)) ", " (NO_RATE) ", income " (reader.money(sum.income)) }
        @else { (reader.hours(sum.time)) ", cost " (reader.money(sum.costs)) ", income " (reader.money(sum.income)) }
    }
}

/// The headings of the columns that [`sums`] renders.
pub(super) fn sums_named(reader: &Reader) -> Markup {
    html! {
        th.number scope="col" { "Hours" }
        th.number scope="col" { (reader.in_currency("Cost")) } th.number scope="col" { (reader.in_currency("Income")) }
        th.number scope="col" { "Adjustments" }
    }
}

/// Renders the columns with the sums of a period; the sum of its adjustments has its own column.
pub(super) fn sums(reader: &Reader, period: &Period) -> Markup {
    html! {
        td.number { (reader.hours(period.time)) }
        td.number { (reader.cost(period.time, period.costs)) }
        td.number { (reader.money(period.income)) }
        td.number { (apart(reader, period.adjustments)) }
    }
}

/// Whether the visitor may decide about pay periods at all.
pub(super) fn may_decide(visitor: &Visitor) -> bool {
    visitor.may(Scope::write(Resource::Periods))
}

/// Renders the forms to decide about a period. `from` names the page to return to. `what` names the
/// period in texts for screen readers.
pub(super) fn decide(visitor: &Visitor, period: &Period, what: &str, from: &str) -> Markup {
    let may_for_all = visitor.may_for_all(Resource::Periods);
    let with_note = |path: &str, label: &str, hint: &str| {
        html! {
            details {
                summary { (label) span.unseen { " " (what) } }
                form.row method="post" action=(visitor.address(path)) {
                    input type="hidden" name="id" value=(period.id);
                    input type="hidden" name="from" value=(from);
                    label { (hint) " " input type="text" name="note" required; }
                    button.quiet type="submit" { (label) span.unseen { " " (what) } }
                }
            }
        }
    };
    html! {
        @if !may_for_all && period.employee_id == visitor.employee {
            "Somebody else decides about your own."
        } @else if period.status == PeriodStatus::Approved {
            @if may_for_all && period.pay_run.is_none() { (with_note(places::REOPEN.path, "Open again", "Why")) }
        } @else {
            form method="post" action=(visitor.address(places::APPROVE.path)) {
                input type="hidden" name="periods" value={ (period.id) "@" (period.hash) };
                input type="hidden" name="from" value=(from);
                button type="submit" { "Approve" span.unseen { " " (what) } }
            }
            @if period.status == PeriodStatus::Submitted {
                (with_note(places::SEND_BACK.path, "Send back", "What is to be done"))
            }
        }
    }
}
