use std::collections::BTreeMap;

use contracts::EmployeeId;

use super::{Cells, EmployeeDay, EmployeeMonth, Stretch, Total, UtcMonth};

/// The stored month of an employee or of the company, as far as it is needed. Days are counted from 1970-01-01; a
/// missing day has no time.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    /// The employee; none for the company.
    pub(crate) employee: Option<EmployeeId>,
    pub(crate) month: UtcMonth,
    /// The sums of the month.
    pub(crate) total: Cells,
    /// The sum of each day.
    pub(crate) sums: BTreeMap<i64, Total>,
    /// The sum of each day by project and task.
    pub(crate) cells: BTreeMap<i64, Cells>,
    /// The stretches of each day.
    pub(crate) stretches: BTreeMap<i64, Vec<Stretch>>,
}

impl Sheet {
    /// The months of these days, with nothing but their stretches.
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
