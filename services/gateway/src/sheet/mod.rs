//! Writes spreadsheet files (XLSX) with real dates, durations that can be added up, and exact
//! amounts.

mod cell;
mod write;

use axum::{
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, VARY},
    response::{IntoResponse, Response},
};
use contracts::{Code, Failure, Zone};
use utoipa::ToSchema;

pub(crate) use self::cell::{Cell, defused};
use crate::error::Problem;

/// The media type of a spreadsheet file.
pub(crate) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// The largest number of rows in a file. The file is kept in memory until it is sent.
pub(crate) const MOST_LINES: usize = 100_000;

/// The schema of a spreadsheet file in the OpenAPI document.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "the form of an answer, for the documentation")]
pub(crate) struct SheetFile(Vec<u8>);

/// The kind of a column's content, which decides how cells are formatted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text.
    Text,
    /// A day, such as 2026-03-29.
    Date,
    /// A month, whose cells have its first day.
    Month,
    /// A moment, in the local time of the sheet's zone.
    #[cfg_attr(not(test), allow(dead_code, reason = "no sheet has any yet"))]
    Moment,
    /// A duration, in hours and minutes.
    Hours,
    /// An amount of money.
    Money,
    /// A number.
    #[cfg_attr(not(test), allow(dead_code, reason = "no sheet has any yet"))]
    Number,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// The heading of the column.
    pub(crate) name: String,
    /// The kind of the column's content.
    pub(crate) kind: Kind,
}

impl Column {
    /// Creates a column.
    pub(crate) fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind }
    }
}

/// A table that is to be written as a spreadsheet file.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    /// The title, in the first row.
    pub(crate) title: String,
    /// Notes for the reader, each in a row of its own.
    pub(crate) notes: Vec<String>,
    /// The time zone of the days and moments in the table.
    pub(crate) zone: Zone,
    /// The columns.
    pub(crate) columns: Vec<Column>,
    /// The rows, each with a cell for every column.
    pub(crate) rows: Vec<Vec<Cell>>,
    /// The sums, in the row below the other rows.
    pub(crate) totals: Option<Vec<Cell>>,
}

impl Sheet {
    /// Writes the file. Many rows take a while, so call this function on a blocking thread.
    ///
    /// # Errors
    /// 422 if there are more rows than a file may have.
    pub(crate) fn file(&self) -> Result<Vec<u8>, Failure> {
        if self.rows.len() > MOST_LINES {
            return Err(too_long());
        }
        write::file(self).map_err(|error| {
            tracing::error!(%error, "a sheet that cannot be written");
            Failure::new(Code::Internal, "Something went wrong on our side.")
        })
    }
}

/// Answers with a sheet as a file. `disposition` is the header `Content-Disposition`, which names
/// the file.
///
/// # Errors
/// As [`Sheet::file`].
pub(crate) async fn answer(sheet: Sheet, disposition: &'static str) -> Result<Response, Problem> {
    // Writing a long file would block an async thread for too long.
    let written = tokio::task::spawn_blocking(move || sheet.file()).await;
    let file = written.map_err(|error| {
        tracing::error!(%error, "a sheet that cannot be written");
        Failure::new(Code::Internal, "Something went wrong on our side.")
    })??;
    let headers = [(CONTENT_TYPE, XLSX), (CONTENT_DISPOSITION, disposition), (VARY, "accept")];
    Ok((headers, file).into_response())
}

/// The failure for a table with too many rows.
pub(crate) fn too_long() -> Failure {
    let most = MOST_LINES;
    Failure::field("groupBy", format!("must give at most {most} lines: take CSV, which has no bound, or fewer days"))
}
