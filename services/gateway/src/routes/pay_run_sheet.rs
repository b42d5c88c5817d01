//! A pay run as a spreadsheet file (XLSX), for payroll accounting.

use axum::response::Response;
use contracts::{Millis, PaidPeriod, PayRun, Zone};
use jiff::civil::Date;

use super::{audit::record_taken, time_sheet::currency_note};
use crate::{
    App,
    error::Problem,
    names::{Ids, KnownNames},
    sheet::{Cell, Column, Kind, Sheet, answer},
};

/// Answers with the spreadsheet file: a row for each period, and a row with the sums of the run.
/// The audit trail records the export.
pub(super) async fn answered(app: &App, run: &PayRun, periods: &[PaidPeriod]) -> Result<Response, Problem> {
    record_taken(app, "pay-run").await?;
    let employees = periods.iter().map(|period| period.employee_id).collect();
    let names = app.names.of(Ids { employees, ..Ids::default() }).await;
    let zone = app.organisation.settings().await.timezone.clone();
    let mut sheet = sheet(run, periods, &names, zone);
    sheet.notes.extend(currency_note(app).await);
    answer(sheet, "attachment; filename=\"pay-run.xlsx\"").await
}

fn sheet(run: &PayRun, periods: &[PaidPeriod], names: &KnownNames, zone: Zone) -> Sheet {
    let day = |at: Millis| Cell::Date(zone.day(at));
    let last = |end: Millis| Cell::Date(zone.day(end - 1));
    let columns = [
        ("Employee", Kind::Text),
        ("From", Kind::Date),
        ("To", Kind::Date),
        ("Hours", Kind::Hours),
        ("Cost", Kind::Money),
        ("Income", Kind::Money),
        ("Hours of adjustments", Kind::Hours),
        ("Cost of adjustments", Kind::Money),
        ("Income of adjustments", Kind::Money),
        ("Period", Kind::Text),
    ];
    let row = |period: &PaidPeriod| {
        vec![
            Cell::text(names.employees.get(&period.employee_id)),
            day(period.start),
            last(period.end),
            Cell::Hours(period.time),
            Cell::Money(period.costs),
            Cell::Money(period.income),
            Cell::Hours(period.adjustment_time),
            Cell::Money(period.adjustment_costs),
            Cell::Money(period.adjustment_income),
            Cell::text(Some(period.id)),
        ]
    };
    let totals = vec![
        Cell::Text("All".to_owned()),
        Cell::Empty,
        Cell::Empty,
        Cell::Hours(run.time),
        Cell::Money(run.costs),
        Cell::Money(run.income),
        Cell::Hours(run.adjustment_time),
        Cell::Money(run.adjustment_costs),
        Cell::Money(run.adjustment_income),
        Cell::Empty,
    ];
    let dates: (Date, Date) = (zone.day(run.start), zone.day(run.end - 1));
    Sheet {
        title: format!("Pay run of {} to {}", dates.0, dates.1),
        notes: vec![
            "Adjustments are hours that came when their own period was settled; they are paid here.".to_owned(),
        ],
        columns: columns.into_iter().map(|(name, kind)| Column::new(name, kind)).collect(),
        rows: periods.iter().map(row).collect(),
        totals: Some(totals),
        zone,
    }
}
