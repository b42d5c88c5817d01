//! The page of reports of time and money, as a table with a chart, as CSV, and as a spreadsheet
//! file (XLSX). The page can be printed.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::Response;
use contracts::{
    Adjustment, EmployeeId, Failure, Filter, GetTime, Grouping, ListAdjustments, Name, Resource, Scope, TimeRange,
    TimeRow,
};
use jiff::civil::Date;
use maud::{Markup, html};

use super::{
    adjustments,
    charts::{Bar, bars},
    lanes, no_rate, places,
    sums::{MOST, Sums, heads},
    visitor::Visitor,
};
use crate::{
    error::Problem,
    extract::{Listing, Params},
    names::{Ids, KnownNames},
    routes::{time_as_csv, time_as_xlsx},
    teams,
};

/// The largest number of rows that the page shows. The files contain all rows.
const ROWS: usize = 1_000;
/// The largest number of adjustments that are read.
const LATE: usize = 10_000;
/// The largest number of bars in the chart.
const BARS: usize = 25;
/// The groupings, with their words in the query parameter `groupBy` and their names on the page.
static GROUPINGS: [(Grouping, &str, &str); 6] = [
    (Grouping::Project, "project", "Project"),
    (Grouping::Task, "task", "Task"),
    (Grouping::Employee, "employee", "Employee"),
    (Grouping::Day, "day", "Day"),
    (Grouping::Week, "week", "Week"),
    (Grouping::Month, "month", "Month"),
];

/// The report that the query parameters request.
struct Asked {
    from: Date,
    to: Date,
    by: BTreeSet<Grouping>,
    filter: Filter,
}

/// Shows the page.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = content(&visitor, &params).await;
    visitor.page(&places::REPORTS, content)
}

/// Answers with the whole report as CSV.
pub(super) async fn csv(visitor: Visitor, params: Params, listing: Listing) -> Result<Response, Problem> {
    let request = asked(&visitor, &params).await?.request(&visitor)?;
    time_as_csv(visitor.app, visitor.asker, request, listing).await
}

/// Answers with the report and its sums as a spreadsheet file (XLSX).
pub(super) async fn xlsx(visitor: Visitor, params: Params, listing: Listing) -> Result<Response, Problem> {
    let request = asked(&visitor, &params).await?.request(&visitor)?;
    time_as_xlsx(visitor.app, visitor.asker, request, listing).await
}

async fn asked(visitor: &Visitor, params: &Params) -> Result<Asked, Failure> {
    let today = visitor.reader.day(visitor.app.clock.now());
    let must = "must be a day such as 2026-03-01";
    let from = params.get("from", must)?.unwrap_or(today.first_of_month());
    let to: Date = params.get("to", must)?.unwrap_or(today);
    if to < from {
        return Err(Failure::field("to", "must not be before the first day"));
    }
    let by = if params.has("groupBy") { params.group_by()? } else { BTreeSet::from([Grouping::Project]) };
    Ok(Asked { from, to, by, filter: teams::filter(&visitor.app, &visitor.asker, params).await? })
}

impl Asked {
    fn range(&self, visitor: &Visitor) -> Result<TimeRange, Failure> {
        let days = (self.to - self.from).get_days() + 1;
        let range = visitor.reader.days(self.from, days);
        range.ok_or_else(|| Failure::field("to", "must be a day of the calendar"))
    }

    /// The grouping and the filters as query parameters.
    fn query(&self) -> Vec<(&'static str, String)> {
        fn joined<T: ToString>(ids: &[T]) -> String {
            ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        }
        let Filter { employees, projects, tasks, .. } = &self.filter;
        let groupings = GROUPINGS.iter().filter(|(grouping, ..)| self.by.contains(grouping));
        let groupings = groupings.map(|(_, word, _)| ("groupBy", (*word).to_owned()));
        let ids = [("employeeId", joined(employees)), ("projectId", joined(projects)), ("taskId", joined(tasks))];
        groupings.chain(ids.into_iter().filter(|(_, ids)| !ids.is_empty())).collect()
    }

    fn request(&self, visitor: &Visitor) -> Result<GetTime, Failure> {
        Ok(GetTime {
            range: self.range(visitor)?,
            group_by: self.by.clone(),
            timezone: visitor.reader.zone.clone(),
            filter: self.filter.clone(),
            after: None,
        })
    }
}

