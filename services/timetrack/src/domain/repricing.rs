use contracts::{Price, RatedWork, TimeRange, Window};

use super::Bindings;

/// The price of a recorded window at the present rates, if it differs from the recorded one. None
/// if the project is unknown, because its payroll rates are unknown too.
pub(crate) fn repriced(window: &Window, bindings: &Bindings) -> Option<Price> {
    bindings.project(window.project_id)?;
    let work = RatedWork { employee: window.employee_id, project: window.project_id, task: window.task_id };
    let range = TimeRange::new(window.start, window.end).ok()?;
    let price = bindings.price(work, range);
    (price.rates != window.rates() || price.parts != window.rate_parts).then_some(price)
}
