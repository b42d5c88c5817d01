//! Reports about time that an admin should check: windows that take time from others, and days that
//! are too long.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use contracts::{
    EmployeeId, Failure, HOUR, ListLongDays, ListOverlaps, LongDay, Overlap, OverlapCursor, ProjectId, TeamId,
    TimeCursor,
};

use super::{
    audit::record_export,
    form::{Form, Table},
    list::{List, ListRequest},
    named::{NamedLongDay, NamedOverlap},
};
use crate::{
    App,
    auth::Admin,
    error::Problem,
    extract::{Listing, Paging, Params},
    teams,
};

/// The default number of hours above which a day is listed.
const HOURS: i64 = 16;

/// List windows that take time from others.
///
/// Where windows of an employee overlap, the window that starts earlier counts. So a window of 23
/// hours, from a computer that slept, takes the time of all other windows of that day. The list has
/// each such window that overlaps the range, ordered by employee and start, with the amount of time
/// that it takes and the windows that it takes time from. If `takenFromOtherComputers` is above 0,
/// the employee used two computers at the same time. To correct this, change or void the window
/// (`PATCH`, `DELETE /api/v1/time-entries/{id}`). With the setting `COUNT_OVERLAPS` no window takes
/// time, and the list is empty.
#[utoipa::path(
    get, path = "/api/v1/analytics/overlaps", tag = "Analytics", security(("adminKey" = [])),
    params(
        ("start" = i64, Query, description = "The first moment, in milliseconds since 1970 UTC.", example = 1_760_000_000_000i64),
        ("end" = i64, Query, description = "The first moment after.", example = 1_760_086_400_000i64),
        ("employeeId" = Option<HashSet<EmployeeId>>, Query, style = Form, explode = false, max_items = 1_000, description = "Of these employees only: ids with commas between."),
        ("teamId" = Option<HashSet<TeamId>>, Query, style = Form, explode = false, max_items = 1_000, description = "Of the employees of these teams only."),
        ("projectId" = Option<HashSet<ProjectId>>, Query, style = Form, explode = false, max_items = 1_000, description = "Only where the window, or one that it takes time from, is on one of these projects."),
        ("timezone" = Option<String>, Query, description = "A zone of the IANA database. It changes nothing here: only instants count.", example = "Europe/Berlin"),
        Paging,
    ),
    responses((status = 200, description = "The windows.", content(
        (Vec<NamedOverlap> = "application/json"),
        (String = "text/csv", example = "id,employeeId,…\r\n0198c6f2-7f00-7a31-9c5e-3b1d2a4f6075,…\r\n"),
    ))),
)]
pub(super) async fn list_overlaps(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    params: Params,
    listing: Listing,
) -> Result<Response, Problem> {
    params.zone()?;
    let (employees, projects) = (teams::employees(&app, &asker, &params).await?, params.ids("projectId")?);
    let request = ListOverlaps { range: params.range()?, employees, projects, after: None };
    let columns = vec![
        "id",
        "employeeId",
        "projectId",
        "taskId",
        "start",
        "end",
        "computer",
        "takenTime",
        "takenFromCount",
        "takenFromOtherComputers",
        "projectName",
        "taskName",
        "employeeName",
    ];
    let form = Form::wanted(&listing, Table { disposition: "attachment; filename=\"overlaps.csv\"", columns });
    record_export(&app, &form, "overlaps").await?;
    List { app, asker, listing, form }.answer_named(request).await
}

/// List days with too much time.
///
/// Lists the local days of `timezone` on which an employee has more than `hours`, in order of time.
/// Each day has the time of all its windows, which is more than the counted time if windows
/// overlap, and the window with the most time on it. Only the part of a day in the range counts, so
/// the range should begin and end with whole days.
#[utoipa::path(
    get, path = "/api/v1/analytics/long-days", tag = "Analytics", security(("adminKey" = [])),
    params(
        ("start" = i64, Query, description = "The first moment, in milliseconds since 1970 UTC.", example = 1_760_000_000_000i64),
        ("end" = i64, Query, description = "The first moment after.", example = 1_760_086_400_000i64),
        ("employeeId" = Option<HashSet<EmployeeId>>, Query, style = Form, explode = false, max_items = 1_000, description = "Of these employees only: ids with commas between."),
        ("teamId" = Option<HashSet<TeamId>>, Query, style = Form, explode = false, max_items = 1_000, description = "Of the employees of these teams only."),
        ("hours" = Option<u8>, Query, description = "How many hours a day may have without being listed, from 1 to 24; 16 where none are named.", minimum = 1, maximum = 24, example = 16),
        ("timezone" = Option<String>, Query, description = "Where days begin: a zone of the IANA database; UTC where none is named.", example = "Europe/Berlin"),
        Paging,
    ),
    responses((status = 200, description = "The days.", content(
        (Vec<NamedLongDay> = "application/json"),
        (String = "text/csv", example = "day,employeeId,time,windowTime,windowCount,employeeName\r\n2026-03-01,0198c6f2-7f00-7a31-9c5e-3b1d2a4f6072,86340000,115140000,49,Ann Example\r\n"),
    ))),
)]
pub(super) async fn list_long_days(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    params: Params,
    listing: Listing,
) -> Result<Response, Problem> {
    let request = ListLongDays {
        range: params.range()?,
        longer_than: hours(&params)? * HOUR,
        timezone: params.zone()?,
        employees: teams::employees(&app, &asker, &params).await?,
        after: None,
    };
    let columns = vec!["day", "employeeId", "time", "windowTime", "windowCount", "employeeName"];
    let form = Form::wanted(&listing, Table { disposition: "attachment; filename=\"long-days.csv\"", columns });
    record_export(&app, &form, "long-days").await?;
    List { app, asker, listing, form }.answer_named(request).await
}

fn hours(params: &Params) -> Result<i64, Failure> {
    let must = "must be a whole number of hours from 1 to 24";
    let hours = params.get("hours", must)?.unwrap_or(HOURS);
    if (1..=24).contains(&hours) { Ok(hours) } else { Err(Failure::field("hours", must)) }
}

impl ListRequest for ListOverlaps {
    type Item = Overlap;
    type Place = OverlapCursor;

    fn after(&self, after: Option<OverlapCursor>) -> Self {
        Self { after, ..self.clone() }
    }

    fn place(&self, item: &Overlap) -> OverlapCursor {
        OverlapCursor { employee_id: item.employee_id, start: item.start, id: item.id }
    }
}

impl ListRequest for ListLongDays {
    type Item = LongDay;
    type Place = TimeCursor;

    fn after(&self, after: Option<TimeCursor>) -> Self {
        Self { after, ..self.clone() }
    }

    fn place(&self, item: &LongDay) -> TimeCursor {
        Self::place(self, item)
    }
}