async fn content(visitor: &Visitor, params: &Params) -> Result<Markup, Failure> {
    let reader = &visitor.reader;
    let asked = asked(visitor, params).await?;
    let whole = GetTime { group_by: BTreeSet::new(), ..asked.request(visitor)? };
    let ((rows, has_more), whole, of_people, late) = futures::try_join!(
        visitor.first(asked.request(visitor)?, ROWS),
        visitor.ask(whole),
        of_people(visitor, &asked),
        late(visitor, &asked)
    )?;
    let mut ids = ids_of(&rows);
    adjustments::want(&mut ids, &late);
    let names = visitor.names(ids).await;
    let mut groupings: Vec<_> = GROUPINGS.iter().filter(|(grouping, ..)| asked.by.contains(grouping)).collect();
    if !of_people.is_empty() {
        // The column of the employee comes first. The sort is stable, so the other columns keep
        // their order.
        groupings.sort_by_key(|(grouping, ..)| *grouping != Grouping::Employee);
    }
    let title = format!("{} to {}", reader.date(asked.from), reader.date(asked.to));
    let table = html! {
        table {
            caption { (title) ", days of " (reader.zone.to_string()) }
            thead { tr {
                @for (.., name) in &groupings { th scope="col" { (name) } }
                (heads(reader))
            } }
            tbody { @for (person, rows) in by_person(visitor, &rows, !of_people.is_empty(), &names) {
                @for row in rows { tr {
                    @for (grouping, ..) in &groupings { td.text { (key(visitor, row, *grouping, &names)) } }
                    (Sums::of(row).cells(reader))
                } }
                @if let Some(sums) = person.and_then(|person| of_people.get(&person)) { tr.subtotal {
                    th.text scope="row" colspan=(groupings.len()) { (name(&names, person)) ", all together" }
                    (sums.cells(reader))
                } }
            } }
            tfoot { tr {
                th scope="row" colspan=(groupings.len()) { "All" }
                (Sums::whole(&whole.items).cells(reader))
            } }
        }
    };
    Ok(html! {
        (form(visitor, &asked))
        @if rows.is_empty() {
            section { p.empty { "No time is recorded in these days. Choose others, or wait until somebody has tracked." } }
        } @else {
            @if has_more { p.error { "These are the first " (reader.count(ROWS)) " lines. The file has all, and the sums below count all." } }
            section {
                (drawn(visitor, &rows, &groupings, &names, &title, table))
                (no_rate::hint(visitor, rows.iter().map(|row| (row.time, row.costs))))
            }
        }
        (adjustments::section(visitor, &late, &names, "Beside these: hours that came late", true))
    })
}

/// The sums of each employee, if an employee may have several rows. They are requested from
/// analytics, because adding the rounded amounts of the rows would give sums that differ by cents.
async fn of_people(visitor: &Visitor, asked: &Asked) -> Result<BTreeMap<EmployeeId, Sums>, Failure> {
    if !asked.by.contains(&Grouping::Employee) || asked.by.len() == 1 {
        return Ok(BTreeMap::new());
    }
    let request = GetTime { group_by: [Grouping::Employee].into(), ..asked.request(visitor)? };
    let (rows, _) = visitor.first(request, MOST).await?;
    Ok(rows.iter().filter_map(|row| Some((row.employee?, Sums::of(row)))).collect())
}

/// Groups the rows by employee, in the order of their names, if `apart` is true; otherwise returns
/// one group with all rows.
fn by_person<'a>(
    visitor: &Visitor,
    rows: &'a [TimeRow],
    apart: bool,
    names: &KnownNames,
) -> Vec<(Option<EmployeeId>, Vec<&'a TimeRow>)> {
    if !apart {
        return vec![(None, rows.iter().collect())];
    }
    let mut people: BTreeMap<(String, Option<EmployeeId>), Vec<&TimeRow>> = BTreeMap::new();
    for row in rows {
        let name = key(visitor, row, Grouping::Employee, names).to_lowercase();
        people.entry((name, row.employee)).or_default().push(row);
    }
    people.into_iter().map(|((_, person), rows)| (person, rows)).collect()
}

/// The adjustments that count in the report's days, limited to the report's employees, projects and
/// tasks; none if the visitor may not read pay periods.
async fn late(visitor: &Visitor, asked: &Asked) -> Result<Vec<Adjustment>, Failure> {
    if !visitor.may(Scope::read(Resource::Periods)) {
        return Ok(Vec::new());
    }
    let Filter { employees, projects, tasks, .. } = &asked.filter;
    let request = ListAdjustments { range: asked.range(visitor)?, employees: employees.clone(), after: None };
    let (mut late, _) = visitor.first(request, LATE).await?;
    let fits = |one: &Adjustment| {
        (projects.is_empty() || projects.contains(&one.project_id))
            && (tasks.is_empty() || tasks.contains(&one.task_id))
    };
    late.retain(fits);
    Ok(late)
}

