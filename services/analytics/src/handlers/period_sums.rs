use std::sync::Arc;

use contracts::{EmployeeId, EmployeeSums, Failure, GetPeriodSums, PERIODS_MOST, Page, PeriodSum};
use futures::stream;
use kit::{Call, Error};

use crate::{App, domain::DayPieces};

/// What employees' time comes out at in each of some ranges, page by page: for admins; for employees
/// their own.
pub(crate) async fn period_sums(
    app: Arc<App>,
    call: Call,
    asked: GetPeriodSums,
) -> Result<Page<EmployeeSums, EmployeeId>, Error> {
    let GetPeriodSums { ranges, employees, after } = asked;
    match employees.as_slice() {
        [] => call.require_admin()?,
        named => named.iter().try_for_each(|employee| call.require_sight_of(*employee))?,
    }
    if ranges.len() > PERIODS_MOST {
        return Err(Failure::field("ranges", format!("must be at most {PERIODS_MOST}")).into());
    }
    app.progress.until_caught_up().await?;
    let ranges: Vec<DayPieces> = ranges.into_iter().map(DayPieces::of).collect();
    let all = app.store.employees.period_sums(&ranges, &employees, after).await?;
    let shown = all.into_iter().map(|(employee, sums)| {
        let sums = sums.into_iter().map(PeriodSum::from).collect();
        Ok::<_, Error>(EmployeeSums { employee, sums })
    });
    kit::page_within(stream::iter(shown), |sums| sums.employee).await
}
