use contracts::{DAY, Millis, Zone};
use jiff::{
    Timestamp,
    civil::{Date, date},
};
use rust_xlsxwriter::{DocProperties, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::{Cell, Column, Kind, Sheet, defused};

/// The first day for which all spreadsheet programs have the same serial number. Some treat 1900 as
/// a leap year, so earlier days are written as text.
const FIRST: Date = date(1900, 3, 1);
/// The serial number of 1970-01-01 in spreadsheets, which count days.
const EPOCH: i64 = 25_569;

/// The formats of a column's cells: in the rows, and in the row of sums.
struct Formats {
    line: Format,
    total: Format,
}

impl Formats {
    fn of(kind: Kind) -> Self {
        let plain = Format::new();
        let line = match kind {
            Kind::Text => plain,
            Kind::Date => plain.set_num_format("yyyy-mm-dd"),
            Kind::Month => plain.set_num_format("yyyy-mm"),
            Kind::Moment => plain.set_num_format("yyyy-mm-dd hh:mm:ss"),
            Kind::Hours => plain.set_num_format("[h]:mm"),
            Kind::Money => plain.set_num_format("#,##0.00"),
            Kind::Number => plain.set_num_format("#,##0"),
        };
        Self { total: line.clone().set_bold(), line }
    }
}

/// Writes a file with title, time zone, notes, headings, rows and sums.
pub(super) fn file(sheet: &Sheet) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    book.set_properties(&DocProperties::new().set_title(defused(&sheet.title)));
    let page = book.add_worksheet();
    let bold = Format::new().set_bold();
    page.write_string_with_format(0, 0, defused(&sheet.title), &bold)?;
    let zone = format!("Time zone: {}", sheet.zone);
    let mut row = 1;
    for line in [&zone].into_iter().chain(&sheet.notes) {
        page.write_string(row, 0, defused(line))?;
        row += 1;
    }
    row += 1;
    for (column, Column { name, kind }) in (0..).zip(&sheet.columns) {
        let of_numbers = matches!(kind, Kind::Hours | Kind::Money | Kind::Number);
        let format = if of_numbers { bold.clone().set_align(FormatAlign::Right) } else { bold.clone() };
        page.write_string_with_format(row, column, defused(name), &format)?;
        page.set_column_width(column, width(sheet, usize::from(column)))?;
    }
    row += 1;
    page.set_freeze_panes(row, 0)?;
    let formats: Vec<Formats> = sheet.columns.iter().map(|column| Formats::of(column.kind)).collect();
    for cells in &sheet.rows {
        for ((column, cell), formats) in (0..).zip(cells).zip(&formats) {
            write(page, (row, column), cell, &formats.line, &sheet.zone)?;
        }
        row += 1;
    }
    for ((column, cell), formats) in (0..).zip(sheet.totals.iter().flatten()).zip(&formats) {
        write(page, (row, column), cell, &formats.total, &sheet.zone)?;
    }
    book.save_to_buffer()
}

fn write(page: &mut Worksheet, at: (u32, u16), cell: &Cell, format: &Format, zone: &Zone) -> Result<(), XlsxError> {
    let (row, column) = at;
    let number = match cell {
        Cell::Empty => return Ok(()),
        Cell::Text(text) => {
            page.write_string_with_format(row, column, defused(text), format)?;
            return Ok(());
        }
        Cell::Date(day) if *day < FIRST => {
            page.write_string_with_format(row, column, day.to_string(), format)?;
            return Ok(());
        }
        Cell::Date(day) => days(*day) as f64,
        Cell::Moment(at) => moment(*at, zone),
        Cell::Hours(millis) => *millis as f64 / DAY as f64,
        // A spreadsheet rounds the double to two decimals, which gives the exact amount again.
        Cell::Money(cents) => cents.0 as f64 / 100.0,
        Cell::Number(number) => *number as f64,
    };
    page.write_number_with_format(row, column, number, format)?;
    Ok(())
}

/// The serial number of a day.
fn days(day: Date) -> i64 {
    i64::from((day - date(1970, 1, 1)).get_days()) + EPOCH
}

/// The serial number of a moment, in the local time of the zone.
fn moment(at: Millis, zone: &Zone) -> f64 {
    let local = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.rules().clone());
    let time = local.time();
    let seconds = (i64::from(time.hour()) * 60 + i64::from(time.minute())) * 60 + i64::from(time.second());
    days(local.date()) as f64 + (seconds * 1_000 + i64::from(time.millisecond())) as f64 / DAY as f64
}

