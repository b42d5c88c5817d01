use std::collections::BTreeMap;

use contracts::{ProjectId, TaskId};

use super::{Stretch, Total};

/// What time sums up to, by project and task.
pub(crate) type Cells = BTreeMap<(ProjectId, TaskId), Total>;

/// The sums of stretches.
pub(crate) fn cells(stretches: &[Stretch]) -> Cells {
    let mut cells = Cells::new();
    for stretch in stretches {
        *cells.entry((stretch.work.project, stretch.work.task)).or_default() += stretch.total();
    }
    cells
}

/// The sums of sums.
pub(crate) fn add_up<'a>(all: impl IntoIterator<Item = &'a Cells>) -> Cells {
    let mut sums = Cells::new();
    for (key, total) in all.into_iter().flatten() {
        *sums.entry(*key).or_default() += *total;
    }
    sums
}
