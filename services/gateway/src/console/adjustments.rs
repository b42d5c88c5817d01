//! A table of adjustments: when the hours were worked, and on which day they count.

use contracts::{AdjustedSum, Adjustment, Name};
use maud::{Markup, html};

use super::{lanes, visitor::Visitor};
use crate::names::{Ids, KnownNames};

/// The largest number of adjustments in the table.
const MOST: usize = 100;

/// Adds the ids in the shown adjustments to `ids`, so that their names are requested.
pub(super) fn want(ids: &mut Ids, all: &[Adjustment]) {
    for one in all.iter().take(MOST) {
        ids.employees.extend([one.employee_id]);
        ids.projects.extend([one.project_id]);
        ids.tasks.extend([one.task_id]);
    }
}

/// The section with the table. It is empty when there are no adjustments.
pub(super) fn section(
    visitor: &Visitor,
    all: &[Adjustment],
    names: &KnownNames,
    title: &str,
    with_money: bool,
) -> Markup {
    let reader = &visitor.reader;
    let mut sum = AdjustedSum::default();
    all.iter().for_each(|one| sum += one.sum);
    let worked = |one: &Adjustment| format!("{}–{}", reader.moment(one.start), reader.time(one.end));
    let name = |one: &Adjustment| names.employees.get(&one.employee_id).map_or("somebody without a name", Name::as_str);
    html! {
        @if !all.is_empty() {
            section {
                h2 { (title) }
                p { "They came when their own time was settled, and were admitted afterwards: they count, and are paid, in the pay period that was open then, and in no other sum." }
                div.wide tabindex="0" role="region" aria-label=(title) { table {
                    thead { tr {
                        th scope="col" { "Who" } th scope="col" { "Worked" } th scope="col" { "On" } th scope="col" { "Counts on" }
                        th.number scope="col" { "Hours" }
                        @if with_money { th.number scope="col" { (reader.in_currency("Cost")) } th.number scope="col" { (reader.in_currency("Income")) } }
                    } }
                    tbody { @for one in all.iter().take(MOST) { tr {
                        th.text scope="row" { (visitor.person(one.employee_id, name(one))) }
                        td { (worked(one)) }
                        td.text { (lanes::project(names, one.project_id)) ", " (lanes::task(names, one.task_id)) }
                        td { (reader.date(reader.day(one.counts_at))) }
                        td.number { (reader.hours(one.sum.time)) }
                        @if with_money { td.number { (reader.cost(one.sum.time, one.sum.costs)) } td.number { (reader.money(one.sum.income)) } }
                    } } }
                    tfoot { tr {
                        th scope="row" colspan="4" { "All" }
                        td.number { (reader.hours(sum.time)) }
                        @if with_money { td.number { (reader.cost(sum.time, sum.costs)) } td.number { (reader.money(sum.income)) } }
                    } }
                } }
                @if all.len() > MOST { p.hint { "These are the first " (reader.count(MOST)) " of " (reader.count(all.len())) "; the sums count all." } }
            }
        }
    }
}
