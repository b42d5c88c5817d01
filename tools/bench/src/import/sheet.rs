//! Reads a time sheet. Each row has the hours of one developer on one task.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use contracts::{HOUR, Millis};
use jiff::{civil::Date, tz::TimeZone};
use serde::Deserialize;

/// The day that is used for a row without dates.
const NO_DATE: &str = "2004-01-05";

/// A row of the sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The number of the task.
    pub task: u32,
    /// The summary of the task.
    pub summary: String,
    /// The priority of the task.
    pub priority: String,
    /// The status of the task.
    pub status: String,
    /// The project of the task.
    pub project: String,
    /// The number of the developer.
    pub developer: u32,
    /// The hours of the row, in milliseconds.
    pub millis: i64,
    /// Midnight UTC of the day on which the work was started or, without that date, completed. It
    /// is that of 2004-01-05 if the row has neither date.
    pub day: Millis,
}

#[derive(Deserialize)]
struct Line {
    task: u32,
    summary: String,
    priority: String,
    status: String,
    project: String,
    developer: u32,
    hours: String,
    started: String,
    completed: String,
}

/// Reads a sheet from a CSV file.
///
/// # Errors
/// When the file cannot be read, or a row is malformed.
pub fn read(path: &Path) -> Result<Vec<Row>> {
    let mut sheet = csv::Reader::from_path(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut rows = Vec::new();
    for (number, line) in sheet.deserialize().enumerate() {
        let row = line.map_err(anyhow::Error::from).and_then(parse);
        // Row 1 is the header, so the first line of data is row 2.
        rows.push(row.with_context(|| format!("{}, row {}", path.display(), number + 2))?);
    }
    ensure!(!rows.is_empty(), "{} holds no rows", path.display());
    Ok(rows)
}

fn parse(line: Line) -> Result<Row> {
    let Line { task, summary, priority, status, project, developer, hours, started, completed } = line;
    let dates = [started.as_str(), completed.as_str(), NO_DATE];
    let date = dates.into_iter().find(|date| !date.is_empty()).unwrap_or(NO_DATE);
    let date: Date = date.parse().context("started and completed must be dates such as 2004-02-26, or empty")?;
    let day = Millis(date.to_zoned(TimeZone::UTC)?.timestamp().as_millisecond());
    let millis = millis(&hours).with_context(|| format!("hours must be a number such as 1.75, not {hours:?}"))?;
    Ok(Row { task, summary, priority, status, project, developer, millis, day })
}

/// Converts decimal hours into milliseconds. Fractions of a millisecond are dropped.
fn millis(hours: &str) -> Option<i64> {
    let (whole, decimals) = hours.split_once('.').unwrap_or((hours, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || whole.len() > 9 || decimals.len() > 9 || !digits(whole) || !digits(decimals) {
        return None;
    }
    let scale = 10_i64.pow(u32::try_from(decimals.len()).ok()?);
    let part: i64 = if decimals.is_empty() { 0 } else { decimals.parse().ok()? };
    Some(whole.parse::<i64>().ok()? * HOUR + part * HOUR / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_become_milliseconds_without_a_rounding_error() {
        for (hours, expected) in [("1.75", 6_300_000), ("7", 25_200_000), ("0.01", 36_000), ("0.7", 2_520_000)] {
            assert_eq!(millis(hours), Some(expected), "{hours}");
        }
        for bad in ["", ".5", "-1", "1e3", "1,5", "1.2.3"] {
            assert_eq!(millis(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_line_that_makes_no_sense_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sheet.csv");
        let header = "task,summary,priority,status,project,developer,hours,started,completed";
        std::fs::write(&path, format!("{header}\n1,a,1,DONE,P,2,1.5,,\n2,b,1,DONE,P,2,many,,\n")).unwrap();
        let error = format!("{:#}", read(&path).unwrap_err());
        assert!(error.contains("row 3") && error.contains("hours"), "{error}");
    }
}
