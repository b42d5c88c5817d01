use std::sync::Arc;

use axum::{extract::State, response::Response};
use contracts::{Adjustment, AdjustmentCursor, EmployeeId, ListAdjustments, TeamId};

use super::{
    form::Form,
    list::{List, ListRequest},
    named::NamedAdjustment,
};
use crate::{
    App,
    auth::AdminOrEmployee,
    error::Problem,
    extract::{Listing, Paging, Params},
    teams,
};

/// List the adjustments that count in a range.
///
/// An adjustment is a window that arrived after its own time was settled, and that somebody has
/// admitted. `start` and `end` say when the work was done. The adjustment counts at `countsAt`, a
/// moment that was not settled then. It counts in the pay period that contains this moment, but
/// separately from the sums of that period. No sum of analytics includes adjustments, neither at
/// the time of the work, which is settled, nor at `countsAt`. If adjustments are added to the sums
/// of analytics, each second counts once. The list is ordered by `countsAt`. An employee gets their
/// own adjustments.
#[utoipa::path(
    get, path = "/api/v1/adjustment", tag = "Periods", security(("adminKey" = []), ("employeeToken" = [])),
    params(
        ("start" = i64, Query, description = "The first moment at which they count, in milliseconds since 1970 UTC.", example = 1_760_000_000_000i64),
        ("end" = i64, Query, description = "The first moment after.", example = 1_760_086_400_000i64),
        ("employeeId" = Option<HashSet<EmployeeId>>, Query, style = Form, explode = false, max_items = 1_000, description = "Of these employees only: ids with commas between."),
        ("teamId" = Option<HashSet<TeamId>>, Query, style = Form, explode = false, max_items = 1_000, description = "Of the employees of these teams only."),
        Paging,
    ),
    responses(
        (status = 200, description = "The adjustments.", body = Vec<NamedAdjustment>),
        (status = 403, description = "`forbidden`: an id in employeeId is another employee's."),
    ),
)]
pub(super) async fn list_adjustments(
    State(app): State<Arc<App>>,
    AdminOrEmployee(asker): AdminOrEmployee,
    params: Params,
    listing: Listing,
) -> Result<Response, Problem> {
    let range = params.range()?;
    let employees = teams::employees_or_own(&app, &asker, &params).await?;
    let list = List { app, asker, listing, form: Form::Json };
    list.answer_named(ListAdjustments { range, employees, after: None }).await
}

impl ListRequest for ListAdjustments {
    type Item = Adjustment;
    type Place = AdjustmentCursor;

    fn after(&self, after: Option<AdjustmentCursor>) -> Self {
        Self { after, ..self.clone() }
    }

    fn place(&self, item: &Adjustment) -> AdjustmentCursor {
        AdjustmentCursor { counts_at: item.counts_at, id: item.id }
    }
}
