//! The projection of a step, and the conversion of the documents that it returns.

use bson::{Document, doc};
use contracts::EmployeeId;

use super::{
    months::{Row, days},
    packed,
};
use crate::domain::{Piece, Sheet, Step, UtcMonth};

/// The fields that a step needs. The sums by project and task are read only if the report tells
/// them apart.
pub(super) fn fields(step: &Step, tells_work_apart: bool) -> Document {
    let mut fields = doc! { "_id": 1 };
    let all_sums = !tells_work_apart && step.pieces.iter().any(|(_, piece)| matches!(piece, Piece::Month(_)));
    for (_, piece) in &step.pieces {
        match piece {
            Piece::Month(_) if tells_work_apart => fields.insert("total", 1),
            Piece::Day(day) | Piece::Less(day) if tells_work_apart => fields.insert(format!("cells.{day}"), 1),
            Piece::Month(_) => fields.insert("sums", 1),
            // MongoDB refuses a projection with both a field and a part of it. The whole field
            // includes the day.
            Piece::Day(_) | Piece::Less(_) if all_sums => None,
            Piece::Day(day) | Piece::Less(day) => fields.insert(format!("sums.{day}"), 1),
            Piece::Edge { day, .. } => fields.insert(format!("parts.{day}"), 1),
        };
    }
    fields
}

/// Unpacks the values that were read from the document of a month.
pub(super) fn sheet<Id>(employee: Option<EmployeeId>, month: UtcMonth, row: &Row<Id>) -> anyhow::Result<Sheet> {
    Ok(Sheet {
        employee,
        month,
        total: row.total.as_ref().map(packed::unpack_cells).transpose()?.unwrap_or_default(),
        sums: days(&row.sums, |_, sum| packed::unpack_sum(sum))?,
        cells: days(&row.cells, |_, cells| packed::unpack_cells(cells))?,
        stretches: days(&row.parts, packed::unpack_stretches)?,
    })
}
