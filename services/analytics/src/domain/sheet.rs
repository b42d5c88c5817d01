use std::collections::BTreeMap;

use contracts::EmployeeId;

use super::{Cells, EmployeeDay, EmployeeMonth, Stretch, Total, UtcMonth};

/// The data that a report needs from the stored document of one UTC month, of an employee or of all
/// employees together. Days are counted from 1970-01-01. A missing day has no time.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    /// The employee; none for all employees together.
    pub(crate) employee: Option<EmployeeId>,
    pub(crate) month: UtcMonth,
    /// The sums of the whole month, by project and task.
    pub(crate) total: Cells,
    /// The sum of each day, of all projects and tasks together.
    pub(crate) sums: BTreeMap<i64, Total>,
    /// The sums of each day, by project and task.
    pub(crate) cells: BTreeMap<i64, Cells>,
    /// The stretches of each day, in order of time.
    pub(crate) stretches: BTreeMap<i64, Vec<Stretch>>,
}

impl Sheet {
    /// The sheets of these days, with the stretches and no sums.
    pub(crate) fn of_days(days: BTreeMap<EmployeeDay, Vec<Stretch>>) -> Vec<Self> {
        let mut months: BTreeMap<EmployeeMonth, BTreeMap<i64, Vec<Stretch>>> = BTreeMap::new();
        for (day, stretches) in days {
            months.entry(day.month()).or_default().insert(day.day, stretches);
        }
        let sheet = |(EmployeeMonth { employee, month }, stretches)| Self {
            employee: Some(employee),
            month,
            total: Cells::new(),
            sums: BTreeMap::new(),
            cells: BTreeMap::new(),
            stretches,
        };
        months.into_iter().map(sheet).collect()
    }
}