fn drawn(
    visitor: &Visitor,
    rows: &[TimeRow],
    groupings: &[&(Grouping, &str, &str)],
    names: &KnownNames,
    title: &str,
    table: Markup,
) -> Markup {
    let reader = &visitor.reader;
    let mut longest: Vec<&TimeRow> = rows.iter().collect();
    let is_of_time = groupings.iter().any(|(g, ..)| matches!(g, Grouping::Day | Grouping::Week | Grouping::Month));
    if !is_of_time {
        longest.sort_by_key(|row| std::cmp::Reverse(row.time));
    }
    longest.truncate(BARS);
    let label = |row: &TimeRow| {
        let keys: Vec<String> = groupings.iter().map(|(grouping, ..)| key(visitor, row, *grouping, names)).collect();
        keys.join(", ")
    };
    let drawn: Vec<Bar> =
        longest.iter().map(|row| Bar { label: label(row), value: row.time, shown: reader.hours(row.time) }).collect();
    let sentence = match (rows.len() > BARS, is_of_time) {
        (false, _) => "Hours of each.".to_owned(),
        (true, true) => format!("Hours of the first {BARS}."),
        (true, false) => format!("Hours of the {BARS} with the most."),
    };
    html! {
        figure {
            figcaption { strong { (title) } (sentence) }
            (bars(&drawn))
        }
        div.wide tabindex="0" role="region" aria-label="The report as a table" { (table) }
    }
}

fn ids_of(rows: &[TimeRow]) -> Ids {
    Ids {
        projects: rows.iter().filter_map(|row| row.project).collect(),
        tasks: rows.iter().filter_map(|row| row.task).collect(),
        employees: rows.iter().filter_map(|row| row.employee).collect(),
        ..Ids::default()
    }
}

fn name(names: &KnownNames, id: Option<EmployeeId>) -> &str {
    id.and_then(|id| names.employees.get(&id)).map_or("somebody without a name", Name::as_str)
}

/// The value of a row in the column of a grouping, such as the name of its project.
fn key(visitor: &Visitor, row: &TimeRow, grouping: Grouping, names: &KnownNames) -> String {
    let date = |day: Option<Date>| day.map(|day| visitor.reader.date(day));
    let key = match grouping {
        Grouping::Project => row.project.map(|id| lanes::project(names, id).to_owned()),
        Grouping::Task => row.task.map(|id| lanes::task(names, id).to_owned()),
        Grouping::Employee => row.employee.map(|id| name(names, Some(id)).to_owned()),
        Grouping::Day => date(row.day),
        Grouping::Week => date(row.week),
        Grouping::Month => row.month.map(|month| month.to_string()),
    };
    key.unwrap_or_default()
}

/// Renders links to reports of often used ranges of days. The links keep the grouping and the
/// filters.
fn shortcuts(visitor: &Visitor, asked: &Asked) -> Markup {
    let today = visitor.reader.day(visitor.app.clock.now());
    let before = |day: Date| day.yesterday().unwrap_or(day);
    let (week, month) = (visitor.reader.week(today), today.first_of_month());
    let all = [
        ("Yesterday", before(today), before(today)),
        ("Today", today, today),
        ("This week", week, today),
        ("Last week", visitor.reader.week(before(week)), before(week)),
        ("This month", month, today),
        ("Last month", before(month).first_of_month(), before(month)),
    ];
    let kept: Vec<(&str, String)> = asked.query();
    let to = |from: Date, to: Date| {
        let mut query = vec![("from", from.to_string()), ("to", to.to_string())];
        query.extend(kept.iter().cloned());
        let query = serde_urlencoded::to_string(query).unwrap_or_default();
        format!("{}?{query}", visitor.address(places::REPORTS.path))
    };
    html! {
        nav.row aria-label="Days" {
            @for (name, first, last) in all {
                a.button.quiet href=(to(first, last)) aria-current=[((asked.from, asked.to) == (first, last)).then_some("true")] { (name) }
            }
        }
    }
}

fn form(visitor: &Visitor, asked: &Asked) -> Markup {
    let path = visitor.address(places::REPORTS.path);
    let query = visitor.here.split_once('?').map_or("", |(_, query)| query);
    let [csv, xlsx] =
        [&places::REPORTS_CSV, &places::REPORTS_XLSX].map(|file| format!("{}?{query}", visitor.address(file.path)));
    html! {
        (shortcuts(visitor, asked))
        form method="get" action=(path) {
            div.row {
                label { "From " input type="date" name="from" value=(asked.from) required; }
                label { "To " input type="date" name="to" value=(asked.to) required; }
            }
            fieldset.row {
                legend { "Grouped by" }
                @for (grouping, word, name) in &GROUPINGS {
                    label.choice { input type="checkbox" name="groupBy" value=(word) checked[asked.by.contains(grouping)]; " " (name) }
                }
            }
            @for (name, ids) in asked.query().iter().filter(|(name, _)| *name != "groupBy") {
                input type="hidden" name=(name) value=(ids);
            }
            div.row {
                button type="submit" { "Show" }
                a.button.quiet href=(csv) { "Take it as CSV" }
                a.button.quiet href=(xlsx) { "Take it to a spreadsheet" }
            }
        }
    }
}
