use std::borrow::Cow;

use contracts::{Cents, Millis};
use jiff::civil::Date;

/// The content of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// An empty cell.
    Empty,
    /// A text. It stays a text even if it looks like a formula.
    Text(String),
    /// A day, or the first day of a month.
    Date(Date),
    /// A moment, which is shown in the local time of the sheet's zone.
    #[cfg_attr(not(test), allow(dead_code, reason = "no sheet has any yet"))]
    Moment(Millis),
    /// A duration, in milliseconds.
    Hours(i64),
    /// An amount of money.
    Money(Cents),
    /// A whole number.
    #[cfg_attr(not(test), allow(dead_code, reason = "no sheet has any yet"))]
    Number(i64),
}

impl Cell {
    /// A cell with this text, or an empty cell for `None`.
    pub(crate) fn text(text: Option<impl ToString>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.to_string()))
    }

    /// A cell with this day, or an empty cell for `None`.
    pub(crate) fn date(day: Option<Date>) -> Self {
        day.map_or(Self::Empty, Self::Date)
    }
}

/// Puts an apostrophe before a text that a spreadsheet would take for a formula. The text then
/// stays a text, even after the spreadsheet is saved as CSV.
pub(crate) fn defused(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}").into() } else { text.into() }
}
