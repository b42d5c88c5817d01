//! The history of a project's payroll. The history of each line is stored with the rates of the
//! line's scope: the project, or one employee on the project.

use contracts::{Millis, Payee, Payroll, ProjectId, RateScope};
use kit::{Error, Tx};

use crate::{App, domain::changed_lines};

/// Adds the changed lines of a payroll to the histories of their scopes, and emits an event about
/// each changed history. The caller emits the event about the project afterwards, so a service that
/// knows the change also knows the earlier lines.
///
/// # Errors
/// Those of MongoDB.
pub(crate) async fn keep(
    app: &App,
    tx: &mut Tx<'_>,
    project: ProjectId,
    was: &Payroll,
    now: &Payroll,
    at: Millis,
) -> Result<(), Error> {
    let changed = changed_lines(was, now);
    if changed.is_empty() {
        return Ok(());
    }
    let everybody = RateScope::project(project);
    let is_first = !was.0.contains_key(&Payee::Everybody) && !app.store.rates.has_history(tx, everybody).await?;
    let mut events = Vec::with_capacity(changed.len());
    for payee in changed {
        let (was, now) = (was.0.get(&payee).copied(), now.0.get(&payee).copied());
        let scope = match payee {
            Payee::Everybody => everybody,
            Payee::Employee(employee) => everybody.of(employee),
        };
        if was.is_none() && is_first && !app.store.rates.has_history(tx, scope).await? {
            // Neither this line nor the line for everybody has existed before, so the new line also
            // applies to the time before this change.
            continue;
        }
        let mut locked = app.store.rates.lock(tx, scope).await?;
        locked.payroll.set(was, now, at);
        app.store.rates.keep_payroll(tx, &locked).await?;
        events.push(locked.changed());
    }
    tx.emit_all(&events).await
}
