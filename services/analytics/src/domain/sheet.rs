use std::collections::BTreeMap;

use contracts::EmployeeId;

use super::{Cells, EmployeeDay, EmployeeMonth, Stretch, Total, UtcMonth};

/// What is stored of a month of an employee or of all, as far as it was asked for. Days are
/// counted from 1970-01-01; one that is not there has nothing that counts.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    /// Whose; nobody's where it is everybody's.
    pub(crate) employee: Option<EmployeeId>,
    pub(crate) month: UtcMonth,
    /// The sums of the month.
    pub(crate) total: Cells,
    /// What each day sums up to.
    pub(crate) sums: BTreeMap<i64, Total>,
    /// The same by project and task.
    pub(crate) cells: BTreeMap<i64, Cells>,
    /// What counts on each day.
    pub(crate) stretches: BTreeMap<i64, Vec<Stretch>>,
}

impl Sheet {
    /// The months that these days lie in, with nothing but what counts on the days.
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
