//! Formats a list as a JSON array, or as a table in CSV (RFC 4180).

use std::io;

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use contracts::{Code, Failure};
use csv::{Terminator, WriterBuilder};
use serde::Serialize;
use serde_json::Value;

use crate::{extract::Listing, sheet::defused};

/// The format in which a list is sent.
#[derive(Debug)]
pub(super) enum Form {
    /// A JSON array. The list has no other format.
    Json,
    /// A JSON array of a list that would be sent as CSV if the caller preferred it.
    JsonOverCsv,
    /// A table in CSV.
    Csv(Table),
}

/// The file name and the columns of a list in CSV.
#[derive(Debug)]
pub(super) struct Table {
    /// The header `Content-Disposition`, which names the file for browsers.
    pub(super) disposition: &'static str,
    /// The columns, by the names of the fields in JSON.
    pub(super) columns: Vec<&'static str>,
}

impl Form {
    /// CSV if the caller prefers it, otherwise JSON.
    pub(super) fn wanted(listing: &Listing, table: Table) -> Self {
        if listing.wants_csv { Self::Csv(table) } else { Self::JsonOverCsv }
    }

    /// The headers of a response in this format.
    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut say = |name, value| headers.insert(name, HeaderValue::from_static(value));
        match self {
            Self::Json => drop(say(header::CONTENT_TYPE, "application/json")),
            Self::JsonOverCsv => {
                say(header::CONTENT_TYPE, "application/json");
                say(header::VARY, "accept");
            }
            Self::Csv(table) => {
                say(header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present");
                say(header::VARY, "accept");
                say(header::CONTENT_DISPOSITION, table.disposition);
            }
        }
        headers
    }

    /// The response with all items in one part.
    pub(super) fn answer<U: Serialize>(&self, items: impl Iterator<Item = U>) -> Result<Response, Failure> {
        let body = self.chunk(items, true, true).map_err(|error| unwritten(&error))?;
        Ok((self.headers(), body).into_response())
    }

    /// A part of the body, which contains these items.
    pub(super) fn chunk<U: Serialize>(
        &self,
        items: impl Iterator<Item = U>,
        is_first: bool,
        is_last: bool,
    ) -> io::Result<Vec<u8>> {
        match self {
            Self::Json | Self::JsonOverCsv => json(items, is_first, is_last),
            Self::Csv(table) => table.lines(items, is_first),
        }
    }
}

/// The failure for an item that cannot be serialized.
pub(super) fn unwritten(error: &io::Error) -> Failure {
    tracing::error!(%error, "an answer that cannot be written");
    Failure::new(Code::Internal, "Something went wrong on our side.")
}

fn json<U: Serialize>(items: impl Iterator<Item = U>, is_first: bool, is_last: bool) -> io::Result<Vec<u8>> {
    let mut chunk = if is_first { b"[".to_vec() } else { Vec::new() };
    for (index, item) in items.enumerate() {
        if index > 0 || !is_first {
            chunk.push(b',');
        }
        serde_json::to_writer(&mut chunk, &item)?;
    }
    if is_last {
        chunk.push(b']');
    }
    Ok(chunk)
}

impl Table {
    fn lines<U: Serialize>(&self, items: impl Iterator<Item = U>, with_header: bool) -> io::Result<Vec<u8>> {
        let mut csv = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
        if with_header {
            csv.write_record(&self.columns)?;
        }
        for item in items {
            let item = serde_json::to_value(item)?;
            csv.write_record(self.columns.iter().map(|column| cell(&item[column])))?;
        }
        csv.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// The text of a cell. A text that a spreadsheet would take for a formula is escaped; numbers stay
/// numbers.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => defused(text).into_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(items: &[Value], with_header: bool) -> String {
        let table = Table { disposition: "attachment", columns: vec!["name", "time"] };
        String::from_utf8(table.lines(items.iter(), with_header).expect("written")).expect("text")
    }

    #[test]
    fn a_table_has_a_header_and_ends_each_line_with_cr_and_lf() {
        assert_eq!(lines(&[], true), "name,time\r\n");
        assert_eq!(lines(&[json!({"time": 5, "name": "a", "x": 1}), json!({})], true), "name,time\r\na,5\r\n,\r\n");
        assert_eq!(lines(&[json!({"name": true, "time": 1.5})], false), "true,1.5\r\n");
    }

    #[test]
    fn what_would_break_a_line_or_a_cell_is_quoted() {
        let name = |name: &str| lines(&[json!({"name": name, "time": 5})], false);
        assert_eq!(name("a,b"), "\"a,b\",5\r\n");
        assert_eq!(name("a \"b\""), "\"a \"\"b\"\"\",5\r\n");
        assert_eq!(name("a\nb"), "\"a\nb\",5\r\n");
        assert_eq!(name("語"), "語,5\r\n");
    }

    #[test]
    fn a_formula_becomes_a_text_and_a_negative_number_stays_one() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            let line = lines(&[json!({"name": formula, "time": -5})], false);
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
            let cells = reader.records().next().expect("a line").expect("CSV");
            assert_eq!((&cells[0], &cells[1]), (format!("'{formula}").as_str(), "-5"));
        }
        assert_eq!(lines(&[json!({"name": "a=b"})], false), "a=b,\r\n");
    }
}
