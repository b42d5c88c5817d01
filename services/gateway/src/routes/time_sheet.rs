//! Reports of time and money as spreadsheet files (XLSX).

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use contracts::{Failure, GetTime, Grouping, Millis, TimeRow, Zone};
use jiff::Timestamp;

use super::{audit::record_taken, list::ListRequest};
use crate::{
    App,
    auth::Asker,
    error::Problem,
    extract::Listing,
    names::{Ids, KnownNames},
    sheet::{Cell, Column, Kind, MOST_LINES, Sheet, answer, too_long},
};

/// The header `Content-Disposition`, which names the file for browsers.
const DISPOSITION: &str = "attachment; filename=\"time.xlsx\"";
/// A note in the file, for readers who add up the rows or pay employees by the sums.
const ROUNDED: &str = "Amounts are rounded to cents once, so the sum can differ by cents from that of the lines. \
     Adjustments, which are hours that came when their time was settled, are no part of it.";

/// Answers with a spreadsheet file. It has the rows of the report and, if these are all rows, their
/// sums.
pub(crate) async fn time_as_xlsx(
    app: Arc<App>,
    asker: Asker,
    request: GetTime,
    listing: Listing,
) -> Result<Response, Problem> {
    record_taken(&app, "time").await?;
    let after = listing.after()?;
    let is_part = after.is_some() || listing.limit.is_some();
    let most = listing.limit.unwrap_or(MOST_LINES);
    let whole = GetTime { group_by: BTreeSet::new(), ..request.clone() };
    let ((rows, has_more), whole) = futures::try_join!(rows(&app, &asker, request.after(after), most), async {
        if is_part { Ok(None) } else { asker.ask(&app, whole).await.map(Some) }
    })?;
    let link = match rows.last().filter(|_| has_more) {
        Some(_) if !is_part => return Err(too_long().into()),
        Some(last) => Some((header::LINK, listing.link(&request.place(last))?)),
        None => None,
    };
    let totals = whole.map(|whole| whole.items);
    let names = app.names.of(ids_of(&rows)).await;
    let mut sheet = sheet(&request, &rows, totals.as_deref(), &names);
    sheet.notes.extend(currency_note(&app).await);
    let file = answer(sheet, DISPOSITION).await?;
    Ok((link.map(|link| [link]), file).into_response())
}

/// A note about the currency of the amounts, if the organisation has set one.
pub(super) async fn currency_note(app: &App) -> Option<String> {
    let currency = app.organisation.settings().await.currency;
    currency.map(|currency| format!("Amounts are in {currency}."))
}

/// The first `most` rows, and whether there are more.
async fn rows(app: &App, asker: &Asker, mut request: GetTime, most: usize) -> Result<(Vec<TimeRow>, bool), Failure> {
    let mut rows: Vec<TimeRow> = Vec::new();
    loop {
        let page = asker.ask(app, request.clone()).await?;
        rows.extend(page.items);
        let has_more = rows.len() > most || page.next.is_some();
        if rows.len() >= most || page.next.is_none() {
            rows.truncate(most);
            return Ok((rows, has_more));
        }
        request = request.after(page.next);
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

/// The function that returns the cell of a column in a row.
type Says = fn(&TimeRow, &KnownNames) -> Cell;

/// The columns: first names, days and sums for people, then ids for programs.
fn columns(by: &BTreeSet<Grouping>) -> Vec<(Column, Says)> {
    use Grouping::{Day, Employee, Month, Project, Task, Week};
    let keys: [(Grouping, &str, Kind, Says); 6] = [
        (Day, "Day", Kind::Date, |row, _| Cell::date(row.day)),
        (Week, "Week from", Kind::Date, |row, _| Cell::date(row.week)),
        (Month, "Month", Kind::Month, |row, _| Cell::date(row.month.map(contracts::YearMonth::first_day))),
        (Project, "Project", Kind::Text, |row, names| {
            Cell::text(row.project.and_then(|id| names.work.projects.get(&id)))
        }),
        (Task, "Task", Kind::Text, |row, names| Cell::text(row.task.and_then(|id| names.work.tasks.get(&id)))),
        (Employee, "Employee", Kind::Text, |row, names| {
            Cell::text(row.employee.and_then(|id| names.employees.get(&id)))
        }),
    ];
    let ids: [(Grouping, &str, Kind, Says); 3] = [
        (Project, "Project id", Kind::Text, |row, _| Cell::text(row.project)),
        (Task, "Task id", Kind::Text, |row, _| Cell::text(row.task)),
        (Employee, "Employee id", Kind::Text, |row, _| Cell::text(row.employee)),
    ];
    let sums: [(&str, Kind, Says); 3] = [
        ("Hours", Kind::Hours, |row, _| Cell::Hours(row.time)),
        ("Cost", Kind::Money, |row, _| Cell::Money(row.costs)),
        ("Income", Kind::Money, |row, _| Cell::Money(row.income)),
    ];
    let wanted = |(grouping, name, kind, says): (Grouping, &str, Kind, Says)| {
        by.contains(&grouping).then(|| (Column::new(name, kind), says))
    };
    let sums = sums.into_iter().map(|(name, kind, says)| (Column::new(name, kind), says));
    keys.into_iter().filter_map(wanted).chain(sums).chain(ids.into_iter().filter_map(wanted)).collect()
}

/// Makes the table. `totals` is the row of the whole report: empty if there is no time, `None` if
/// the sums are left out.
fn sheet(request: &GetTime, rows: &[TimeRow], totals: Option<&[TimeRow]>, names: &KnownNames) -> Sheet {
    let columns = columns(&request.group_by);
    let sums = |whole: &[TimeRow]| {
        let cells = columns.iter().enumerate().map(|(n, (column, says))| match (column.kind, whole.first()) {
            (Kind::Hours | Kind::Money, Some(row)) => says(row, names),
            (Kind::Hours, None) => Cell::Hours(0),
            (Kind::Money, None) => Cell::Money(contracts::Cents(0)),
            _ if n == 0 => Cell::Text("All".to_owned()),
            _ => Cell::Empty,
        });
        cells.collect()
    };
    let (start, end) = (request.range.start(), request.range.end());
    Sheet {
        title: format!("Time from {} to {}", moment(start, &request.timezone), moment(end, &request.timezone)),
        notes: vec![ROUNDED.to_owned()],
        zone: request.timezone.clone(),
        rows: rows.iter().map(|row| columns.iter().map(|(_, says)| says(row, names)).collect()).collect(),
        totals: totals.map(sums),
        columns: columns.iter().map(|(column, _)| column.clone()).collect(),
    }
}

/// A moment as a date and a time of day, to the minute; as a number of milliseconds if it is beyond
/// the calendar.
fn moment(at: Millis, zone: &Zone) -> String {
    let local = Timestamp::from_millisecond(at.0).map(|at| at.to_zoned(zone.rules().clone()));
    local.map_or_else(|_| at.to_string(), |local| local.strftime("%Y-%m-%d %H:%M").to_string())
}
