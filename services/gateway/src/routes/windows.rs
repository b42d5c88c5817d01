use std::sync::Arc;

use axum::{extract::State, response::Response};
use contracts::{ListWindows, Window, WindowCursor};

use super::{
    audit::record_export,
    form::{Form, Table},
    list::{List, ListRequest},
    named::NamedWindow,
};
use crate::{
    App,
    auth::Admin,
    error::Problem,
    extract::{Asked, Listing, Paging, Params},
    teams,
};

/// The columns of the CSV: all fields of a window, and the names of its ids.
const COLUMNS: [&str; 36] = [
    "id",
    "employeeId",
    "shiftId",
    "organizationId",
    "type",
    "start",
    "end",
    "timezoneOffset",
    "startTranslated",
    "endTranslated",
    "negativeTime",
    "projectId",
    "taskId",
    "taskStatus",
    "taskPriority",
    "note",
    "billable",
    "overtime",
    "paid",
    "billRate",
    "overtimeBillRate",
    "payRate",
    "overtimePayRate",
    "computer",
    "user",
    "domain",
    "os",
    "osVersion",
    "hwid",
    "createdAt",
    "updatedAt",
    "correctionId",
    "projectName",
    "taskName",
    "employeeName",
    "rateParts",
];

/// List the windows that overlap a range.
///
/// The list is ordered by the start of the windows. The response is JSON, or a table with
/// `Accept: text/csv`.
#[utoipa::path(
    get, path = "/api/v1/analytics/window", tag = "Analytics", security(("adminKey" = [])),
    params(
        Asked,
        ("timezone" = Option<String>, Query, description = "A zone of the IANA database. It changes nothing here: only instants count.", example = "Europe/Berlin"),
        Paging,
    ),
    responses((status = 200, description = "The windows.", content(
        (Vec<NamedWindow> = "application/json"),
        (String = "text/csv", example = "id,employeeId,shiftId,…\r\n0198c6f2-7f00-7a31-9c5e-3b1d2a4f6075,…\r\n"),
    ))),
)]
pub(super) async fn list_windows(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    params: Params,
    listing: Listing,
) -> Result<Response, Problem> {
    params.zone()?;
    let request = ListWindows {
        range: params.range()?,
        filter: teams::filter(&app, &asker, &params).await?,
        after: None,
        limit: listing.limit,
    };
    let table = Table { disposition: "attachment; filename=\"windows.csv\"", columns: COLUMNS.to_vec() };
    let form = Form::wanted(&listing, table);
    record_export(&app, &form, "windows").await?;
    List { app, asker, listing, form }.answer_named(request).await
}

impl ListRequest for ListWindows {
    type Item = Window;
    type Place = WindowCursor;

    fn after(&self, after: Option<WindowCursor>) -> Self {
        Self { after, ..self.clone() }
    }

    fn place(&self, item: &Window) -> WindowCursor {
        WindowCursor { start: item.start, id: item.id }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use utoipa::{
        PartialSchema,
        openapi::{RefOr, Schema},
    };

    use super::*;

    #[test]
    fn a_table_of_windows_has_all_that_a_window_has_and_its_names() {
        let RefOr::T(Schema::Object(window)) = Window::schema() else { panic!("an object") };
        let mut fields: BTreeSet<&str> = window.properties.keys().map(String::as_str).collect();
        fields.extend(["projectName", "taskName", "employeeName"]);
        assert_eq!(COLUMNS.into_iter().collect::<BTreeSet<_>>(), fields);
    }
}
