//! Tables as spreadsheet files (XLSX): real dates, hours that can be added up, money to the cent.

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

/// What a spreadsheet file is called in `Accept` and `Content-Type`.
pub(crate) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// The most lines of a file: it is held in memory until it is sent.
pub(crate) const MOST_LINES: usize = 100_000;

/// A spreadsheet file, for the description of the API.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "the form of an answer, for the documentation")]
pub(crate) struct SheetFile(Vec<u8>);

/// What stands in a column, and so how it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Words.
    Text,
    /// A day.
    Date,
    /// A month, as its first day.
    Month,
    /// A moment, as the clocks of the sheet's zone show it.
    #[cfg_attr(not(test), allow(dead_code, reason = "no sheet has any yet"))]
    Moment,
    /// A length of time.
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
    /// What stands above it.
    pub(crate) name: String,
    /// What stands in it.
    pub(crate) kind: Kind,
}

impl Column {
    /// A column.
    pub(crate) fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind }
    }
}

/// A table for a spreadsheet.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    /// What it is about.
    pub(crate) title: String,
    /// What its reader must know of it, a line each.
    pub(crate) notes: Vec<String>,
    /// Where its days and moments are.
    pub(crate) zone: Zone,
    /// The columns.
    pub(crate) columns: Vec<Column>,
    /// The lines, each with a cell for every column.
    pub(crate) rows: Vec<Vec<Cell>>,
    /// The sums below them, in the same way.
    pub(crate) totals: Option<Vec<Cell>>,
}

impl Sheet {
    /// The file. Takes a while where there are many lines, so not on a thread that others wait for.
    ///
    /// # Errors
    /// 422 for more lines than a file may have.
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

/// Answers with a sheet as a file, which a browser keeps under the name of the disposition.
///
/// # Errors
/// As [`Sheet::file`].
pub(crate) async fn answer(sheet: Sheet, disposition: &'static str) -> Result<Response, Problem> {
    // Writing a long file takes longer than others should wait for this thread.
    let written = tokio::task::spawn_blocking(move || sheet.file()).await;
    let file = written.map_err(|error| {
        tracing::error!(%error, "a sheet that cannot be written");
        Failure::new(Code::Internal, "Something went wrong on our side.")
    })??;
    let headers = [(CONTENT_TYPE, XLSX), (CONTENT_DISPOSITION, disposition), (VARY, "accept")];
    Ok((headers, file).into_response())
}

/// What whoever asks for a longer table is told.
pub(crate) fn too_long() -> Failure {
    let most = MOST_LINES;
    Failure::field("groupBy", format!("must give at most {most} lines: take CSV, which has no bound, or fewer days"))
}
