use std::collections::BTreeMap;

use contracts::{ProjectId, TaskId};

use super::{Stretch, Total};

/// The sums of each project and task, ordered by project and task, each pair once. A list and not a
/// map, because sums are read far more often than changed.
pub(crate) type Cells = Vec<((ProjectId, TaskId), Total)>;

/// The sums of these stretches by project and task.
pub(crate) fn cells(stretches: &[Stretch]) -> Cells {
    sum(stretches.iter().map(|stretch| ((stretch.work.project, stretch.work.task), stretch.total())))
}

/// The sums of several lists, added up by project and task.
pub(crate) fn add_up<'a>(all: impl IntoIterator<Item = &'a Cells>) -> Cells {
    sum(all.into_iter().flatten().copied())
}

fn sum(all: impl Iterator<Item = ((ProjectId, TaskId), Total)>) -> Cells {
    let mut sums: BTreeMap<_, Total> = BTreeMap::new();
    for (work, total) in all {
        *sums.entry(work).or_default() += total;
    }
    sums.into_iter().collect()
}