/// The width of a column in characters, from its longest text, within limits. The title does not
/// count, because it may span several columns.
fn width(sheet: &Sheet, column: usize) -> f64 {
    let least = match sheet.columns[column].kind {
        Kind::Moment => 19,
        _ => 10,
    };
    let cells = sheet.rows.iter().filter_map(|cells| match cells.get(column) {
        Some(Cell::Text(text)) => Some(text.chars().count()),
        _ => None,
    });
    let longest = cells.chain([sheet.columns[column].name.chars().count()]).max().unwrap_or_default();
    longest.clamp(least, 60) as f64 + 2.0
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, DataType, Reader, Xlsx};
    use contracts::{Cents, HOUR};
    use proptest::prelude::*;

    use super::*;

    fn sheet(kind: Kind, cells: Vec<Cell>, zone: &str) -> Sheet {
        Sheet {
            title: "=Title".to_owned(),
            notes: vec!["@note".to_owned()],
            zone: zone.parse().expect("a zone"),
            columns: vec![Column::new("-Name", kind)],
            rows: cells.into_iter().map(|cell| vec![cell]).collect(),
            totals: Some(vec![Cell::Hours(5 * HOUR)]),
        }
    }

    /// Reads the cells of the first column back with another library, and checks that the file has
    /// no formulas.
    fn read(sheet: &Sheet) -> Vec<Data> {
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(sheet.file().expect("a file"))).expect("a book");
        let formulas = book.worksheet_formula("Sheet1").expect("a page");
        assert!(formulas.is_empty(), "{formulas:?}");
        let page = book.worksheet_range("Sheet1").expect("a page");
        (0..=page.end().expect("cells").0).map(|row| page.get_value((row, 0)).cloned().unwrap_or_default()).collect()
    }

    fn lines(kind: Kind, cells: Vec<Cell>, zone: &str) -> Vec<Data> {
        let mut all = read(&sheet(kind, cells, zone)).split_off(5);
        all.pop();
        all
    }

    #[test]
    fn the_head_names_the_zone_and_no_text_is_a_formula() {
        let texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "a=b", ""];
        let cells = texts.map(|text| Cell::Text(text.to_owned()));
        let read: Vec<String> =
            read(&sheet(Kind::Text, cells.into(), "Europe/Berlin")).iter().map(ToString::to_string).collect();
        assert_eq!(read[..5], ["'=Title", "Time zone: Europe/Berlin", "'@note", "", "'-Name"]);
        assert_eq!(read[5..12], ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "'\r=1", "a=b"]);
    }

    #[test]
    fn days_months_and_moments_are_real_ones() {
        let day = date(2026, 3, 29);
        for kind in [Kind::Date, Kind::Month] {
            let [Data::DateTime(read)] = &lines(kind, vec![Cell::Date(day)], "UTC")[..] else { panic!("a date") };
            assert_eq!(read.as_f64(), 46_110.0);
            assert!(read.is_datetime());
        }
        // 2026-03-29 01:30 UTC is 03:30 in Berlin, half an hour after clocks were set forward.
        let at = Millis(1_774_747_800_000);
        let read = lines(Kind::Moment, vec![Cell::Moment(at)], "Europe/Berlin");
        let Data::DateTime(read) = &read[0] else { panic!("a moment") };
        assert_eq!((read.as_f64() * 24.0 * 60.0).round(), (46_110.0 * 24.0 + 3.5) * 60.0);
        assert_eq!(lines(Kind::Date, vec![Cell::Date(date(1900, 2, 28))], "UTC")[0].to_string(), "1900-02-28");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn hours_and_money_are_read_back_to_the_millisecond_and_the_cent(
            millis in 0..10_000 * HOUR, cents in -1_000_000_000_000..1_000_000_000_000_i64, number in 0..1_000_000_i64,
        ) {
            let hours = lines(Kind::Hours, vec![Cell::Hours(millis)], "UTC");
            let Data::DateTime(read) = &hours[0] else { panic!("a length of time: {hours:?}") };
            prop_assert!(read.is_duration());
            prop_assert_eq!((read.as_f64() * DAY as f64).round() as i64, millis);
            let money = lines(Kind::Money, vec![Cell::Money(Cents(cents))], "UTC");
            prop_assert_eq!((money[0].as_f64().expect("a number") * 100.0).round() as i64, cents);
            let whole = lines(Kind::Number, vec![Cell::Number(number), Cell::Empty], "UTC");
            prop_assert_eq!(whole[0].as_i64(), Some(number));
        }
    }

    #[test]
    fn a_table_that_is_too_long_for_a_file_is_refused() {
        let long = sheet(Kind::Number, vec![Cell::Number(1); super::super::MOST_LINES + 1], "UTC");
        assert_eq!(long.file().expect_err("refused").code, contracts::Code::Invalid);
    }
}
