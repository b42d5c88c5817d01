use std::sync::Arc;

use axum::{extract::State, response::Response};
use contracts::{Action, Actor, AuditEntry, AuditSubject, Failure, ListAuditEntries, Millis, UnknownActor};

use super::{
    form::{Form, Table},
    list::{List, ListRequest},
};
use crate::{
    App,
    auth::{Admin, Asker},
    error::Problem,
    extract::{Listing, Paging, Params},
};

/// The columns of the CSV, which has all fields of an entry.
const COLUMNS: [&str; 11] =
    ["seq", "id", "at", "actor", "action", "subject", "requestId", "cause", "address", "changes", "hash"];

/// List who did what, when, from where and why.
///
/// The newest entries come first. Every change of employees, projects, tasks and recorded windows
/// has an entry. So do log-ins, failed log-ins and exports, which change nothing. Recording a
/// window has no entry: the window itself says whose it is and since when it is recorded. The
/// response is JSON, or a table with `Accept: text/csv`.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "Audit", security(("adminKey" = [])),
    params(
        ("start" = Option<i64>, Query, description = "From this moment on, in milliseconds since 1970 UTC.", example = 1_760_000_000_000_i64),
        ("end" = Option<i64>, Query, description = "Before this moment.", example = 1_760_086_400_000_i64),
        ("actor" = Option<String>, Query, pattern = "^(root|(key|person):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|service:(gateway|directory|projects|timetrack|analytics|mailer|audit))$", description = "Who: `root`, `key:<id>`, `person:<employee>`, or `service:<name>`.", example = "root"),
        ("subject" = Option<String>, Query, description = "The id of what it is about.", example = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6072"),
        ("action" = Option<String>, Query, description = "What was done, as `action` of an entry says it.", example = "employee.updated"),
        ("requestId" = Option<String>, Query, description = "The `X-Request-Id` of the call that did it: what that caused has the same.", example = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6070"),
        Paging,
    ),
    responses((status = 200, description = "The entries.", content(
        (Vec<AuditEntry> = "application/json"),
        (String = "text/csv", example = "seq,id,at,actor,action,subject,…\r\n4711,0198c6f2-7f00-7a31-9c5e-3b1d2a4f6075,…\r\n"),
    ))),
)]
pub(super) async fn list_entries(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    params: Params,
    listing: Listing,
) -> Result<Response, Problem> {
    let must = "must be milliseconds since 1970, a whole number";
    let (start, end) = (params.whole("start", must)?.map(Millis), params.whole("end", must)?.map(Millis));
    if start.zip(end).is_some_and(|(start, end)| end <= start) {
        return Err(Failure::field("end", "must be after start").into());
    }
    let request = ListAuditEntries {
        start,
        end,
        actor: params.get::<Actor>("actor", &UnknownActor.to_string())?,
        subject: params.get("subject", "must be an id")?,
        action: params.get("action", "must be an action, such as employee.updated")?,
        request_id: params.get("requestId", "must be the id of a request")?,
        after: None,
        limit: listing.limit,
    };
    let form = Form::wanted(&listing, table());
    record_export(&app, &form, "audit").await?;
    let list = List { app, asker, listing, form };
    list.answer_with_actors::<_, AuditEntry>(request).await
}

/// Answers with all entries that the request selects, as CSV, for a page of the console.
pub(crate) async fn trail_as_csv(
    app: Arc<App>,
    asker: Asker,
    request: ListAuditEntries,
    listing: Listing,
) -> Result<Response, Problem> {
    let form = Form::Csv(table());
    record_export(&app, &form, "audit").await?;
    List { app, asker, listing, form }.answer_with_actors::<_, AuditEntry>(request).await
}

fn table() -> Table {
    Table { disposition: "attachment; filename=\"audit.csv\"", columns: COLUMNS.to_vec() }
}

/// If a list is exported as a table, records the export in the audit trail before the list is sent.
pub(super) async fn record_export(app: &App, form: &Form, what: &str) -> Result<(), Failure> {
    match form {
        Form::Csv(_) => record_taken(app, what).await,
        Form::Json | Form::JsonOverCsv => Ok(()),
    }
}

/// Records the export of a list in the audit trail.
pub(super) async fn record_taken(app: &App, what: &str) -> Result<(), Failure> {
    app.bus.audit(Action::ExportMade, AuditSubject::new("table", what)).await
}

impl ListRequest for ListAuditEntries {
    type Item = AuditEntry;
    type Place = i64;

    fn after(&self, after: Option<i64>) -> Self {
        Self { after, ..self.clone() }
    }

    fn place(&self, item: &AuditEntry) -> i64 {
        item.seq
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
    fn a_table_of_entries_has_all_that_an_entry_has() {
        let RefOr::T(Schema::Object(entry)) = AuditEntry::schema() else { panic!("an object") };
        let fields: BTreeSet<&str> = entry.properties.keys().map(String::as_str).collect();
        assert_eq!(COLUMNS.into_iter().collect::<BTreeSet<_>>(), fields);
    }
}
