//! The pure rules: which part of a window counts, and how reports are computed from sums of days
//! and months.

mod bucket;
mod cells;
mod day;
mod fact;
mod long_day;
mod month;
mod part;
mod pieces;
mod plan;
mod question;
mod sheet;
mod stretch;
mod tally;
#[cfg(test)]
pub(crate) mod tests;
mod total;
mod touched;

pub(crate) use bucket::{Bucket, buckets};
pub(crate) use cells::{Cells, add_up, cells};
pub(crate) use day::EmployeeDay;
pub(crate) use fact::{Place, is_sound, latest};
pub(crate) use long_day::{CountedDay, explained};
pub(crate) use month::{EmployeeMonth, UtcMonth};
pub(crate) use part::{Overlaps, Part, parts};
pub(crate) use pieces::DayPieces;
pub(crate) use plan::{Piece, Step, plan, plan_of_edges};
pub(crate) use question::{Key, Question, Source};
pub(crate) use sheet::Sheet;
pub(crate) use stretch::{Stretch, Work, anew, stretches};
pub(crate) use tally::Tally;
pub(crate) use total::Total;
pub(crate) use touched::Touched;
