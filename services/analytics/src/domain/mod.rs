//! The rules: which part of a window counts, for which days, and what it sums up to. Pure.

mod day;
mod fact;
mod filter;
mod part;
mod split;
#[cfg(test)]
mod tests;
mod total;

pub(crate) use day::{Cells, EmployeeDay, cells, runs};
pub(crate) use fact::{Place, is_sound, latest};
pub(crate) use filter::Filter;
pub(crate) use part::{Overlaps, Part, parts};
pub(crate) use split::Split;
pub(crate) use total::Total;
